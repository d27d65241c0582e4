"""Registers `journal` with Django."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.journal"
