"""Bringing SQLite's write-ahead log into the database's file, so that no page and no batch has to do it on its way.

SQLite does it in whichever commit finds the log long: a visitor's, or one that holds the write lock. Here `jobs` does
it between two batches and every few seconds, holding no lock that a writer waits for; the others do only what it
left undone (`SQLITE_PRAGMAS` in settings). PostgreSQL does its own.
"""

from django.db import connection

# About 150 MB of log in a big season. It is read again from the start after a crash, in a second.
MOVED_ROWS = 5_000
SECONDS = 5.0


def checkpoint() -> int:
    """Copy what can be copied while others read and write; 0, since nothing was due to anybody.

    Inside a transaction SQLite refuses, so there it waits for the next time.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            cursor.fetchall()
    return 0
