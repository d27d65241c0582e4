"""Registers `channels.copies` with Django."""

from django.apps import AppConfig


class CopiesConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.channels.copies"
    label = "copies"
