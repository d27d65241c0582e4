"""Registers `channels.mail` with Django."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.channels.mail"
    label = "mail"
