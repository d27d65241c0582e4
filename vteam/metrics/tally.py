"""Numbers that several processes count at once, each in a row of its own, read as their sum.

Made before the processes are started and handed to them: a piece of memory they share, of a size known from the
beginning, so nothing a visitor sends can make it grow. A process started in place of a dead one goes on counting in
the dead one's row, so no sum ever falls.
"""

import os
import threading
from collections.abc import MutableSequence
from multiprocessing.sharedctypes import RawArray


class Tally:
    """`rows` times `cells` numbers, all 0, and which process counts in which row."""

    def __init__(self, *, cells: int, rows: int) -> None:
        self._cells, self._rows = cells, rows
        self._numbers: MutableSequence[float] = RawArray("d", cells * rows)
        self._pids: MutableSequence[int] = RawArray("q", rows)

    def claim(self) -> "Row | None":
        """A row nobody alive counts in, from now on this process's; None when each has its own.

        The caller sees to it that no two processes claim at the same moment.
        """
        for row in range(self._rows):
            if not _runs(self._pids[row]):
                self._pids[row] = os.getpid()
                return Row(self._numbers, row * self._cells)
        return None

    def sums(self) -> list[float]:
        """What all rows together say, cell by cell."""
        return [sum(self._numbers[cell :: self._cells]) for cell in range(self._cells)]

    def processes(self) -> dict[int, int]:
        """The living processes that count here: row to process id."""
        return {row: pid for row, pid in enumerate(self._pids) if _runs(pid)}


class Row:
    """The numbers of this process; any of its threads may add to them."""

    def __init__(self, numbers: MutableSequence[float], first: int) -> None:
        self._numbers, self._first = numbers, first
        self._lock = threading.Lock()

    def add(self, changes: dict[int, float]) -> None:
        """Add to several cells at once."""
        with self._lock:
            for cell, change in changes.items():
                self._numbers[self._first + cell] += change


def _runs(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):  # gone, or another user's by now
        return False
    return True
