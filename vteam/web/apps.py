"""Registers the pages with Django, and what must hold for the whole installation: triggers and system checks."""

import importlib
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WebConfig(AppConfig):
    """The topmost app: when it is ready, everything below is."""

    name = "vteam.web"

    def ready(self) -> None:
        """Register the system checks, and the triggers' re-installation after every migrate."""
        importlib.import_module("vteam.checks")  # registers its checks

        post_migrate.connect(_install_triggers)


def _install_triggers(sender: AppConfig, using: str, **others: Any) -> None:
    from django.db import connections

    from vteam import appendonly

    appendonly.install(connections[using])
