"""Moves what channels left in the inboxes into the journal and the books, a small batch at a time.

One transaction each: consume rows, number them, judge, post, update standings. Batches grow and shrink so that a
transaction holds the write lock for about `LOCK_US_MAX`, and while others write the lock is then left free for
twice as long as it was held.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from vteam.channels.links.services import count_visits
from vteam.journal import sql
from vteam.journal.moving import InboxRow, append, reject
from vteam.ledger.posting import post_facts
from vteam.rules.facts import VISIT
from vteam.rules.shapes import problem_with_moment, visited_share

LOCK_US_MAX = 8_000
BATCH_MIN, BATCH_START, BATCH_MAX = 8, 32, 4_000
FREE_FACTOR = 2


class Source(Protocol):
    """A place channels leave rows in. `take` and `settle` run inside the moving transaction."""

    def take(self, cursor: CursorWrapper, at_most: int) -> list[InboxRow]:
        """The next rows, in order."""
        ...

    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        """Mark rows as moved, in the same transaction."""
        ...

    def prune(self, rows: Sequence[InboxRow]) -> None:
        """Forget moved rows, after the transaction."""
        ...


class InboxTable:
    """The inbox in the main database: consumed by deleting."""

    def take(self, cursor: CursorWrapper, at_most: int) -> list[InboxRow]:
        """The next rows; on PostgreSQL none while another mover works, whose rows come before these."""
        if connection.vendor == "postgresql":
            cursor.execute(sql.TRY_MOVERS_LOCK)
            if not cursor.fetchone()[0]:
                return []
        statement = sql.READ_INBOX_LOCKING if connection.vendor == "postgresql" else sql.READ_INBOX
        cursor.execute(statement, [at_most])
        return [inbox_row(row) for row in cursor.fetchall()]

    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        """Delete the moved rows."""
        cursor.executemany(sql.DELETE_INBOX_ROW, [(row.number,) for row in rows])

    def prune(self, rows: Sequence[InboxRow]) -> None:
        """Nothing is left to forget."""


class Mover:
    """Moves one source, remembering how large a batch may be."""

    def __init__(self, source: Source) -> None:
        self.source, self.batch = source, BATCH_START
        self.version: int | None = None

    def move(self, *, pause: Callable[[float], None] = time.sleep) -> int:
        """Move rows until the source is empty; returns how many."""
        moved = 0
        while True:
            begun = time.perf_counter_ns()
            rows = self._move_batch()
            held_us = (time.perf_counter_ns() - begun) // 1000
            moved += len(rows)
            if len(rows) < self.batch:
                return moved
            self._adapt(held_us)
            if self._others_write():
                pause(held_us * FREE_FACTOR / 1_000_000)

    def _move_batch(self) -> list[InboxRow]:
        with transaction.atomic(), connection.cursor() as cursor:
            rows = self.source.take(cursor, self.batch)
            if rows:
                _into_books(rows)
                self.source.settle(cursor, rows)
        if rows:
            self.source.prune(rows)
        return rows

    def _adapt(self, held_us: int) -> None:
        if held_us > LOCK_US_MAX:
            self.batch = max(BATCH_MIN, self.batch * LOCK_US_MAX // held_us)
        elif held_us < LOCK_US_MAX // 2:
            self.batch = min(BATCH_MAX, self.batch * 2)

    def _others_write(self) -> bool:
        """Whether another connection wrote to the SQLite file since we last looked. PostgreSQL locks rows only."""
        if connection.vendor != "sqlite":
            return False
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            version = cursor.fetchone()[0]
        changed, self.version = self.version not in (None, version), version
        return changed


def inbox_row(row: Sequence[object]) -> InboxRow:
    """A row as the drivers give it (id, campaign_id, kind, key, seen_at_us, body)."""
    number, campaign_id, kind, key, seen_at_us, body = row
    return InboxRow(
        number=int(str(number)),
        campaign_id=int(str(campaign_id)),
        kind=str(kind),
        key=str(key),
        seen_at_us=int(str(seen_at_us)),
        body=str(body),
    )


def _into_books(rows: Sequence[InboxRow]) -> None:
    count_visits(_visits(row for row in rows if row.kind == VISIT))
    facts = sorted((row for row in rows if row.kind != VISIT), key=lambda row: row.campaign_id)
    for campaign_id, group in itertools.groupby(facts, key=lambda row: row.campaign_id):
        journaled = append(connection, campaign_id, list(group))
        if journaled:
            post_facts(connection, campaign_id, journaled)


def _visits(rows: Iterable[InboxRow]) -> Iterator[tuple[int, int]]:
    for row in rows:
        share = visited_share(row.body)
        if share is None or problem_with_moment(row.seen_at_us):
            reject(row, "a visit of no share or at no time")
        else:
            yield share, row.seen_at_us
