"""Rounds of the beacon fetched where VTEAM_BEACON names a server, in a thread of its own beside the loop of `jobs`.

A server that is slow or lies holds up no facts and changes nothing: what it says is verified before anything is drawn,
and an organiser can paste the round at any time. The network is asked outside any transaction.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from vteam import clock
from vteam.beside import Beside
from vteam.jobs.drand import ask
from vteam.prizes.draws import NotTaken, take_randomness
from vteam.prizes.rounds import NotIts, Wanted, Why, begin_try, forget_try, try_failed, wanted_rounds

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5.0
FAREWELL = "a round was still being fetched at the end; it is asked for again"


@contextmanager
def fetching() -> Iterator[None]:
    """Fetch what is due while the block runs, if a server is named."""
    if not settings.BEACON:
        yield
        return

    def turn() -> float:
        fetch_due(at=clock.now())
        return PAUSE_SECONDS

    with Beside("fetching rounds", turn).running(farewell=FAREWELL):
        yield


def fetch_due(*, at: dt.datetime) -> int:
    """Asks for each round that is due, and draws with it; returns how many draws were done."""
    return sum(_fetch(wanted, at) for wanted in wanted_rounds(at=at)) if settings.BEACON else 0


def _fetch(wanted: Wanted, at: dt.datetime) -> bool:
    begin_try(draw=wanted.draw, at=at)
    said = ask(settings.BEACON, chain=wanted.chain, round_=wanted.round_)
    if isinstance(said, Why):
        return _failed(wanted, said, at)
    became = take_randomness(draw=wanted.draw, came={"signature": said}, at=at)
    if became is NotTaken.WRONG:
        return _failed(wanted, NotIts.NOT_ITS, at)
    forget_try(draw=wanted.draw)
    return not isinstance(became, NotTaken)


def _failed(wanted: Wanted, why: Why, at: dt.datetime) -> bool:
    again = try_failed(draw=wanted.draw, why=why, at=at)
    said = "round %d for %s could not be fetched (%s); it is asked for again at %s, or pasted by an organiser"
    logger.warning(said, wanted.round_, wanted.draw, why, again.isoformat(timespec="seconds"))
    return False
