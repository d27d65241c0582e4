"""Registers `campaigns` with Django."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.campaigns"
