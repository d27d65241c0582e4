"""A SQLite file that one process writes while others read: every commit on disk before it returns.

Two connections may open it at once. Only one can turn a file into WAL, and SQLite refuses the other there without
waiting for it; here it waits. No Django, no tables.
"""

import sqlite3
import time
from pathlib import Path
from typing import Literal

PAUSE_SECONDS = 0.01
PRIMARY_CODE = 0xFF
"""The part of SQLite's extended result codes that says what kind of error it is."""


def open_wal_file(
    path: Path, *, busy_seconds: float, isolation_level: Literal["DEFERRED"] | None
) -> sqlite3.Connection:
    """A connection to the file (made when it is absent) in WAL, which waits for others at most `busy_seconds`.

    Raises sqlite3.OperationalError when the file cannot be had, or not in this time.
    """
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=isolation_level)
    try:
        _turn_into_wal(connection, give_up=time.monotonic() + busy_seconds)
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _turn_into_wal(connection: sqlite3.Connection, *, give_up: float) -> None:
    """Asks first: whoever sets the mode a file has already takes locks for nothing."""
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= give_up:
                raise
        time.sleep(PAUSE_SECONDS)
