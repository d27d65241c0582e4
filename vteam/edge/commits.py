"""Natural group commit: what gathers while one batch is written is the next batch.

There is no timer: an idle writer takes a row at once, a busy one takes all that came meanwhile. A visitor's answer
leaves after the commit that holds their row. Beyond a bounded number of waiting rows, and while the store is away,
rows are refused (`Away`) and never acknowledged. The loop's thread owns all state; the writing thread is given
whole batches and gives them back, and a batch is settled in one go, by plain calls.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from vteam.channels.links.redirect import InboxRow
from vteam.edge import counted
from vteam.edge.stores import ROWS_PER_BATCH_MAX, Store
from vteam.errors import Away

logger = logging.getLogger(__name__)

Done = Callable[[Away | None], None]
"""Told None once a row is durable, or why it is not and never will be."""
Waiting = tuple[InboxRow | None, Done]


class GroupCommit:
    """The inbox of the edge; `record` may be called from the loop it was opened in."""

    def __init__(self, store: Store, *, rows_waiting_max: int) -> None:
        self._store = store
        self._rows_waiting_max = rows_waiting_max
        self._waiting: list[Waiting] = []
        self._batches: SimpleQueue[list[Waiting] | None] = SimpleQueue()
        self._writing = False
        self._closed = False
        self._was_away = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write_batches, name="group commit", daemon=True)
        self._thread.start()

    def record(self, row: InboxRow, done: Done) -> None:
        """Make a row durable; `done` is called once, in the loop's thread, at once where the row is refused."""
        if self._closed:
            done(Away("the edge is stopping"))
        elif len(self._waiting) >= self._rows_waiting_max:
            done(Away("too many rows are waiting"))
        else:
            self._gather(row, done)

    async def check(self) -> None:
        """Returns when the store can write; Away when it cannot."""
        away = await self._through()
        if away:
            raise away

    @property
    def rows_waiting(self) -> int:
        """How many rows wait for the commit after the one under way."""
        return len(self._waiting)

    @property
    def is_away(self) -> bool:
        """Whether the last commit found the store away."""
        return self._was_away

    async def close(self) -> None:
        """Writes what is waiting, then ends the writing thread; later rows are refused."""
        self._closed = True
        while self._writing or self._waiting:
            await self._through()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _through(self) -> Away | None:
        """Waits for a turn of the writing thread after all that waits now."""
        turn: asyncio.Future[Away | None] = self._loop.create_future()

        def done(away: Away | None) -> None:
            if not turn.cancelled():
                turn.set_result(away)

        self._gather(None, done)
        return await turn

    def _gather(self, row: InboxRow | None, done: Done) -> None:
        self._waiting.append((row, done))
        if not self._writing:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._writing = True
            batch = self._waiting[:ROWS_PER_BATCH_MAX]
            self._waiting = self._waiting[ROWS_PER_BATCH_MAX:]
            self._batches.put(batch)

    def _settle(self, batch: list[Waiting], away: Away | None) -> None:
        self._writing = False
        self._hand_over()
        for _, done in batch:
            try:
                done(away)
            except Exception:
                logger.exception("a visitor was not told about their row: our own fault")

    def _write_batches(self) -> None:
        """The writing thread."""
        while (batch := self._batches.get()) is not None:
            away = self._write([row for row, _ in batch if row is not None])
            self._loop.call_soon_threadsafe(self._settle, batch, away)
        self._store.close()

    def _write(self, rows: Sequence[InboxRow]) -> Away | None:
        """Why the rows are not durable, None when they are."""
        begun = time.perf_counter()
        try:
            self._store.write(rows)
        except Away as away:
            if not self._was_away:
                logger.warning("visits cannot be recorded: %s", away)
            self._was_away = True
            return away
        except Exception:
            logger.exception("%d rows were not recorded: our own fault", len(rows))
            return Away("not recorded")
        if rows:
            counted.commit(len(rows), time.perf_counter() - begun)
        if self._was_away:
            logger.warning("visits can be recorded again")
        self._was_away = False
        return None
