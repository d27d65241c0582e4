"""Books of a big season, filled in seconds: for measuring what comes next, not for being checked.

Written past the rules, straight into the tables: playing a season of a million fans takes minutes. The totals are
heavy-tailed (most fans have one or two awards, a few have hundreds), the histogram is exactly theirs, and with
`history` the tables that judging looks into are as large as if every fan had joined and been paid once. What is
left out is the transfers of before: of them judging reads the last alone.
"""

import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from vteam import clock
from vteam.journal.queries import chained_hash
from vteam.ledger.counters import places_of
from vteam.ledger.posting import BUCKET_POINTS
from vteam.rules import facts
from vteam.rules.canonical import GENESIS, canonical
from vteam.rules.missions import Mission

CAMPAIGN = 1
AWARD_POINTS = 50
YEAR_US = 365 * 86_400 * 1_000_000
KINDS = ("recruit", "spread", "download")
Row = tuple[Any, ...]


def open_season(*, at_us: int) -> list[facts.NewFact]:
    """The facts a season begins with: a year of it, and the three missions without limits."""
    season = {"starts_at_us": at_us - YEAR_US, "ends_at_us": at_us + YEAR_US, "time_zone": "Europe/Paris"}
    missions = [
        Mission(
            key=kind,
            version=1,
            kind=kind,
            points=500 if kind == "recruit" else AWARD_POINTS,
            from_us=0,
            opens_at_us=at_us - YEAR_US,
            closes_at_us=at_us + YEAR_US,
        ).body()
        for kind in KINDS
    ]
    return [
        facts.campaign_versioned(version=1, season=season, sha256="", at_us=at_us),
        *(facts.mission_versioned(mission=mission, at_us=at_us) for mission in missions),
    ]


def points_of(fan: int, dice: random.Random) -> int:
    """What a fan has: whole awards, a Pareto tail (about one fan in 5,000 above 100,000 points)."""
    return AWARD_POINTS * min(int(dice.paretovariate(1.1)), 40_000)


def fill(*, fans: int, history: bool = False) -> None:
    """A season of `CAMPAIGN` with fans 1 to `fans`, in an empty database that this process is set up for.

    `history`: their joining, one award each and its counters as well; needed by posting, not by standings.
    """
    at_us, dice = clock.now_us(), random.Random(1789)  # noqa: S311
    totals = [(CAMPAIGN, fan, points_of(fan, dice), 0) for fan in range(1, fans + 1)]
    levels = Counter(points for _, _, points, _ in totals)
    buckets: Counter[int] = Counter()
    for points, count in levels.items():
        buckets[points // BUCKET_POINTS] += count
    with careless(), transaction.atomic():
        load("ledger_total", "campaign_id, fan_id, confirmed, pending", totals)
        load(
            "ledger_level",
            "campaign_id, points, fans",
            [(CAMPAIGN, *pair) for pair in sorted(levels.items())],
        )
        load(
            "ledger_bucket",
            "campaign_id, bucket, fans",
            [(CAMPAIGN, *pair) for pair in sorted(buckets.items())],
        )
        opening = list(open_season(at_us=at_us))
        load(
            "ledger_ruling",
            "campaign_id, seq, kind, body",
            [
                (CAMPAIGN, seq, str(fact.kind), canonical(fact.body))
                for seq, fact in enumerate(opening, start=1)
            ],
        )
        if history:
            _fill_history(fans, opening, at_us)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # its own turn would come in a minute


def _fill_history(fans: int, opening: Sequence[facts.NewFact], at_us: int) -> None:
    load(
        "journal_fact",
        "campaign_id, seq, kind, key, seen_at_us, body, sha256",
        _journal(fans, opening, at_us),
    )
    load(
        "ledger_decision",
        "campaign_id, seq, fact_seq, mission_key, fan_id, outcome, points, body",
        (_decision(fan, fan + len(opening)) for fan in range(1, fans + 1)),
    )
    load("ledger_counter", "campaign_id, key, n", _counters(fans))


def _journal(fans: int, opening: Sequence[facts.NewFact], at_us: int) -> Iterator[Row]:
    sha256 = GENESIS
    for seq in range(1, len(opening) + fans + 1):
        if seq <= len(opening):
            fact = opening[seq - 1]
            kind, key, body = str(fact.kind), fact.key, canonical(fact.body)
        else:
            fan = seq - len(opening)
            kind, key = "FanConfirmed", f"fan:{fan}"
            body = f'{{"fan":{fan},"network":"","recruiter":null,"same_session":false,"share":null}}'
        content = (CAMPAIGN, seq, kind, key, at_us, body)
        sha256 = chained_hash(content, after=sha256)
        yield (*content, sha256)


def _decision(fan: int, fact_seq: int) -> Row:
    body = (
        f'{{"counted":["same:spread:{fan}:share:0","fan:spread:{fan}"],"due_at_us":null,"fact":{fact_seq},'
        f'"fan":{fan},"mission":"spread","outcome":"awarded","points":50,"seq":{fan},"version":1}}'
    )
    return (CAMPAIGN, fan, fact_seq, "spread", fan, "awarded", AWARD_POINTS, body)


def _counters(fans: int) -> Iterator[Row]:
    keys = (key for fan in range(1, fans + 1) for key in (f"same:spread:{fan}:share:0", f"fan:spread:{fan}"))
    return ((CAMPAIGN, place, 1) for place in sorted(places_of(keys)))


def load(table: str, columns: str, rows: Iterable[Row]) -> None:
    """Add rows to a table, all of them in one transaction, as fast as its database takes them."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns.split(", ")))
            connection.connection.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})".replace("%s", "?"), rows
            )


@contextmanager
def careless() -> Iterator[None]:
    """While the block runs a crash may ruin a SQLite file, which is made for this bench alone."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=OFF")
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA cache_size=-400000")
    yield
    connection.close()  # the next one has the installation's own settings
    os.sync()  # or what was written here would still be on its way to the disk while something is measured
