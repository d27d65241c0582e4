"""Telling objects in virtual worlds that the line above them is another, in a thread of its own beside the loop.

The only thing that ever reaches an object without a touch, and all it can do is change that line. The address is the
object's word: one of our own is refused, and the one fetcher looks at it. The network is asked outside any transaction.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_network
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from vteam import clock
from vteam.beside import Beside
from vteam.channels.worlds.enrolling import secret_of
from vteam.channels.worlds.lines import Push, push_failed, pushed, pushes_due
from vteam.channels.worlds.signing import push_message, signature
from vteam.fetching import Ask, Failed, fetch

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 1.0
SECONDS, BYTES_MAX = 5.0, 4 << 10
AT_ONCE = 8
FAREWELL = "a kiosk was still being told its line at the end; its next heartbeat is"


@contextmanager
def pushing() -> Iterator[None]:
    """Tell what is due while the block runs."""

    def turn() -> float:
        push_due(at=clock.now())
        return PAUSE_SECONDS

    with Beside("telling kiosks", turn).running(farewell=FAREWELL):
        yield


def push_due(*, at: dt.datetime) -> int:
    """Tells each object its line that is due; returns how many took it."""
    due = pushes_due(at=at)
    if not due:
        return 0
    asks = [_ask(push, at) for push in due]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = list(pool.map(lambda ask: fetch(ask) if ask else Failed.NOT_ALLOWED, asks))
    return sum(_became(push, answer, at) for push, answer in zip(due, answers, strict=True))


def _ask(push: Push, at: dt.datetime) -> Ask | None:
    """The request; None where the kiosk has no secret any more, or says that it is where our own pages are."""
    secret = secret_of(push.kiosk)
    if secret is None or _is_ours(push.kiosk.url):
        return None
    time = str(clock.to_us(at) // 1_000_000)
    said = {
        "line": push.line,
        "time": time,
        "sig": signature(secret, push_message(time=time, line=push.line)),
    }
    return Ask(
        url=push.kiosk.url,
        seconds=SECONDS,
        bytes_max=BYTES_MAX,
        headers={"Content-Type": "application/json"},
        body=orjson.dumps(said),
        allowed=[ip_network(network) for network in settings.KIOSK_NETWORKS],
    )


def _is_ours(url: str) -> bool:
    """Whether an address is at the public host of this vTeam: no object has one there."""
    ours = _host(settings.PUBLIC_URL)
    return ours != "" and _host(url) == ours


def _host(url: str) -> str:
    """The host in an address; "" where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _became(push: Push, answer: bytes | Failed, at: dt.datetime) -> bool:
    if not isinstance(answer, Failed):
        pushed(kiosk=push.kiosk, line=push.line)
        return True
    again = None if answer is Failed.NOT_ALLOWED else push_failed(kiosk=push.kiosk, at=at)
    if again is None:
        pushed(kiosk=push.kiosk, line=push.kiosk.line_told)
    logger.info(
        "kiosk %d could not be told its line (%s); %s", push.kiosk.pk, answer, again or "its heartbeat is"
    )
    return False
