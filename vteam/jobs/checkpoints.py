"""Bringing SQLite's write-ahead log into the database's file, so that no page and no batch has to do it on its way.

SQLite does it in whichever commit finds the log long: a visitor's, or one that holds the write lock. Here a thread of
`jobs` does it beside the loop, holding no lock that a writer waits for; the others do only what it left undone
(`SQLITE_PRAGMAS` in settings). PostgreSQL does its own.
"""

import threading
from contextlib import AbstractContextManager, nullcontext

from django.db import connection

from vteam.beside import Beside
from vteam.jobs import counted

NAME = "checkpoint"
# About 150 MB of log in a big season. It is read again from the start after a crash, in a second.
MOVED_ROWS = 8_000
SECONDS = 5.0
FAREWELL = "the write-ahead log was still being copied at the end; whoever opens the database next goes on"


class WriteAheadLog:
    """Has the log copied as rows are moved: by a thread inside `copied_beside`, otherwise by the mover itself."""

    def __init__(self) -> None:
        self._rows, self._bulk = 0, False
        self._copied = threading.Event()
        self._beside: Beside | None = None

    def grew(self, rows: int) -> None:
        """So many rows more were moved; the mover says it between two batches, outside any transaction.

        The log begins anew only once it is copied whole. So the thread is asked twice: for the bulk, and when that
        is done, again after a commit, for the little that came meanwhile: while the mover judges its next batch
        nothing is added.
        """
        self._rows += rows
        if self._beside and self._copied.is_set():
            self._copied.clear()
            self._beside.wake()
        elif self._rows >= MOVED_ROWS:
            self._rows = 0
            if self._beside:
                self._bulk = True
                self._beside.wake()
            else:
                checkpoint()

    def copied_beside(self) -> AbstractContextManager[None]:
        """Copy in a thread while the block runs: when rows moved ask for it, and every few seconds."""
        if connection.vendor != "sqlite":
            return nullcontext()
        self._beside = Beside(NAME, self._turn)
        return self._beside.running(farewell=FAREWELL)

    def _turn(self) -> float:
        bulk, self._bulk = self._bulk, False
        try:
            checkpoint()
        except Exception:
            counted.failed(NAME)
            raise
        counted.worked(NAME)
        if bulk:
            self._copied.set()
        return SECONDS


def checkpoint() -> None:
    """Copy what can be copied while others read and write. Inside a transaction SQLite refuses: then another time."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            cursor.fetchall()
