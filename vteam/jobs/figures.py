"""The figures and health of `jobs` as its private port tells them: what it did, and what waits for it.

What waits is asked of the database when somebody wants to know, at a cost that does not grow with it. While the
database does not answer, those figures are left out rather than guessed.
"""

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from prometheus_client.core import Metric

from vteam import clock
from vteam.channels.mail.delivery import letters_ended
from vteam.channels.mail.models import OutboxMessage
from vteam.errors import Away
from vteam.jobs import counted
from vteam.ledger.models import Hold
from vteam.metrics.asked import Asked
from vteam.metrics.families import counters, gauge, gauges, spreads

SILENT_SECONDS_MAX = 30.0
FAILING_SECONDS_MAX = 60.0
# Numbers are given in order and rows leave in order: what lies between the ends is what waits, give or take rows
# that were never written.
READ_WAITING = (
    "SELECT (SELECT max(id) FROM journal_inbox) - (SELECT min(id) FROM journal_inbox) + 1, "
    "(SELECT seen_at_us FROM journal_inbox ORDER BY id LIMIT 1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits: rows and the age in seconds of the oldest, by inbox; holds that are due; letters."""

    rows: Mapping[tuple[str], int]
    oldest_seconds: Mapping[tuple[str], float]
    holds_due: int
    letters: int


class JobsFigures:
    """Asked by the private port's thread. `edge_file`: the edge's own inbox, beside a SQLite database."""

    def __init__(self, edge_file: Path | None) -> None:
        self._edge_file = edge_file
        self._waiting = Asked(self._look)

    def well(self) -> None:
        """Returns while the loop turns and does its work; Away otherwise."""
        if counted.silent_seconds() > SILENT_SECONDS_MAX:
            raise Away(f"the loop has stood still for {counted.silent_seconds():.0f} s")
        for job, since in list(counted.failing_since.items()):
            failing_s = time.monotonic() - since
            if failing_s > FAILING_SECONDS_MAX:
                raise Away(f"failing for {failing_s:.0f} s: {job}")

    def collect(self) -> Iterable[Metric]:
        """Everything an operator may know."""
        moved = {(kind,): count for kind, count in counted.moved.items()}
        yield counters("vteam_jobs_moved", "Rows moved from an inbox into the books.", ["kind"], moved)
        yield spreads("vteam_jobs_batch_rows", "Rows moved by one transaction.", [], {(): counted.rows})
        yield spreads(
            "vteam_jobs_locked_seconds",
            "How long a transaction kept other writers out.",
            [],
            {(): counted.locked},
        )
        failures = {(job,): count for job, count in counted.failures.copy().items()}
        yield counters("vteam_jobs_failures", "Turns a job could not do.", ["job"], failures)
        yield gauge("vteam_jobs_silent_seconds", "Since the last sign of life.", counted.silent_seconds())
        ended = {(state,): letters_ended[state] for state in (OutboxMessage.SENT, OutboxMessage.GIVEN_UP)}
        yield counters("vteam_jobs_letters", "Letters that left or were given up.", ["end"], ended)
        yield from self._what_waits()

    def _what_waits(self) -> Iterable[Metric]:
        try:
            waiting = self._waiting.answer()
        except Away:
            yield gauge("vteam_jobs_database_answers", "1 while the database answers.", 0)
            return
        yield gauge("vteam_jobs_database_answers", "1 while the database answers.", 1)
        yield gauges("vteam_jobs_waiting_rows", "Rows not in the books yet.", ["inbox"], waiting.rows)
        yield gauges(
            "vteam_jobs_waiting_seconds", "Age of the oldest of them.", ["inbox"], waiting.oldest_seconds
        )
        yield gauge("vteam_jobs_holds_due", "Holds whose time has come.", waiting.holds_due)
        yield gauge("vteam_jobs_letters_waiting", "Letters that have not left.", waiting.letters)

    def _look(self) -> Waiting:
        """Over a connection of its own, closed again: it comes from a thread that ends."""
        at_us = clock.now_us()
        try:
            with connection.cursor() as cursor:
                cursor.execute(READ_WAITING)
                found: dict[str, Sequence[int | None]] = {"main": cursor.fetchone()}
            due = Hold.objects.filter(due_at_us__lte=at_us, announced=False).count()
            letters = OutboxMessage.objects.filter(state=OutboxMessage.WAITING, is_null=False).count()
        finally:
            connection.close()
        if self._edge_file and self._edge_file.exists():
            with closing(sqlite3.connect(f"{self._edge_file.as_uri()}?mode=ro", uri=True, timeout=1)) as file:
                found["edge"] = file.execute(READ_WAITING).fetchone()
        return Waiting(
            rows={(inbox,): rows or 0 for inbox, (rows, _) in found.items()},
            oldest_seconds={
                (inbox,): max(0, at_us - seen_us) / 1_000_000 if seen_us else 0
                for inbox, (_, seen_us) in found.items()
            },
            holds_due=due,
            letters=letters,
        )
