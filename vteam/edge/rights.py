"""Whether titles may be passed on, read from the main database, which this process never changes.

Asked when a page comes in and every second for the titles somebody is here for: a withdrawal is noticed within a
second. What every holder said stands in append-only rows; the rule decides.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from vteam.edge.connections import Connection
from vteam.edge.databases import Database, Postgres, SqliteFiles, open_main_file, open_postgres
from vteam.journal.sql import for_sqlite
from vteam.rules.rights import RightRecord, Way, circulation, hearing_us

TITLES_AT_ONCE = 500
HOLDERS = (
    "SELECT t.id, h.holder_id FROM campaigns_title t JOIN rights_titleholder h ON h.title_id = t.id "
    "WHERE t.retired_at IS NULL AND t.id IN ({}) ORDER BY h.holder_id"
)
SAID = (
    "SELECT title_id, holder_id, way, act, at_us, from_us, until_us FROM rights_rightevent "
    "WHERE way = %s AND title_id IN ({}) ORDER BY id"
)


Rows = list[tuple[Any, ...]]
Ask = Callable[[str, Sequence[Any]], Rows]


class PassOnRights:
    """Answers for several titles at once. SQLite is asked in the loop's own thread, PostgreSQL in another."""

    def __init__(self, database: Database) -> None:
        self._is_remote = isinstance(database, Postgres)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rights") if self._is_remote else None
        self._ask = _postgres(database) if isinstance(database, Postgres) else _sqlite(database)

    async def open_titles(self, titles: Collection[int], *, at_us: int) -> set[int]:
        """Which of these titles may be passed on now; Away when the database is."""
        found: set[int] = set()
        wanted = sorted(titles)
        for begin in range(0, len(wanted), TITLES_AT_ONCE):
            part = wanted[begin : begin + TITLES_AT_ONCE]
            if self._thread:
                found |= await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._open, part, at_us
                )
            else:
                found |= self._open(part, at_us)
        return found

    def close(self) -> None:
        """Ends the thread; the connection goes with it."""
        if self._thread:
            self._thread.shutdown()

    def _open(self, titles: list[int], at_us: int) -> set[int]:
        marks = ", ".join(["%s"] * len(titles))
        holders: dict[int, list[int]] = defaultdict(list)
        records: dict[int, list[RightRecord]] = defaultdict(list)
        for title, holder in self._ask(HOLDERS.format(marks), titles):
            holders[title].append(holder)
        for title, holder, way, act, said_us, from_us, until_us in self._ask(
            SAID.format(marks), [Way.PASS_ON.value, *titles]
        ):
            record = RightRecord(
                holder=holder, way=way, act=act, at_us=said_us, from_us=from_us, until_us=until_us
            )
            records[title].append(record)
        return {title for title in titles if _is_open(holders[title], records[title], at_us)}


def _is_open(holders: Sequence[int], records: Sequence[RightRecord], at_us: int) -> bool:
    now_us = hearing_us(records, at_us=at_us)
    return circulation(way=Way.PASS_ON, holders=holders, records=records, at_us=now_us).is_open


def _sqlite(files: SqliteFiles) -> Ask:
    connection = Connection(lambda: open_main_file(files.main), faults=sqlite3.Error)
    return lambda text, values: connection.use(
        lambda open_: open_.execute(for_sqlite(text), tuple(values)).fetchall()
    )


def _postgres(database: Postgres) -> Ask:
    connection = Connection(lambda: open_postgres(database), faults=psycopg.Error)
    return lambda text, values: connection.use(
        lambda open_: open_.execute(text.encode(), list(values)).fetchall()
    )
