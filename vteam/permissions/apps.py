"""Registers `permissions` with Django."""

from django.apps import AppConfig


class PermissionsConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.permissions"
