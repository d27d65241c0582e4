"""Which announced draws wait for a round of a beacon that has come, and how asking for it went.

A draw's round is asked for once a minute at most, ever later while that fails. Nothing is asked here: `jobs.rounds`
does, and what it brings is believed only where `take_randomness` finds it to be the network's.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from vteam.fetching import Failed
from vteam.prizes.draws import announcement_of, draws_at
from vteam.prizes.models import Draw, RoundTry

COMES_AFTER = dt.timedelta(seconds=5)
"""So long after its time a round is asked for: its members sign it first, and servers pass it on."""
LEAST_PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=1), dt.timedelta(hours=1)


class NotIts(StrEnum):
    """Why what was fetched is no round of the beacon's that was asked for."""

    OTHER_ROUND = "other_round"
    NOT_ITS = "not_its"


Why = Failed | NotIts
"""Why a round was not fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A round a draw waits for. `chain`: the hash that names the beacon's network."""

    draw: Draw
    chain: str
    round_: int


def wanted_rounds(*, at: dt.datetime) -> list[Wanted]:
    """The rounds that have come, for draws that are not done, whose turn to be asked for it is."""
    waiting = Draw.objects.filter(drawn_at=None, void_at=None).exclude(tried__next_at__gt=at)
    found = []
    for draw in waiting.order_by("pk"):
        source, comes_at = announcement_of(draw)["randomness"], draws_at(draw)
        if source["from"] == "beacon" and comes_at is not None and at >= comes_at + COMES_AFTER:
            found.append(Wanted(draw=draw, chain=source["chain"], round_=source["round"]))
    return found


@transaction.atomic
def begin_try(*, draw: Draw, at: dt.datetime) -> None:
    """Kept before anything is asked, so that a process that ends meanwhile asks no sooner when it is back."""
    RoundTry.objects.update_or_create(draw=draw, defaults={"next_at": at + LEAST_PAUSE})


@transaction.atomic
def try_failed(*, draw: Draw, why: Why, at: dt.datetime) -> dt.datetime:
    """Keeps that asking failed; returns when it is tried again."""
    tried, _is_new = RoundTry.objects.select_for_update().get_or_create(draw=draw, defaults={"next_at": at})
    tried.failures, tried.since, tried.why = tried.failures + 1, tried.since or at, why
    tried.next_at = at + min(LEAST_PAUSE * 2 ** min(tried.failures - 1, 10), LONGEST_PAUSE)
    tried.save()
    return tried.next_at


def forget_try(*, draw: Draw) -> None:
    """The draw is done: nothing is asked for it any more."""
    RoundTry.objects.filter(draw=draw).delete()
