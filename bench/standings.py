"""Exact ranks, neighbours and the top 100 in books of a big season while posting goes on, beside Redis' sorted set.

Books and Redis hold the same fans with the same points. Another process, on another core, moves facts into the same
SQLite file without a pause; while Redis is asked it is stopped, so that Redis has that core for itself. Each question
is timed alone, from Python to Python: ours through Django's connection, Redis' through a plain socket.
"""

import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from bench.folder import prepared_folder
from bench.redis import SortedSet, sorted_set
from bench.report import Report
from bench.rounds import median_ratio, on_core
from bench.tools import Misleading, tools

OUR_CORE, OTHER_CORE = 0, 1
RANKS, TOPS = 400, 50
ROUNDS, ROUNDS_QUICK = 25, 9
COUNTED_BY_HAND = 20
TOP = 100
CAMPAIGN = 1  # `bench.season`'s, which is imported once Django is set up


@dataclass(slots=True)
class Samples:
    """How long each question took, in µs, round by round."""

    rounds: dict[str, list[list[float]]] = field(default_factory=dict)

    def ask(self, name: str, question: Callable[[], object], *, times: int) -> None:
        """One round: a question so many times."""
        took = []
        for _ in range(times):
            begun = time.perf_counter_ns()
            question()
            took.append((time.perf_counter_ns() - begun) / 1000)
        self.rounds.setdefault(name, []).append(took)

    def us(self, name: str) -> float:
        """The median of all."""
        return statistics.median(us for took in self.rounds[name] for us in took)

    def medians(self, name: str) -> list[float]:
        """The median of each round."""
        return [statistics.median(took) for took in self.rounds[name]]


class Bookkeeper:
    """The process that posts meanwhile (`bench.bookkeeper`)."""

    def __init__(self, fans: int) -> None:
        command = [sys.executable, "-m", "bench.bookkeeper", str(fans)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it says when it begins

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """It does nothing while the block runs, wherever it just was."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """How many facts it posted."""
        told, _ = self._process.communicate()
        return int(told or 0)


def run(*, quick: bool, fans: int) -> Report:
    """`rank_us`: a fan's points and exact rank; `top100_us`; `neighbours_us`; `last_page_us`: the deepest listed."""
    tools("redis-server")
    with ExitStack() as running, prepared_folder(LOG_LEVEL="error") as folder:
        from bench.season import fill

        begun = time.monotonic()
        fill(fans=fans)
        with on_core(OTHER_CORE):
            peer = running.enter_context(sorted_set(folder, "points"))
        peer.add(_totals())
        _every_rank_is_exact(fans)
        filled_s = time.monotonic() - begun
        with on_core(OTHER_CORE):
            bookkeeper = Bookkeeper(fans)
        try:
            samples, seconds = _asked(bookkeeper, peer, fans, rounds=ROUNDS_QUICK if quick else ROUNDS)
        finally:
            posted = bookkeeper.end()
        return _report(samples, fans, filled_s=filled_s, posted_per_s=posted / seconds)


def _asked(bookkeeper: Bookkeeper, peer: SortedSet, fans: int, *, rounds: int) -> tuple[Samples, float]:
    """Every question in turn, and for how many seconds the books were asked."""
    from vteam.ledger import queries
    from vteam.web.views.campaign import PAGE, PAGES_MAX

    deepest = min(fans, PAGE * PAGES_MAX) - PAGE
    samples, dice, seconds = Samples(), random.Random(1789), 0.0  # noqa: S311
    with on_core(OUR_CORE):
        for _ in range(rounds):
            begun = time.monotonic()
            samples.ask("rank", lambda: queries.standing_of(CAMPAIGN, dice.randint(1, fans)), times=RANKS)
            samples.ask("top100", lambda: queries.top(CAMPAIGN, at_most=TOP), times=TOPS)
            samples.ask("neighbours", lambda: queries.neighbours(CAMPAIGN, dice.randint(1, fans)), times=TOPS)
            samples.ask("last_page", lambda: queries.top(CAMPAIGN, at_most=PAGE, skip=deepest), times=1)
            seconds += time.monotonic() - begun
            with bookkeeper.at_rest():
                samples.ask("redis", lambda: peer.place(dice.randint(1, fans)), times=RANKS)
    return samples, seconds


def _totals() -> Iterator[tuple[int, int]]:
    """Everybody's points, in the order of their numbers."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT fan_id, confirmed FROM ledger_total WHERE campaign_id = %s", [CAMPAIGN])
        while some := cursor.fetchmany(10_000):
            yield from some


def _every_rank_is_exact(fans: int) -> None:
    """As far as a few fans, counted one by one, can tell; otherwise the figures would be of something easier."""
    from vteam.ledger.models import Total
    from vteam.ledger.queries import standing_of

    for fan in range(1, fans, fans // COUNTED_BY_HAND):
        found = standing_of(CAMPAIGN, fan)
        better = Total.objects.filter(campaign_id=CAMPAIGN, confirmed__gt=found.points).count()
        if found.rank != better + 1:
            raise Misleading(f"Fan {fan} is said to be {found.rank}, and {better} fans have more points.")


def _report(samples: Samples, fans: int, *, filled_s: float, posted_per_s: float) -> Report:
    names = ("rank", "top100", "neighbours", "last_page")
    return Report(
        bench="standings",
        figures={f"{name}_us": samples.us(name) for name in names},
        ratios={"redis_zrevrank": median_ratio(samples.medians("rank"), samples.medians("redis"))},
        notes=[
            f"{fans:,} fans, filled in {filled_s:.0f} s; {posted_per_s:,.0f} facts a second were posted meanwhile",
            f"Redis: {samples.us('redis'):.0f} us a ZREVRANK over a Unix socket (a place, without its ties)",
        ],
    )
