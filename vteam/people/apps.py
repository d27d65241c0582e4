"""Registers `people` with Django."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.people"
