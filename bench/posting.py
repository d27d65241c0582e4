"""From the inbox to decided, ledger, totals and histogram, in books of a big season.

Alone, and while the site keeps writing: another process with the site's own connection settings leaves a fact a
hundred times a second, as a page would, and notes how long each took.
"""

import hashlib
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.folder import prepared_folder
from bench.report import Report
from bench.rounds import percentile
from bench.tools import Misleading

if TYPE_CHECKING:
    from vteam.jobs.moving import Mover
    from vteam.rules.facts import NewFact

FACTS_PER_ROUND, FACTS_PER_ROUND_QUICK = 40_000, 12_000
ROUNDS, ROUNDS_QUICK = 5, 3
SITE_WRITES_PER_S = 100


def run(*, quick: bool, fans: int, postgresql: bool) -> Report:
    """`per_s` and `site_wait_p95_ms` while the site writes, `per_s_alone` without it; `scattered`: see Traffic."""
    with prepared_folder(postgresql=postgresql):
        from bench.season import fill

        begun = time.monotonic()
        fill(fans=fans, history=True)
        filled_s = time.monotonic() - begun
        return _measure(
            fans,
            facts=FACTS_PER_ROUND_QUICK if quick else FACTS_PER_ROUND,
            rounds=ROUNDS_QUICK if quick else ROUNDS,
            notes=[
                f"{fans:,} fans on {'PostgreSQL' if postgresql else 'SQLite'}, filled in {filled_s:.0f} s"
            ],
        )


def _measure(fans: int, *, facts: int, rounds: int, notes: list[str]) -> Report:
    traffic = Traffic(fans)
    alone, beside, scattered, waits = [], [], [], []
    with mover_of_jobs() as mover:
        traffic.offer(facts // 4)
        mover.move()  # warm: caches filled, the batch grown to its size
        for _ in range(rounds):
            traffic.scattered = True
            traffic.offer(facts)
            scattered.append(_speed(mover))
            traffic.scattered = False
            traffic.offer(facts)
            alone.append(_speed(mover))
            traffic.offer(facts)
            with site_writing() as waited:
                beside.append(_speed(mover))
            waits += waited
    _every_fact_was_paid(traffic.offered)
    return Report(
        bench="posting",
        figures={
            "per_s": statistics.median(beside),
            "per_s_alone": statistics.median(alone),
            "per_s_alone_scattered": statistics.median(scattered),
            "site_wait_p50_ms": percentile(waits, 0.50),
            "site_wait_p95_ms": percentile(waits, 0.95),
        },
        notes=[*notes, f"{len(waits):,} writes of the site, {rounds} rounds of {facts:,} facts"],
    )


@contextmanager
def mover_of_jobs() -> Iterator["Mover"]:
    """A mover of the inbox as the jobs process has it, with the room it takes and the log copied beside it."""
    from vteam.jobs.checkpoints import WriteAheadLog
    from vteam.jobs.moving import InboxTable, Mover
    from vteam.jobs.room import take_room

    take_room()
    log = WriteAheadLog()
    with log.copied_beside():
        yield Mover(InboxTable(), log)


def _speed(mover: "Mover") -> float:
    begun = time.perf_counter()
    moved = mover.move()
    return moved / (time.perf_counter() - begun)


def _every_fact_was_paid(offered: int) -> None:
    """Otherwise the figures would be of something easier."""
    from bench.season import CAMPAIGN
    from vteam.ledger.models import Transfer

    paid = Transfer.objects.filter(campaign_id=CAMPAIGN).count()
    if paid != offered:
        raise Misleading(f"{offered} facts were offered and {paid} paid: this bench measures something else.")


class Traffic:
    """Facts as a season brings them, each an award: arrivals, joins, and downloads by who joined last.

    Arrivals and joins come through fans by Zipf's law (half of them through the keenest thousand of a million), or,
    where `scattered`, through anybody alike, which is as unkind to the disk's pages as can be.
    """

    def __init__(self, fans: int) -> None:
        self._fans, self._joined, self._dice, self.offered = fans, 0, random.Random(1789), 0  # noqa: S311
        self.scattered = False

    def offer(self, count: int) -> None:
        """Leave so many facts in the inbox."""
        from bench.season import CAMPAIGN, load
        from vteam.rules.canonical import canonical

        rows = [
            (CAMPAIGN, str(fact.kind), fact.key, fact.seen_at_us, canonical(fact.body))
            for fact in (self._next() for _ in range(count))
        ]
        load("journal_inbox", "campaign_id, kind, key, seen_at_us, body", rows)

    def _next(self) -> "NewFact":
        from vteam import clock
        from vteam.rules import facts

        self.offered += 1
        number, at_us = self.offered, clock.now_us()
        fan = self._somebody()
        which = number % 20
        if which < 4:
            self._joined += 1
            return facts.fan_confirmed(
                fan=self._fans + self._joined,
                recruiter=fan,
                share=fan * 8,
                network=_network(number),
                same_session=False,
                at_us=at_us,
            )
        if which < 9:
            lately = fan if self.scattered else self._fans + self._joined - self._dice.randrange(500)
            return facts.title_downloaded(fan=lately, title=number, at_us=at_us)
        return facts.arrival_confirmed(
            share=self._fans * 8 + number,
            owner=fan,
            networks=(_network(-number), _network(number), _network(0)),
            day="2026-11-20",
            by=None,
            act="stayed",
            at_us=at_us,
        )

    def _somebody(self) -> int:
        """A fan; by Zipf's law the rank of who is chosen is a power of the fans' number, spread over their numbers."""
        if self.scattered:
            return self._dice.randint(1, self._fans)
        rank = int(self._fans ** self._dice.random())
        return 1 + rank * 7919 % self._fans


def _network(number: int) -> str:
    """As long as a real one (`rules.networks`), and as little in order."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


@contextmanager
def site_writing() -> Iterator[list[float]]:
    """Another process writes like the site while the block runs; filled at its end: how long each write took, in ms."""
    command = [sys.executable, "-m", "bench.sitewriter", str(SITE_WRITES_PER_S)]
    waited: list[float] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()  # it says when it begins
        yield waited
        writer.stdin.close()
        waited += [float(line) for line in writer.stdout]
