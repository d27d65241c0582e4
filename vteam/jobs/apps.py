"""Registers `jobs` with Django."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.jobs"
