"""Where the edge reads and writes, taken from the settings: no ORM, only the two drivers.

SQLite: shares are read from the main file, rows go to a file of the edge's own (a busy writer in a shared file made
the edge's commits a thousand times slower). PostgreSQL: both in the main database. Anything else is refused.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from vteam.errors import SettingsError
from vteam.postgresql.patience import Connection
from vteam.walfile import open_wal_file

EDGE_FILE = "edge.sqlite3"
BUSY_SECONDS_MAX = 5
CONNECT_SECONDS_MAX = 3
STATEMENT_SECONDS_MAX = 5
# What Django understands in OPTIONS and the driver does not.
_DJANGO_ONLY = {"pool", "assume_role", "isolation_level", "server_side_binding", "cursor_factory"}


@dataclass(frozen=True, slots=True)
class SqliteFiles:
    """The main database's file, read only here, and the edge's own inbox file."""

    main: Path
    inbox: Path


@dataclass(frozen=True, slots=True)
class Postgres:
    """The main database, by the driver's connection text."""

    conninfo: str


Database = SqliteFiles | Postgres


def database_from(configured: Mapping[str, Any], data: Path) -> Database:
    """The database of a Django DATABASES entry; SettingsError for one the edge cannot use."""
    engine = configured["ENGINE"]
    if engine.endswith(".sqlite3"):
        return SqliteFiles(main=Path(configured["NAME"]), inbox=data / EDGE_FILE)
    if "postgresql" in engine or "postgis" in engine:
        return Postgres(_conninfo(configured))
    raise SettingsError(
        f"VTEAM_DATABASE_URL: {engine} cannot be used; write postgresql://… or leave it empty"
    )


def _conninfo(configured: Mapping[str, Any]) -> str:
    options = {
        name: value for name, value in configured.get("OPTIONS", {}).items() if name not in _DJANGO_ONLY
    }
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options |= {ours: configured[theirs] for ours, theirs in named.items() if configured.get(theirs)}
    options.setdefault("connect_timeout", CONNECT_SECONDS_MAX)
    options.setdefault("tcp_user_timeout", STATEMENT_SECONDS_MAX * 1000)
    options.setdefault("application_name", "vteam edge")
    return make_conninfo(**options)


def open_inbox_file(path: Path) -> sqlite3.Connection:
    """The edge's own file, every commit on disk before it returns; for one thread, in autocommit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return open_wal_file(path, busy_seconds=BUSY_SECONDS_MAX, isolation_level=None)


def open_main_file(path: Path) -> sqlite3.Connection:
    """The main database's file, which this connection cannot change; fails while there is none."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1, isolation_level=None
    )
    connection.execute("PRAGMA query_only=ON")
    return connection


def open_postgres(database: Postgres) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection in autocommit which gives up on a statement, and on a frozen server, after a few seconds."""
    connection = Connection.connect(database.conninfo, autocommit=True)
    connection.answer_seconds_max = STATEMENT_SECONDS_MAX + 1
    connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS_MAX}s'")
    return connection
