"""Registers `channels.swarm` with Django."""

from django.apps import AppConfig


class SwarmConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.channels.swarm"
    label = "swarm"
