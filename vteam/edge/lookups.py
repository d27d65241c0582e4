"""What is looked up in the main database, which this process never changes, and remembered for a few seconds.

What was found (and that nothing was found) costs one question in that time, and unknown names cannot hammer the
database. What changed there is therefore noticed within CACHE_SECONDS.
"""

import asyncio
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

import psycopg

from vteam.edge.connections import Connection
from vteam.edge.databases import Database, Postgres, SqliteFiles, open_main_file, open_postgres
from vteam.errors import Away
from vteam.journal.sql import for_sqlite

CACHE_SECONDS = 5.0
CACHED_MAX = 20_000
LOOKUPS_WAITING_MAX = 512

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
Rows = list[tuple[Any, ...]]
Ask = Callable[[str, Sequence[Any]], Rows]
"""Asks the database one thing, in PostgreSQL's words, on the thread that may."""


class Source(Protocol):
    """Where things are read."""

    async def read(self, name: Any, work: Callable[[Ask, Any], T]) -> T:
        """What `work` makes of a name; Away when the database is."""

    def close(self) -> None:
        """Lets the database go."""


class SqliteSource:
    """The main database's file: tens of microseconds, so the loop's own thread does it."""

    def __init__(self, files: SqliteFiles) -> None:
        self._connection = Connection(lambda: open_main_file(files.main), faults=sqlite3.Error)

    async def read(self, name: Any, work: Callable[[Ask, Any], T]) -> T:
        """What `work` makes of a name, by queries on this thread."""
        return self._connection.use(
            lambda open_: work(
                lambda text, values: open_.execute(for_sqlite(text), tuple(values)).fetchall(), name
            )
        )

    def close(self) -> None:
        """Lets the file go."""
        self._connection.close()


class PostgresSource:
    """The main database over a wire, in a thread of its own with a bounded number of questions waiting."""

    def __init__(self, database: Postgres) -> None:
        self._connection = Connection(lambda: open_postgres(database), faults=psycopg.Error)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookup")
        self._asked: dict[Any, asyncio.Future[Any]] = {}

    async def read(self, name: Any, work: Callable[[Ask, Any], T]) -> T:
        """What `work` makes of a name; whoever asks for one that is being looked up waits for the same answer."""
        asked = self._asked.get(name)
        if asked is None:
            if len(self._asked) >= LOOKUPS_WAITING_MAX:
                raise Away("too many lookups are waiting")
            asked = asyncio.get_running_loop().run_in_executor(self._thread, self._read, name, work)
            self._asked[name] = asked
            asked.add_done_callback(lambda _: self._asked.pop(name))
        found: T = await asyncio.shield(asked)
        return found

    def _read(self, name: Any, work: Callable[[Ask, Any], T]) -> T:
        return self._connection.use(
            lambda open_: work(
                lambda text, values: open_.execute(text.encode(), list(values)).fetchall(), name
            )
        )

    def close(self) -> None:
        """Lets the database go and ends the thread."""
        self._thread.submit(self._connection.close)
        self._thread.shutdown()


class Cached(Generic[K, V]):
    """What `work` found in a source (or that there is nothing), remembered for `seconds`.

    At most `cached_max` of it is: what was least recently asked for goes.
    """

    def __init__(
        self,
        source: Source,
        work: Callable[[Ask, K], V],
        *,
        seconds: float = CACHE_SECONDS,
        cached_max: int = CACHED_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._work = work
        self._seconds = seconds
        self._cached_max = cached_max
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def remembered(self, name: K, *, within: float | None = None) -> V | None:
        """What was found in the last seconds (or `within` so many); None when it has to be looked up."""
        kept = self._kept.get(name)
        if kept is None or kept[0] <= self._clock() + (self._seconds - within if within is not None else 0):
            return None
        self._kept.move_to_end(name)
        return kept[1]

    async def find(self, name: K) -> V:
        """What the source holds now, remembered from now on; raises Away when the source is."""
        found = await self._source.read(name, self._work)
        self._kept[name] = (self._clock() + self._seconds, found)
        self._kept.move_to_end(name)
        if len(self._kept) > self._cached_max:
            self._kept.popitem(last=False)
        return found

    def close(self) -> None:
        """Lets the database go."""
        self._source.close()


def source_of(database: Database) -> Source:
    """A source of its own in a database."""
    return PostgresSource(database) if isinstance(database, Postgres) else SqliteSource(database)
