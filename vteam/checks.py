"""System checks: what can be read from the settings but makes no sense, said before anything runs."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from vteam import appendonly

NO_MAIL = "No mail server is set: nobody can join."
HOW_TO_MAIL = "Set VTEAM_EMAIL_URL, for instance smtp://user:password@host:587."
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtps")
Apps = Sequence[AppConfig] | None


@register(Tags.security)
def addresses(app_configs: Apps, **others: Any) -> list[CheckMessage]:
    """The public address is a whole one, and the demo is not shown to the world."""
    found: list[CheckMessage] = []
    parts = urlsplit(settings.PUBLIC_URL)
    if settings.PUBLIC_URL and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path):
        hint = "Write it as https://team.example.org, without a path."
        found.append(Error("VTEAM_PUBLIC_URL is not a web address.", hint=hint, id="vteam.E001"))
    if settings.DEMO and settings.PUBLIC_URL:
        hint = "Unset VTEAM_DEMO: in the demo anybody can read every mail at /mailbox."
        found.append(Error("The demo cannot have a public address.", hint=hint, id="vteam.E002"))
    if settings.SITE_PORT == settings.EDGE_PORT:
        hint = "Give the edge another port, for instance VTEAM_EDGE_PORT=8001."
        found.append(Error("VTEAM_SITE_PORT and VTEAM_EDGE_PORT are the same.", hint=hint, id="vteam.E003"))
    private = range(settings.METRICS_PORT, settings.METRICS_PORT + 3) if settings.METRICS_PORT else range(0)
    if settings.SITE_PORT in private or settings.EDGE_PORT in private:
        hint = "Choose another one: it and the next two are the private ports. For instance VTEAM_METRICS_PORT=9101."
        found.append(Error("VTEAM_METRICS_PORT meets a public port.", hint=hint, id="vteam.E008"))
    return found


@register()
def mail(app_configs: Apps, **others: Any) -> list[CheckMessage]:
    """Codes can reach people."""
    if not settings.EMAIL_URL:
        if settings.DEMO:
            return []
        return [Warning(NO_MAIL, hint=HOW_TO_MAIL, id="vteam.W002")]
    if urlsplit(settings.EMAIL_URL).scheme not in MAIL_SCHEMES:
        hint = f"Begin it with one of {', '.join(scheme + '://' for scheme in MAIL_SCHEMES)}."
        return [Error("VTEAM_EMAIL_URL is no mail server's address.", hint=hint, id="vteam.E005")]
    return []


@register()
def proxies(app_configs: Apps, **others: Any) -> list[CheckMessage]:
    """A public address behind a proxy that is not trusted would give every visitor the proxy's own address."""
    if settings.PUBLIC_URL and not settings.TRUSTED_PROXIES:
        hint = "Set VTEAM_TRUSTED_PROXIES to your proxy's address, for instance 127.0.0.1/32."
        return [Warning("No proxy is trusted.", hint=hint, id="vteam.W001")]
    return []


@register()
def witness(app_configs: Apps, **others: Any) -> list[CheckMessage]:
    """Behind a proxy nobody asks the tracker at an address where the witness is."""
    if settings.WITNESS_PORT and settings.TRUSTED_PROXIES and not settings.WITNESS_ADDRESSES:
        hint = "Set VTEAM_WITNESS_ADDRESSES to this machine's public addresses, or VTEAM_WITNESS_PORT=0."
        words = "Torrent clients are not told where the witness is: what they pass on is not seen and pays nothing."
        return [Warning(words, hint=hint, id="vteam.W003")]
    return []


@register(Tags.database)
def append_only(
    app_configs: Apps, databases: Sequence[str] | None = None, **others: Any
) -> list[CheckMessage]:
    """Every append-only table has its triggers, and SQLite honours them for INSERT OR REPLACE too."""
    found: list[CheckMessage] = []
    for name in databases or ():
        connection = connections[name]
        found += [
            Error(
                f"The trigger {trigger} is missing.",
                hint="Run `vteam run` again: it migrates.",
                id="vteam.E006",
            )
            for trigger in appendonly.missing(connection)
        ]
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA recursive_triggers")
                if cursor.fetchone()[0] != 1:
                    found.append(Error("recursive_triggers is off on this connection.", id="vteam.E007"))
    return found
