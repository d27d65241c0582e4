"""Registers `prizes` with Django."""

from django.apps import AppConfig


class PrizesConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.prizes"
