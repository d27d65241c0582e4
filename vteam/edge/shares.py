"""Shares looked up by code, in the main database, which this process never changes.

What was found (and that nothing was found) is remembered for a few seconds: a popular link costs one query in that
time, and unknown codes cannot hammer the database. An ended share is therefore noticed within CACHE_SECONDS.
"""

import asyncio
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import psycopg

from vteam.channels.links.redirect import Found, Share
from vteam.edge.connections import Connection
from vteam.edge.databases import Database, Postgres, SqliteFiles, open_main_file, open_postgres
from vteam.errors import Away
from vteam.journal.sql import for_sqlite

CACHE_SECONDS = 5.0
CACHED_MAX = 20_000
LOOKUPS_WAITING_MAX = 512
SELECT_SHARE = "SELECT id, campaign_id, ended_at FROM links_share WHERE code = %s"


class Source(Protocol):
    """Where shares are read."""

    async def read(self, code: str) -> Share | None:
        """The share of a code; Away when the database is."""

    def close(self) -> None:
        """Lets the database go."""


class SqliteSource:
    """The main database's file: tens of microseconds, so the loop's own thread does it."""

    def __init__(self, files: SqliteFiles) -> None:
        self._connection = Connection(lambda: open_main_file(files.main), faults=sqlite3.Error)
        self._select = for_sqlite(SELECT_SHARE)

    async def read(self, code: str) -> Share | None:
        """The share of a code, by a query on this thread."""
        return _share(self._connection.use(lambda open_: open_.execute(self._select, (code,)).fetchall()))

    def close(self) -> None:
        """Lets the file go."""
        self._connection.close()


class PostgresSource:
    """The main database over a wire, in a thread of its own with a bounded number of questions waiting."""

    def __init__(self, database: Postgres) -> None:
        self._connection = Connection(lambda: open_postgres(database), faults=psycopg.Error)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="share lookup")
        self._asked: dict[str, asyncio.Future[Share | None]] = {}

    async def read(self, code: str) -> Share | None:
        """The share of a code; whoever asks for one that is being looked up waits for the same answer."""
        asked = self._asked.get(code)
        if asked is None:
            if len(self._asked) >= LOOKUPS_WAITING_MAX:
                raise Away("too many lookups are waiting")
            asked = asyncio.get_running_loop().run_in_executor(self._thread, self._read, code)
            self._asked[code] = asked
            asked.add_done_callback(lambda _: self._asked.pop(code))
        return await asyncio.shield(asked)

    def _read(self, code: str) -> Share | None:
        return _share(self._connection.use(lambda open_: open_.execute(SELECT_SHARE, (code,)).fetchall()))

    def close(self) -> None:
        """Lets the database go and ends the thread."""
        self._thread.submit(self._connection.close)
        self._thread.shutdown()


class CachedShares:
    """Shares of a source, remembered for `seconds`, at most `cached_max` of them (the least recently asked go)."""

    def __init__(
        self,
        source: Source,
        *,
        seconds: float = CACHE_SECONDS,
        cached_max: int = CACHED_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._seconds = seconds
        self._cached_max = cached_max
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Found]] = OrderedDict()

    def remembered(self, code: str) -> Found | None:
        """What was found in the last seconds; None when it has to be looked up."""
        kept = self._kept.get(code)
        if kept is None or kept[0] <= self._clock():
            return None
        self._kept.move_to_end(code)
        return kept[1]

    async def find(self, code: str) -> Found:
        """What the source holds now, remembered from now on; raises Away when the source is."""
        found = Found(await self._source.read(code))
        self._kept[code] = (self._clock() + self._seconds, found)
        self._kept.move_to_end(code)
        if len(self._kept) > self._cached_max:
            self._kept.popitem(last=False)
        return found

    def close(self) -> None:
        """Lets the database go."""
        self._source.close()


def shares_of(database: Database) -> CachedShares:
    """The shares of a database."""
    return CachedShares(
        PostgresSource(database) if isinstance(database, Postgres) else SqliteSource(database)
    )


def _share(rows: list[tuple[Any, ...]]) -> Share | None:
    return Share.from_row(*rows[0]) if rows else None
