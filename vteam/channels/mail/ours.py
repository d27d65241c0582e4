"""Our own mail as the settings have it: which domain it comes from, and whether it will be let in."""

from django.conf import settings

from vteam.channels.mail.deliverability import check
from vteam.channels.mail.findings import Finding
from vteam.channels.mail.letters import sender
from vteam.channels.mail.nameserver import resolver_at
from vteam.errors import SettingsError

NOWHERE = ("", "localhost")


def our_domain() -> str | None:
    """The domain our mail comes from; None where VTEAM_EMAIL_FROM names none."""
    domain = sender().rpartition("@")[2]
    return None if domain in NOWHERE else domain


def missing_settings() -> list[str]:
    """The settings without which not everything can be checked."""
    wanted = {
        "VTEAM_EMAIL_FROM": our_domain(),
        "VTEAM_MAIL_IPS": settings.MAIL_IPS,
        "VTEAM_DKIM_SELECTOR": settings.DKIM_SELECTORS,
    }
    return [name for name, value in wanted.items() if not value]


def check_ours() -> list[Finding]:
    """Everything there is to say about our mail; takes up to some ten seconds where the resolver is silent.

    SettingsError where there is no domain or no resolver to ask.
    """
    domain = our_domain()
    if domain is None:
        raise SettingsError(
            "Whom mails come from is not set: set VTEAM_EMAIL_FROM, for example team@example.org."
        )
    return check(
        domain,
        selectors=settings.DKIM_SELECTORS,
        sending_ips=settings.MAIL_IPS,
        resolver=resolver_at(settings.RESOLVER),
    )
