"""The one message without a grant, the code somebody asks for by typing an address: how many may be asked for, by
whom, and whose addresses never again.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.conf import settings

from vteam import clock
from vteam.permissions import budgets
from vteam.permissions.models import Refusal
from vteam.permissions.noes import Never, keep

# A network may ask ten times as often as it gets codes: beyond, it is told to wait, whatever the address.
KNOCKS_PER_CODE = 10
# Wrong codes an hour from one network; the chance that one of so many is right is below one in ten thousand.
# A whole school yard mistypes less; beyond, the mail's link still works.
WRONG_CODES_PER_NETWORK_HOUR = 80


def may_knock(*, network: str, at: dt.datetime) -> bool:
    """Whether a network may ask for codes at all now: each request leaves rows, whatever the address is."""
    limit = KNOCKS_PER_CODE * settings.CODES_PER_NETWORK_HOUR
    return budgets.take(door="code-knock", key=network, limit=limit, window=budgets.HOUR, at=at)


def may_ask_code(
    *, lookups: Sequence[bytes], known: bool, wanted: bool, network: str, at: dt.datetime
) -> bool:
    """Whether a code may be made for an address (`lookups`: as `Permit`) now; counts it against the budgets.

    A confirmed fan's address is held to its own budget alone: strangers who use up the others, from the fan's own
    network too, cannot lock the fan out. `wanted`: no code that is still good is on its way. Whatever the answer,
    each budget is asked once: one that must not be used gives way to a row of the same shape nobody looks at.
    """
    per_network, per_hour = settings.CODES_PER_NETWORK_HOUR, settings.CODES_PER_HOUR
    per_day = settings.CODES_PER_FAN_DAY if known else settings.CODES_PER_ADDRESS_DAY
    near = budgets.take(door="code-network", key=network, limit=per_network, window=budgets.HOUR, at=at)
    in_all = budgets.take(
        door="code-all" if near else "code-none", key="", limit=per_hour, window=budgets.HOUR, at=at
    )
    may = wanted and (known or (near and in_all))
    mine = budgets.take(
        door="code-address" if may else "code-aside",
        key=lookups[0].hex(),
        limit=per_day,
        window=budgets.DAY,
        at=at,
    )
    is_refused = refused(lookups)
    return may and mine and not is_refused


def may_try_code(*, network: str, at: dt.datetime) -> bool:
    """Whether a network may try a code now. Counted before the code is looked at, so that many tries at the same
    moment find no gap; `give_back_try` where it was not wrong.
    """
    limit = WRONG_CODES_PER_NETWORK_HOUR
    return budgets.take(door="wrong-code", key=network, limit=limit, window=budgets.HOUR, at=at)


def give_back_try(*, network: str, at: dt.datetime) -> None:
    """The try `may_try_code` counted at the same `at` was not a wrong code."""
    budgets.give_back(door="wrong-code", key=network, window=budgets.HOUR, at=at)


def refused(lookups: Sequence[bytes]) -> bool:
    """Whether an address (`lookups`: as `Permit`) said "never again"."""
    return Refusal.objects.filter(lookup__in=lookups).exists()


def refused_among(lookups: Iterable[bytes]) -> set[bytes]:
    """Which of many addresses' keyed hashes said "never again"."""
    said = Refusal.objects.filter(lookup__in=list(lookups))
    return {bytes(lookup) for lookup in said.values_list("lookup", flat=True)}


def refuse_for_ever(*, lookup: bytes, act: str, at: dt.datetime) -> None:
    """Record that an address must never be written to again; saying it twice changes nothing.

    On disk beside the database as well when this returns: no backup forgets it.
    """
    if not refused([lookup]):
        keep([Never(lookup=lookup, at_us=clock.to_us(at))])
        Refusal.objects.create(lookup=lookup, at_us=clock.to_us(at), act=act)


def refuse_again(*, lookup: bytes, at: dt.datetime) -> bool:
    """Record a "never again" the database had forgotten; False where it had not. Noted it is already."""
    if refused([lookup]):
        return False
    Refusal.objects.create(
        lookup=lookup, at_us=clock.to_us(at), act=f"recorded again on {at:%Y-%m-%d %H:%M} UTC"
    )
    return True
