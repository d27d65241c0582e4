"""Registers `channels.links` with Django."""

from django.apps import AppConfig


class LinksConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.channels.links"
    label = "links"
