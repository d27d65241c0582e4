"""Exact ranks and the top 100 of a big season while `jobs` posts a backlog into it, beside Redis' sorted set.

A rank is what a page asks for: a fan's points and their place. Redis holds the same fans with the same points and is
asked ZREVRANK over a Unix socket, by as little Python as can be; it keeps nothing on disk and nobody writes to it.
"""

import os
import random
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.folder import prepared_folder
from bench.posting import Traffic
from bench.report import Report
from bench.rounds import interleaved, median_ratio, percentile
from bench.started import role, started
from bench.tools import Misleading, tools

ROUNDS, ROUNDS_QUICK = 15, 7
RANKS, TOPS = 300, 40
BACKLOG, BACKLOG_QUICK = 200_000, 40_000
MEMBERS_AT_ONCE = 1_000
REDIS_SECONDS_MAX = 10.0
US = 1_000_000


def run(*, quick: bool, fans: int) -> Report:
    """`rank_us`, `top100_us` and `deep_page_us` while posting goes on; `ratios.redis_zrevrank` is ours to Redis'."""
    rounds, backlog = (ROUNDS_QUICK, BACKLOG_QUICK) if quick else (ROUNDS, BACKLOG)
    with prepared_folder() as folder:
        from bench.season import CAMPAIGN, fill
        from vteam.journal.models import Inbox
        from vteam.ledger import queries

        fill(fans=fans)
        dice = random.Random(1789)  # noqa: S311
        with redis(folder) as ask:
            _the_same_fans(ask, fans)
            Traffic(fans).offer(backlog)
            sides: dict[str, Callable[[], float]] = {
                "rank": lambda: _us(RANKS, lambda: queries.standing_of(CAMPAIGN, dice.randint(1, fans))),
                "top100": lambda: _us(TOPS, lambda: queries.top(CAMPAIGN, at_most=100)),
                "deep_page": lambda: _us(
                    TOPS, lambda: queries.top(CAMPAIGN, at_most=50, skip=dice.randrange(fans))
                ),
                "redis": lambda: _us(RANKS, lambda: ask(b"ZREVRANK", b"fans", b"%d" % dice.randint(1, fans))),
            }
            idle = interleaved(sides, rounds=2)
            with started(role("jobs")):
                _until(lambda: Inbox.objects.count() < backlog)
                took = interleaved(sides, rounds=rounds)
                left = Inbox.objects.count()
        if not left:
            raise Misleading("Posting was over before the ranks were asked for: make the backlog larger.")
    return Report(
        bench="standings",
        figures={
            "rank_us": statistics.median(took["rank"]),
            "rank_worst_round_us": percentile(took["rank"], 1.0),
            "top100_us": statistics.median(took["top100"]),
            "deep_page_us": statistics.median(took["deep_page"]),
            "rank_idle_us": statistics.median(idle["rank"]),
            "redis_us": statistics.median(took["redis"]),
        },
        ratios={"redis_zrevrank": median_ratio(took["rank"], took["redis"])},
        notes=[f"{fans:,} fans; {backlog - left:,} facts were posted meanwhile; medians of {rounds} rounds"],
    )


def _us(times: int, ask: Callable[[], object]) -> float:
    """The median of so many, in microseconds."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begun) * US)
    return statistics.median(took)


def _until(what: Callable[[], bool]) -> None:
    gives_up_at = time.monotonic() + REDIS_SECONDS_MAX
    while not what():
        if time.monotonic() > gives_up_at:
            raise Misleading(f"What this bench measures did not begin within {REDIS_SECONDS_MAX:g} s.")
        time.sleep(0.02)


# Redis --------------------------------------------------------------------------------------------------------
Ask = Callable[..., bytes]


@contextmanager
def redis(folder: Path) -> Iterator[Ask]:
    """A Redis server of its own, and how to ask it one command; the answer is RESP's first line."""
    (server,) = tools("redis-server")
    path = folder / "redis.sock"
    words = [server, "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    with started(words), socket.socket(socket.AF_UNIX) as door:
        _until(lambda: path.exists() and os.access(path, os.W_OK) and door.connect_ex(str(path)) == 0)
        with door.makefile("rb") as answers:

            def ask(*parts: bytes) -> bytes:
                door.sendall(_command(parts))
                return answers.readline()

            yield ask


def _command(parts: tuple[bytes, ...]) -> bytes:
    """RESP: an array of bulk strings."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def _the_same_fans(ask: Ask, fans: int) -> None:
    from django.db import connection

    added = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT confirmed, fan_id FROM ledger_total")
        while rows := cursor.fetchmany(MEMBERS_AT_ONCE):
            flat = [b"%d" % value for row in rows for value in row]
            added += int(ask(b"ZADD", b"fans", *flat)[1:])
    if added != fans:
        raise Misleading(f"Redis holds {added} fans instead of {fans}.")
