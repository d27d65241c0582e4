"""The edge's own inbox file, beside a SQLite database: moved by a cursor kept with the books, then pruned.

The cursor advances in the transaction that posts, so a crash between posting and pruning moves nothing twice.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from django.db import IntegrityError
from django.db.backends.utils import CursorWrapper

from vteam.journal import sql
from vteam.journal.moving import InboxRow
from vteam.walfile import open_wal_file

BUSY_SECONDS_MAX = 20
READ_CURSOR = "SELECT position FROM journal_cursor WHERE source = %s"
LAST_NUMBER = "SELECT seq FROM sqlite_sequence WHERE name = 'journal_inbox'"
# Only from where it stood when the rows were taken: a second mover finds that it has moved on.
SET_CURSOR = (
    "INSERT INTO journal_cursor (source, position) VALUES (%s, %s) "
    "ON CONFLICT (source) DO UPDATE SET position = excluded.position WHERE journal_cursor.position = %s"
)
NOWHERE = -1


class EdgeFile:
    """The source `jobs` reads the edge's rows from."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self._connection: sqlite3.Connection | None = None
        self._position = NOWHERE

    def take(self, cursor: CursorWrapper, at_most: int) -> list[InboxRow]:
        """The rows after the cursor, in order; none before the edge first made its file.

        A file whose numbers never came as far as the cursor is another file, made anew or brought back from a
        backup: it is read from its beginning.
        """
        if self._file() is None:
            return []
        cursor.execute(READ_CURSOR, [self.name])
        row = cursor.fetchone()
        self._position = row[0] if row else NOWHERE
        after = max(self._position, 0) if self._position <= self._last_number() else 0
        return list(map(InboxRow._make, self._read(sql.READ_INBOX_AFTER, (after, at_most))))

    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        """Advance the cursor past the moved rows."""
        cursor.execute(SET_CURSOR, [self.name, rows[-1].number, self._position])
        if cursor.rowcount != 1:
            raise IntegrityError(f"another mover has moved these rows of {self.name}")

    def prune(self, rows: Sequence[InboxRow]) -> None:
        """Delete the moved rows from the edge's file. A crash may bring them back: the cursor knows better."""
        file = self._file()
        assert file is not None, "rows came from the file"
        with file:
            file.execute(sql.for_sqlite(sql.DELETE_INBOX_UP_TO), (rows[-1].number,))

    def _last_number(self) -> int:
        """The largest number the file ever gave, deleted rows included."""
        rows = self._read(LAST_NUMBER, ())
        return int(str(rows[0][0])) if rows else 0

    def _read(self, statement: str, values: tuple[int, ...]) -> list[tuple[object, ...]]:
        file = self._file()
        assert file is not None, "the file was looked for before"
        return list(file.execute(sql.for_sqlite(statement), values))

    def _file(self) -> sqlite3.Connection | None:
        if self._connection is None and self.path.exists():
            connection = open_wal_file(self.path, busy_seconds=BUSY_SECONDS_MAX, isolation_level="DEFERRED")
            connection.execute(sql.CREATE_EDGE_INBOX)
            connection.execute("PRAGMA synchronous=NORMAL")  # nothing written here needs to be durable
            self._connection = connection
        return self._connection
