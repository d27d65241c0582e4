"""What the site counts, in cells its worker processes share with the process that tells it.

No Django here: what tells the figures needs none. Pages are grouped by the module their view stands in, so whatever
strangers ask for, the groups are those of `web/views/` and `other`.
"""

import pkgutil
from bisect import bisect_left
from pathlib import Path

from vteam.metrics.spread import SECONDS, Spread
from vteam.metrics.tally import Row, Tally

OTHER = "other"
GROUPS = (
    *sorted(found.name for found in pkgutil.iter_modules([str(Path(__file__).parent / "views")])),
    OTHER,
)
CLASSES = ("2xx", "3xx", "4xx", "5xx")
_BUCKETS = len(SECONDS) + 1
_PER_GROUP = len(CLASSES) + _BUCKETS + 1
DATABASE_ERRORS = _PER_GROUP * len(GROUPS)
CELLS = DATABASE_ERRORS + 1
_FIRST = {group: number * _PER_GROUP for number, group in enumerate(GROUPS)}


def count_page(row: Row, *, group: str, status: int, seconds: float) -> None:
    """One page was answered; a group that is none of ours is `other`."""
    first = _FIRST.get(group, _FIRST[OTHER])
    times = first + len(CLASSES)
    row.add({
        first + status // 100 - 2: 1,
        times + bisect_left(SECONDS, seconds): 1,
        times + _BUCKETS: seconds,
    })  # fmt: skip


def count_database_error(row: Row) -> None:
    """One page failed for want of the database."""
    row.add({DATABASE_ERRORS: 1})


def pages(tally: Tally) -> dict[tuple[str, str], float]:
    """Pages answered, by group and kind of status."""
    sums = tally.sums()
    return {
        (group, status): sums[_FIRST[group] + number]
        for group in GROUPS
        for number, status in enumerate(CLASSES)
    }


def times(tally: Tally) -> dict[tuple[str], Spread]:
    """How long pages took until their answer began, by group."""
    sums, found = tally.sums(), {}
    for group in GROUPS:
        first = _FIRST[group] + len(CLASSES)
        spread = found[group,] = Spread(SECONDS)
        spread.counts = [int(count) for count in sums[first : first + _BUCKETS]]
        spread.total = sums[first + _BUCKETS]
    return found


def database_errors(tally: Tally) -> float:
    """Pages that failed for want of the database."""
    return tally.sums()[DATABASE_ERRORS]
