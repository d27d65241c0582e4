"""Registers `channels.worlds` with Django."""

from django.apps import AppConfig


class WorldsConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.channels.worlds"
    label = "worlds"
