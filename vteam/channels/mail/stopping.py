"""The link in every message that stops what it is about, without signing in: bound to one subject and one purpose.

It never gives a yes, only ends one, pauses it or slows it down; and it does not expire, for nobody should be too late.
"""

from dataclasses import dataclass

from django.core import signing

from vteam.channels.mail.letters import home_url
from vteam.permissions.models import Subject
from vteam.rules.grants import Purpose

_STOP = signing.Signer(salt="vteam.channels.mail.stop", sep=".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What a link was made for. `subject` is None where whoever it was for erased themselves."""

    subject: Subject | None
    purpose: Purpose


def stop_token(subject: str, purpose: Purpose) -> str:
    """What the link carries: letters, digits, dashes and dots."""
    return _STOP.sign(f"{subject}-{purpose}")


def stop_url(subject: str, purpose: Purpose, language: str) -> str:
    """The page that stops a purpose for a subject, in their language."""
    return f"{home_url()}/{language}/stop/{stop_token(subject, purpose)}"


def stop_of(token: str) -> Stop | None:
    """What a link was made for; None where we did not make it."""
    try:
        subject, _, purpose = _STOP.unsign(token).partition("-")
        return Stop(subject=Subject.objects.filter(pk=subject).first(), purpose=Purpose(purpose))
    except (signing.BadSignature, ValueError):
        return None
