"""Registers `ledger` with Django."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The app's name and label."""

    name = "vteam.ledger"
