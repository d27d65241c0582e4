"""The books recomputed from the journal alone, and compared row by row; `verify` beside it."""

import statistics
import time
from collections.abc import Callable

from bench.folder import prepared_folder
from bench.posting import Traffic
from bench.report import Report
from bench.tools import Misleading

FACTS, FACTS_QUICK = 200_000, 20_000
ROUNDS, ROUNDS_QUICK = 3, 2
FANS = 20_000


def run(*, quick: bool) -> Report:
    """`per_s`: facts replayed and compared a second; `verify_per_s`: facts checked a second."""
    facts, rounds = (FACTS_QUICK, ROUNDS_QUICK) if quick else (FACTS, ROUNDS)
    with prepared_folder():
        from django.db import connection

        from bench.season import CAMPAIGN
        from vteam.jobs.moving import InboxTable, Mover
        from vteam.ledger.replay import replay
        from vteam.ledger.snapshot import snapshot
        from vteam.ledger.verify import verify

        open_books()
        Traffic(FANS).offer(facts)
        Mover(InboxTable()).move()
        speeds = []
        with snapshot(connection):
            for _ in range(rounds):
                checked = _speed(facts, lambda: verify(connection, CAMPAIGN))
                speeds.append((_speed(facts, lambda: replay(connection, CAMPAIGN)), checked))
    return Report(
        bench="replay",
        figures={
            "per_s": statistics.median(replayed for replayed, _ in speeds),
            "verify_per_s": statistics.median(checked for _, checked in speeds),
        },
        notes=[f"{facts:,} facts, each an award, {rounds} rounds"],
    )


def open_books() -> None:
    """A season with its missions, through the rules as every season, in an empty database."""
    from bench.season import CAMPAIGN, load, open_season
    from vteam import clock
    from vteam.jobs.moving import InboxTable, Mover
    from vteam.rules.canonical import canonical

    rows = [
        (CAMPAIGN, str(fact.kind), fact.key, fact.seen_at_us, canonical(fact.body))
        for fact in open_season(at_us=clock.now_us())
    ]
    load("journal_inbox", "campaign_id, kind, key, seen_at_us, body", rows)
    Mover(InboxTable()).move()


def _speed(facts: int, check: Callable[[], str | None]) -> float:
    begun = time.perf_counter()
    wrong = check()
    if wrong:
        raise Misleading(wrong)
    return facts / (time.perf_counter() - begun)
