"""Registers the pages with Django, and what must hold for the whole installation: triggers and system checks."""

import importlib
import logging
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from vteam.outage import OutageLines


class WebConfig(AppConfig):
    """The topmost app: when it is ready, everything below is."""

    name = "vteam.web"

    def ready(self) -> None:
        """Register the system checks, the triggers' re-installation after every migrate, how an outage is told."""
        importlib.import_module("vteam.checks")  # registers its checks

        post_migrate.connect(_install_triggers)
        logging.getLogger("django.request").addFilter(OutageLines())


def _install_triggers(sender: AppConfig, using: str, **others: Any) -> None:
    from django.db import connections

    from vteam import appendonly

    appendonly.install(connections[using])
