"""Rows that belong together, made durable in their order; what cannot be written now is offered again every second.

Offered twice, a row is one. What waits is bounded: beyond, and when the edge ends before the inbox is back, it is lost,
and counted.
"""

from collections.abc import Callable, Sequence

from vteam.channels.links.redirect import InboxRow
from vteam.edge.commits import GroupCommit
from vteam.errors import Away

WAITING_MAX = 1_000
Done = Callable[[Away | None], None]
"""Hears once what became of the rows: durable, or why they are lost."""


class Offers:
    """What is offered to an inbox; `again` is called every second, and once more before the inbox closes."""

    def __init__(self, inbox: GroupCommit) -> None:
        self._inbox = inbox
        self._waiting: list[tuple[Sequence[InboxRow], Done]] = []

    def record(self, rows: Sequence[InboxRow], done: Done) -> None:
        """All rows durable, in their order; offered again, as a whole, where they could not be."""
        left, failed = len(rows), None

        def one(away: Away | None) -> None:
            nonlocal left, failed
            left, failed = left - 1, failed or away
            if left:
                return
            if failed and len(self._waiting) < WAITING_MAX:
                self._waiting.append((rows, done))
            else:
                done(failed)

        for row in rows:
            self._inbox.record(row, one)

    def again(self) -> None:
        """Offers what waits."""
        waiting, self._waiting = self._waiting, []
        for rows, done in waiting:
            self.record(rows, done)

    @property
    def waiting(self) -> int:
        """How many are not durable yet."""
        return len(self._waiting)
