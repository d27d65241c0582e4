"""Recomputing the books from the journal alone, with the same code, into a database of its own; then comparing.

The same journal must give the same bytes: decisions, transfers with their hashes, standings, counters, holds.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from vteam.journal.queries import every_fact
from vteam.ledger import models
from vteam.ledger.posting import post_facts

PAGE = 2_000
ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A table to compare, in the order of its first column. Rows whose `counted` column is 0 say nothing."""

    name: str
    table: str
    columns: str
    counted: str = ""

    def query(self, vendor: str) -> str:
        """The next rows after a value of the first column. Texts are ordered by their bytes in both databases."""
        key = self.columns.partition(",")[0]
        if key == "key" and vendor == "postgresql":
            key = 'key COLLATE "C"'
        counted = f"AND {self.counted} <> 0 " if self.counted else ""
        return (
            f"SELECT {self.columns} FROM {self.table} WHERE campaign_id = %s AND {key} > %s {counted}"
            f"ORDER BY {key} LIMIT {ROWS_AT_ONCE}"
        )

    @property
    def first(self) -> str | int:
        """What comes before every value of the first column."""
        return "" if self.columns.startswith("key") else -1


BOOKS = (
    Book(
        name="decision",
        table="ledger_decision",
        columns="seq, fact_seq, mission_key, fan_id, outcome, points, body",
    ),
    Book(
        name="transfer",
        table="ledger_transfer",
        columns="seq, source, target, points, body, previous, sha256",
    ),
    Book(name="total of fan", table="ledger_total", columns="fan_id, confirmed, pending"),
    Book(name="number of fans at points", table="ledger_level", columns="points, fans", counted="fans"),
    Book(name="number of fans in bucket", table="ledger_bucket", columns="bucket, fans", counted="fans"),
    Book(name="hold of decision", table="ledger_hold", columns="decision_seq, due_at_us"),
    Book(name="counter", table="ledger_counter", columns="key, n", counted="n"),
    Book(name="ruling", table="ledger_ruling", columns="seq, kind, body"),
)
MODELS = (
    models.Decision,
    models.Transfer,
    models.Counter,
    models.Hold,
    models.Total,
    models.Bucket,
    models.Level,
    models.Ruling,
)


def replay(
    connection: BaseDatabaseWrapper, campaign_id: int, *, progress: Callable[[int], None] = lambda facts: None
) -> str | None:
    """Replay a campaign; None when the books are the same, else a sentence naming the first row that differs.

    `progress` is called with the number of facts done. Reads inside one snapshot where the caller opened one.
    """
    with scratch_books() as scratch:
        facts = every_fact(connection, campaign_id)
        done = 0
        while page := list(islice(facts, PAGE)):
            with scratch.cursor() as cursor:
                cursor.execute("BEGIN")
            post_facts(scratch, campaign_id, page)
            scratch.connection.commit()
            done += len(page)
            progress(done)
        return first_difference(connection, scratch, campaign_id)


@contextmanager
def scratch_books() -> Iterator[BaseDatabaseWrapper]:
    """Empty ledger tables in a temporary SQLite file, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vteam-replay-") as folder:
        pragmas = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
        settings: dict[str, Any] = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(folder) / "books.sqlite3"),
            "OPTIONS": {"init_command": pragmas},
        }
        scratch = ConnectionHandler({"default": settings})["default"]
        try:
            # Without a transaction: Django would open it on the connection of that name, which is the real one.
            with scratch.schema_editor(atomic=False) as editor:
                for model in MODELS:
                    editor.create_model(model)
            yield scratch
        finally:
            scratch.close()


def first_difference(one: BaseDatabaseWrapper, other: BaseDatabaseWrapper, campaign_id: int) -> str | None:
    """The first row in which two sets of books differ, as a sentence."""
    for book in BOOKS:
        for kept, replayed in zip_longest(_rows(one, book, campaign_id), _rows(other, book, campaign_id)):
            if kept != replayed:
                number = min(row[0] for row in (kept, replayed) if row is not None)
                said, given = (row if row and row[0] == number else "nothing" for row in (kept, replayed))
                return f"{book.name} {number} differs: the books say {said}, the journal gives {given}"
    return None


def _rows(connection: BaseDatabaseWrapper, book: Book, campaign_id: int) -> Iterator[tuple[Any, ...]]:
    query, last = book.query(connection.vendor), book.first
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [campaign_id, last])
            rows = [tuple(row) for row in cursor.fetchall()]
        yield from rows
        if len(rows) < ROWS_AT_ONCE:
            return
        last = rows[-1][0]
