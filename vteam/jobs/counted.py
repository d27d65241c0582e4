"""What the loop counts while it works, and its signs of life. `jobs.figures` tells them.

One loop runs in a process, so the process is where it is counted.
"""

import time
from collections import Counter
from collections.abc import Sequence

from vteam.journal.moving import InboxRow
from vteam.metrics.spread import ROWS, SECONDS, Spread
from vteam.rules.facts import VISIT

moved = {"fact": 0, "visit": 0}
rows = Spread(ROWS)
locked = Spread(SECONDS)
failures: Counter[str] = Counter()
failing_since: dict[str, float] = {}
_alive = [time.monotonic()]


def batch(taken: Sequence[InboxRow], *, locked_us: int) -> None:
    """A batch was moved by one transaction that kept other writers waiting for `locked_us`."""
    visits = sum(row.kind == VISIT for row in taken)
    moved["visit"] += visits
    moved["fact"] += len(taken) - visits
    rows.observe(len(taken))
    locked.observe(locked_us / 1_000_000)
    _alive[0] = time.monotonic()


def turned() -> None:
    """The loop went on to its next job."""
    _alive[0] = time.monotonic()


def worked(job: str) -> None:
    """A job had its turn, in the loop or beside it, and did it."""
    failing_since.pop(job, None)


def failed(job: str) -> None:
    """A job had its turn, in the loop or beside it, and could not do it."""
    failures[job] += 1
    failing_since.setdefault(job, time.monotonic())


def silent_seconds() -> float:
    """How long ago the last sign of life was."""
    return time.monotonic() - _alive[0]
