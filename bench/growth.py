"""A season played through the rules to many facts: what each further million costs, and the books at its end.

`replay` shows the books to agree at the end; nothing here is filled past the rules.
"""

import time
from collections.abc import Callable
from pathlib import Path

from bench.folder import prepared_folder
from bench.posting import Traffic, mover_of_jobs
from bench.replay import open_books
from bench.report import Report
from bench.tools import Misleading

FACTS_PER_FAN = 20
OFFERED_AT_ONCE = 20_000
STAGES = 10
RANKS = 200


def run(*, facts: int) -> Report:
    """`per_s` and `rank_us` in the last tenth; `mib`: the database; seconds of `verify`, `replay` and a backup."""
    with prepared_folder() as folder:
        from django.db import connection

        from bench.season import CAMPAIGN
        from vteam.backup.making import back_up
        from vteam.ledger.replay import replay
        from vteam.ledger.snapshot import snapshot
        from vteam.ledger.verify import verify

        open_books()
        traffic, notes = Traffic(max(facts // FACTS_PER_FAN, 1_000)), []
        with mover_of_jobs() as mover:
            for stage in range(1, STAGES + 1):
                per_s = _post(facts * stage // STAGES - traffic.offered, traffic, mover.move)
                size, rank_us = _mib(folder), _rank_us()
                notes.append(
                    f"{traffic.offered:>12,} facts: {per_s:,.0f}/s, {size:,.0f} MiB, {rank_us:.0f} µs a rank"
                )
        with snapshot(connection):
            checked_s = _seconds(lambda: verify(connection, CAMPAIGN))
            replayed_s = _seconds(lambda: replay(connection, CAMPAIGN))
        backup = folder / "growth.vteam"
        begun = time.perf_counter()
        back_up(backup, verified=False, tell=lambda step, done, of: None)
        backup_s = time.perf_counter() - begun
        return Report(
            bench="growth",
            figures={
                "facts": facts,
                "per_s": per_s,
                "rank_us": rank_us,
                "mib": size,
                "verify_s": checked_s,
                "replay_s": replayed_s,
                "backup_s": backup_s,
                "backup_mib": backup.stat().st_size / 2**20,
            },
            notes=notes,
        )


def _post(facts: int, traffic: Traffic, move: Callable[[], int]) -> float:
    """Offer and post so many; returns how many a second were posted, offering left out."""
    took = 0.0
    for begin in range(0, facts, OFFERED_AT_ONCE):
        traffic.offer(min(OFFERED_AT_ONCE, facts - begin))
        begun = time.perf_counter()
        move()
        took += time.perf_counter() - begun
    return facts / took


def _rank_us() -> float:
    from bench.season import CAMPAIGN
    from vteam.ledger.queries import rank_at

    begun = time.perf_counter()
    for number in range(RANKS):
        rank_at(CAMPAIGN, number * 50)
    return (time.perf_counter() - begun) / RANKS * 1_000_000


def _mib(folder: Path) -> float:
    return (folder / "vteam.sqlite3").stat().st_size / 2**20


def _seconds(check: Callable[[], str | None]) -> float:
    begun = time.perf_counter()
    wrong = check()
    if wrong:
        raise Misleading(wrong)
    return time.perf_counter() - begun
