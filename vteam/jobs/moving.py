"""Moves what channels left in the inboxes into the journal and the books, a small batch at a time.

First a batch is read, numbered and judged, which holds up nobody; then one transaction consumes its rows, writes
what follows and updates the standings. Batches grow and shrink so that this transaction holds the write lock for
about `LOCK_US`, and for `LOCK_ALONE_US` where nobody else wrote lately: then larger batches touch each page once for
more facts. While others write the lock is afterwards left free for as long as it was held. Who waits for SQLite's
lock asks again after 1, 3, 8, 18, 33 and 53 ms: held any longer than 33 ms it costs them 53.

Judging before locking is safe because `jobs` alone writes to the books. Should there be a second mover all the
same, the fences refuse whoever comes later: rows can be consumed once, and UNIQUE(campaign, seq) is taken once.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from vteam.campaigns.circulation import count_circulated
from vteam.channels.links.services import count_visits
from vteam.channels.swarm.seeding import keep_watches
from vteam.channels.swarm.services import keep_evidence
from vteam.jobs import counted
from vteam.jobs.checkpoints import WriteAheadLog
from vteam.journal import sql
from vteam.journal.moving import Addition, InboxRow, addition, reject
from vteam.ledger.posting import Posting, judged
from vteam.rules.facts import EVIDENCE, NO_FACTS, VISIT, WATCHED
from vteam.rules.shapes import problem_with_moment, visited_share

LOCK_US = 32_000
LOCK_ALONE_US = 150_000
ALONE_SECONDS = 0.25
GROWTH_MAX = 2
BATCH_MIN, BATCH_START, BATCH_MAX = 8, 32, 4_000
FREE_FACTOR = 1


class Source(Protocol):
    """A place channels leave rows in."""

    def take(self, cursor: CursorWrapper, at_most: int) -> list[InboxRow]:
        """The next rows, in order."""
        ...

    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        """Mark rows as moved, in the transaction that writes what follows; IntegrityError where they were before."""
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
        return list(map(InboxRow._make, cursor.fetchall()))

    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        """Delete the moved rows."""
        cursor.executemany(sql.DELETE_INBOX_ROW, [(row.number,) for row in rows])
        if cursor.rowcount != len(rows):
            raise IntegrityError("another mover has moved these rows of the inbox")

    def prune(self, rows: Sequence[InboxRow]) -> None:
        """Nothing is left to forget."""


class Mover:
    """Moves one source, remembering how large a batch may be."""

    def __init__(self, source: Source, log: WriteAheadLog | None = None) -> None:
        self.source, self.batch, self.log = source, BATCH_START, log or WriteAheadLog()
        self.version: int | None = None
        self.others_wrote_at = time.monotonic()

    def move(self, *, pause: Callable[[float], None] = time.sleep) -> int:
        """Move rows until the source is empty; returns how many."""
        moved, free_at = 0, 0
        while True:
            with _reading(), connection.cursor() as cursor:
                rows = self.source.take(cursor, self.batch)
                batch = Batch(rows)
                if (free_ns := free_at - time.perf_counter_ns()) > 0:
                    pause(free_ns / 1_000_000_000)
                held_us = self._write(batch, cursor)
            if rows:
                self.source.prune(rows)
                counted.batch(rows, locked_us=held_us)
                self.log.grew(len(rows))
            moved += len(rows)
            if len(rows) < self.batch:
                return moved
            if self._others_write():
                self.others_wrote_at = time.monotonic()
                free_at = time.perf_counter_ns() + held_us * 1_000 * FREE_FACTOR
            self._adapt(held_us)

    def _write(self, batch: "Batch", cursor: CursorWrapper) -> int:
        """Write a judged batch; returns for how long (µs) others could not write meanwhile."""
        if not batch.rows:
            return 0
        with transaction.atomic():
            begun = time.perf_counter_ns()
            self.source.settle(cursor, batch.rows)
            batch.write()
        return (time.perf_counter_ns() - begun) // 1_000

    def _adapt(self, held_us: int) -> None:
        alone = time.monotonic() - self.others_wrote_at > ALONE_SECONDS
        wanted_us = LOCK_ALONE_US if alone else LOCK_US
        fitting = self.batch * wanted_us // max(held_us, 1)
        self.batch = max(BATCH_MIN, min(fitting, self.batch * GROWTH_MAX, BATCH_MAX))

    def _others_write(self) -> bool:
        """Whether another connection wrote to the SQLite file since we last looked. PostgreSQL locks rows only."""
        if connection.vendor != "sqlite":
            return False
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            version = cursor.fetchone()[0]
        changed, self.version = self.version not in (None, version), version
        return changed


def _reading() -> AbstractContextManager[None]:
    """PostgreSQL locks the rows it gives: one transaction reads and writes. SQLite would lock out everybody."""
    return transaction.atomic() if connection.vendor == "postgresql" else nullcontext()


class Batch:
    """Rows with all that follows from them, worked out and not written yet."""

    def __init__(self, rows: Sequence[InboxRow]) -> None:
        self.rows = rows
        self._additions: list[Addition] = []
        self._postings: list[Posting] = []
        facts = sorted((row for row in rows if row.kind not in NO_FACTS), key=lambda row: row.campaign_id)
        for campaign_id, group in itertools.groupby(facts, key=lambda row: row.campaign_id):
            found = addition(connection, campaign_id, list(group))
            self._additions.append(found)
            if found.facts:
                self._postings.append(judged(connection, campaign_id, found.facts))

    def write(self) -> None:
        """Write all of it; the caller holds the transaction."""
        count_visits(_visits(row for row in self.rows if row.kind == VISIT))
        keep_evidence(row for row in self.rows if row.kind == EVIDENCE)
        keep_watches(row for row in self.rows if row.kind == WATCHED)
        for found in self._additions:
            found.write(connection)
        count_circulated(fact for found in self._additions for fact in found.facts)
        for posting in self._postings:
            posting.write()


def _visits(rows: Iterable[InboxRow]) -> Iterator[tuple[int, int]]:
    for row in rows:
        share = visited_share(row.body)
        if share is None or problem_with_moment(row.seen_at_us):
            reject(row, "a visit of no share or at no time")
        else:
            yield share, row.seen_at_us
