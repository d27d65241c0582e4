"""Registers `rights` with Django."""

from django.apps import AppConfig


class RightsConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.rights"
