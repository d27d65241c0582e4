"""Natural group commit: what gathers while one batch is written is the next batch.

There is no timer: an idle writer takes a row at once, a busy one takes all that came meanwhile. A handler's answer
leaves after the commit that holds its row. Beyond a bounded number of waiting rows, and while the store is away,
rows are refused (`Away`) and never acknowledged. The loop's thread owns all state; the writing thread is given
whole batches and gives them back.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

from vteam.channels.links.redirect import InboxRow
from vteam.edge import counted
from vteam.edge.stores import ROWS_PER_BATCH_MAX, Store
from vteam.errors import Away

logger = logging.getLogger(__name__)

Waiting = tuple[InboxRow | None, "asyncio.Future[None]"]


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

    def record(self, row: InboxRow) -> "asyncio.Future[None]":
        """Done when the row is durable; its exception is Away when it is not and never will be by this call."""
        return self._written(row)

    def check(self) -> "asyncio.Future[None]":
        """Done when the store can write; its exception is Away when it cannot."""
        return self._written(None)

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
            with contextlib.suppress(Away):
                await self._gathered(None)
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _written(self, row: InboxRow | None) -> "asyncio.Future[None]":
        if self._closed:
            raise Away("the edge is stopping")
        if len(self._waiting) >= self._rows_waiting_max:
            raise Away("too many rows are waiting")
        return self._gathered(row)

    def _gathered(self, row: InboxRow | None) -> "asyncio.Future[None]":
        future = self._loop.create_future()
        self._waiting.append((row, future))
        if not self._writing:
            self._hand_over()
        return future

    def _hand_over(self) -> None:
        if self._waiting:
            self._writing = True
            batch = self._waiting[:ROWS_PER_BATCH_MAX]
            self._waiting = self._waiting[ROWS_PER_BATCH_MAX:]
            self._batches.put(batch)

    def _settle(self, batch: list[Waiting], refused: str | None) -> None:
        self._writing = False
        self._hand_over()
        for _, future in batch:
            if future.done():
                continue  # its handler was cancelled meanwhile
            if refused is None:
                future.set_result(None)
            else:
                future.set_exception(Away(refused))

    def _write_batches(self) -> None:
        """The writing thread."""
        while (batch := self._batches.get()) is not None:
            refused = self._write([row for row, _ in batch if row is not None])
            self._loop.call_soon_threadsafe(self._settle, batch, refused)
        self._store.close()

    def _write(self, rows: Sequence[InboxRow]) -> str | None:
        """Why the rows are not durable, None when they are."""
        begun = time.perf_counter()
        try:
            self._store.write(rows)
        except Away as away:
            if not self._was_away:
                logger.warning("visits cannot be recorded: %s", away)
            self._was_away = True
            return str(away)
        except Exception:
            logger.exception("%d rows were not recorded: our own fault", len(rows))
            return "not recorded"
        if rows:
            counted.commit(len(rows), time.perf_counter() - begun)
        if self._was_away:
            logger.warning("visits can be recorded again")
        self._was_away = False
        return None
