"""Where rows become durable: SQLite and PostgreSQL, with the journal's one statement.

A batch is one INSERT of many rows, its own transaction: all of it is on disk or nothing is. It is also one step of
the driver, so that the writing thread asks for the interpreter once a batch and not once a row.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import psycopg

from vteam.channels.links.redirect import InboxRow
from vteam.edge.connections import Connection
from vteam.edge.databases import Database, Postgres, SqliteFiles, open_inbox_file, open_postgres
from vteam.journal.sql import CREATE_EDGE_INBOX, INSERT_INBOX, for_sqlite

# Five values a row, and SQLite takes 32,766 a statement.
ROWS_PER_BATCH_MAX = 1000


class Store(Protocol):
    """Used by one thread alone."""

    def write(self, rows: Sequence[InboxRow]) -> None:
        """Returns when all rows are durable; Away when none is. No rows: only shows that writing works."""

    def close(self) -> None:
        """Lets the database go."""


class SqliteStore:
    """Rows in the edge's own file, made when it is absent."""

    def __init__(self, files: SqliteFiles) -> None:
        self._files = files
        self._connection = Connection(self._open, faults=sqlite3.Error)

    def _open(self) -> sqlite3.Connection:
        connection = open_inbox_file(self._files.inbox)
        connection.execute(CREATE_EDGE_INBOX)
        return connection

    def write(self, rows: Sequence[InboxRow]) -> None:
        """All rows in one commit."""
        self._connection.use(lambda connection: _write_sqlite(connection, rows))

    def close(self) -> None:
        """Lets the database go."""
        self._connection.close()


class PostgresStore:
    """Rows in the main database's inbox."""

    def __init__(self, database: Postgres) -> None:
        self._connection = Connection(lambda: open_postgres(database), faults=psycopg.Error)

    def write(self, rows: Sequence[InboxRow]) -> None:
        """All rows in one commit."""
        self._connection.use(lambda connection: _write_postgres(connection, rows))

    def close(self) -> None:
        """Lets the database go."""
        self._connection.close()


def store_for(database: Database) -> Store:
    """The store of a database."""
    return PostgresStore(database) if isinstance(database, Postgres) else SqliteStore(database)


def _write_sqlite(connection: sqlite3.Connection, rows: Sequence[InboxRow]) -> None:
    if not rows:
        connection.execute(
            "PRAGMA user_version = 1"
        )  # written to disk, as a row would be: a full one refuses
        return
    connection.execute(for_sqlite(insert_of(len(rows))), _flat(rows))


def _write_postgres(connection: psycopg.Connection[tuple[object, ...]], rows: Sequence[InboxRow]) -> None:
    if not rows:
        connection.execute("SELECT 1")
        return
    connection.execute(insert_of(len(rows)).encode(), _flat(rows))


@lru_cache(maxsize=256)
def insert_of(rows: int) -> str:
    """The journal's INSERT for so many rows."""
    head, values = INSERT_INBOX.split(" VALUES ")
    return f"{head} VALUES {', '.join([values] * rows)}"


def _flat(rows: Sequence[InboxRow]) -> list[int | str]:
    return [value for row in rows for value in row]
