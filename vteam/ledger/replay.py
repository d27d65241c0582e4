"""Recomputing the books from the journal alone, with the same code, into a database of its own; then comparing.

The same journal must give the same bytes: decisions, transfers with their hashes, and standings.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from vteam.journal.queries import every_fact
from vteam.ledger import models
from vteam.ledger.posting import post_facts

PAGE = 500
BOOKS = (
    (
        "decision",
        "SELECT seq, body FROM ledger_decision WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT 2000",
    ),
    (
        "transfer",
        "SELECT seq, body, previous, sha256 FROM ledger_transfer "
        "WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT 2000",
    ),
    (
        "total of fan",
        "SELECT fan_id, confirmed, pending FROM ledger_total "
        "WHERE campaign_id = %s AND fan_id > %s ORDER BY fan_id LIMIT 2000",
    ),
    (
        "number of fans at points",
        "SELECT points, fans FROM ledger_level "
        "WHERE campaign_id = %s AND points > %s AND fans <> 0 ORDER BY points LIMIT 2000",
    ),
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
            post_facts(scratch, campaign_id, page)
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
    for name, query in BOOKS:
        for kept, replayed in zip_longest(_rows(one, query, campaign_id), _rows(other, query, campaign_id)):
            if kept != replayed:
                number = min(row[0] for row in (kept, replayed) if row is not None)
                said, given = (row if row and row[0] == number else "nothing" for row in (kept, replayed))
                return f"{name} {number} differs: the books say {said}, the journal gives {given}"
    return None


def _rows(connection: BaseDatabaseWrapper, query: str, campaign_id: int) -> Iterator[tuple[Any, ...]]:
    last = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [campaign_id, last])
            rows = [tuple(row) for row in cursor.fetchall()]
        yield from rows
        if not rows:
            return
        last = rows[-1][0]
