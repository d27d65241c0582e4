"""The gate every message passes. Nothing leaves without a permit.

So far vTeam sends one kind of message: the code a person asks for by typing an address. Its permit is the
request itself, unless that address said "never again".
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from vteam import clock
from vteam.errors import NotPermitted
from vteam.permissions import budgets
from vteam.permissions.models import Refusal


class Purpose(StrEnum):
    """What a message is for. A message without a purpose listed here cannot be sent."""

    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Leave to send one message to one address (`lookup`: its keyed hash), taken at the moment of sending."""

    purpose: Purpose
    lookup: bytes


def may_ask_code(*, lookup: bytes, known: bool, network: str, at: dt.datetime) -> bool:
    """Whether a code may be made for an address now; counts the request against the budgets.

    A confirmed fan's address is held to its own budget alone: strangers who use up the others, from the fan's own
    network too, cannot lock the fan out. Known, unknown and refused addresses cost the same work.
    """
    per_network, per_hour = settings.CODES_PER_NETWORK_HOUR, settings.CODES_PER_HOUR
    per_day = settings.CODES_PER_FAN_DAY if known else settings.CODES_PER_ADDRESS_DAY
    within = budgets.take(
        door="code-network", key=network, limit=per_network, window=budgets.HOUR, at=at
    ) and budgets.take(door="code-all", key="", limit=per_hour, window=budgets.HOUR, at=at)
    mine = (known or within) and budgets.take(
        door="code-address", key=lookup.hex(), limit=per_day, window=budgets.DAY, at=at
    )
    return mine and not refused(lookup)


def permit(*, purpose: Purpose, lookup: bytes) -> Permit:
    """The permit for one message now; raises NotPermitted where its recipient refused."""
    if refused(lookup):
        raise NotPermitted("this address asked never to be written to again")
    return Permit(purpose=purpose, lookup=lookup)


def refused(lookup: bytes) -> bool:
    """Whether an address said "never again"."""
    return Refusal.objects.filter(lookup=lookup).exists()


def refuse_for_ever(*, lookup: bytes, act: str, at: dt.datetime) -> None:
    """Record that an address must never be written to again; saying it twice changes nothing."""
    if not refused(lookup):
        Refusal.objects.create(lookup=lookup, at_us=clock.to_us(at), act=act)
