"""Bringing SQLite's write-ahead log into the database's file, so that no page and no batch has to do it on its way.

SQLite does it in whichever commit finds the log long: a visitor's, or one that holds the write lock. Here a thread of
`jobs` does it beside the loop, holding no lock that a writer waits for; the others do only what it left undone
(`SQLITE_PRAGMAS` in settings). PostgreSQL does its own.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection

from vteam.outage import report

logger = logging.getLogger(__name__)
# About 150 MB of log in a big season. It is read again from the start after a crash, in a second.
MOVED_ROWS = 8_000
SECONDS = 5.0
TROUBLE_SECONDS_MAX = 30.0
FAREWELL_SECONDS = 8.0


class WriteAheadLog:
    """Has the log copied as rows are moved: by a thread inside `copied_beside`, otherwise by the mover itself."""

    def __init__(self) -> None:
        self._rows, self._beside, self._bulk = 0, False, False
        self._wanted, self._copied = threading.Event(), threading.Event()

    def grew(self, rows: int) -> None:
        """So many rows more were moved; the mover says it between two batches, outside any transaction.

        The log begins anew only once it is copied whole. So the thread is asked twice: for the bulk, and when that
        is done, again after a commit, for the little that came meanwhile: while the mover judges its next batch
        nothing is added.
        """
        self._rows += rows
        if self._copied.is_set():
            self._copied.clear()
            self._wanted.set()
        elif self._rows >= MOVED_ROWS:
            self._rows = 0
            if self._beside:
                self._bulk = True
                self._wanted.set()
            else:
                checkpoint()

    @contextmanager
    def copied_beside(self) -> Iterator[None]:
        """Copy in a thread while the block runs: when rows moved ask for it, and every few seconds."""
        if connection.vendor != "sqlite":
            yield
            return
        stop = threading.Event()
        thread = threading.Thread(target=self._copy_until, args=(stop,), name="checkpoints", daemon=True)
        thread.start()
        self._beside = True
        try:
            yield
        finally:
            self._beside = False
            stop.set()
            self._wanted.set()
            thread.join(timeout=FAREWELL_SECONDS)

    def _copy_until(self, stop: threading.Event) -> None:
        failures, pause = 0, SECONDS
        try:
            while True:
                self._wanted.wait(pause)
                if stop.is_set():
                    return
                self._wanted.clear()
                bulk, self._bulk = self._bulk, False
                try:
                    checkpoint()
                except Exception as fault:
                    failures += 1
                    longer = min(SECONDS * 2 ** min(failures - 1, 16), TROUBLE_SECONDS_MAX)
                    pause = report(logger, "checkpoint", fault, failures=failures, pause=longer)
                    close_old_connections()
                else:
                    failures, pause = 0, SECONDS
                    if bulk:
                        self._copied.set()
        finally:
            connection.close()


def checkpoint() -> None:
    """Copy what can be copied while others read and write. Inside a transaction SQLite refuses: then another time."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            cursor.fetchall()
