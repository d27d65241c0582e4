"""From the inbox into the journal: giving each fact its number, once. Only `jobs` does this.

A row whose key is already in the journal with the same content is the same fact offered twice, and vanishes. With
other content, or unreadable, it is kept in `journal_rejected` and reported: nothing is lost, nothing stops.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from vteam import clock
from vteam.journal import sql
from vteam.journal.models import Rejected
from vteam.journal.queries import chained_hash
from vteam.rules.canonical import GENESIS
from vteam.rules.facts import FIRST_WINS, Fact
from vteam.rules.shapes import problem_with, problem_with_moment, read_object

logger = logging.getLogger(__name__)


class InboxRow(NamedTuple):
    """A row as a channel left it, in the order of its columns; `number` is its place in its source."""

    number: int
    campaign_id: int
    kind: str
    key: str
    seen_at_us: int
    body: str


@dataclass(slots=True, kw_only=True)
class Addition:
    """What rows add to a campaign's journal: `facts` in their order, and those that cannot be one with the reason.

    Read first, without holding up anybody who writes; written later by `write`.
    """

    facts: list[Fact] = field(default_factory=list)
    refused: list[tuple[InboxRow, str]] = field(default_factory=list)
    _stored: list[tuple[Any, ...]] = field(default_factory=list)

    def write(self, connection: BaseDatabaseWrapper) -> None:
        """Write all of it; the caller holds the transaction.

        UNIQUE(campaign, seq) is the fence against a second writer.
        """
        for row, reason in self.refused:
            reject(row, reason)
        if self._stored:
            with connection.cursor() as cursor:
                cursor.executemany(sql.INSERT_FACT, self._stored)

    def add(self, content: tuple[Any, ...], body: dict[str, Any], sha256: str) -> None:
        """One more fact: its columns (as in `queries.COLUMNS`), its body read, and its hash."""
        campaign_id, seq, kind, key, seen_at_us, _ = content
        self.facts.append(
            Fact(campaign_id=campaign_id, seq=seq, kind=kind, key=key, seen_at_us=seen_at_us, body=body)
        )
        self._stored.append((*content, sha256))


def addition(connection: BaseDatabaseWrapper, campaign_id: int, rows: Sequence[InboxRow]) -> Addition:
    """What the rows of one campaign add, in their order; nothing is written yet."""
    known = _known(connection, campaign_id, [row.key for row in rows])
    seq, sha256 = _last(connection, campaign_id)
    found = Addition()
    for row in rows:
        body = read_object(row.body)
        reason = (
            problem_with(row.kind, body)
            or problem_with_moment(row.seen_at_us)
            or _conflict(row, known.get(row.key))
        )
        if reason:
            found.refused.append((row, reason))
        elif row.key not in known:
            known[row.key] = (row.kind, row.body)
            seq += 1
            content = (campaign_id, seq, row.kind, row.key, row.seen_at_us, row.body)
            sha256 = chained_hash(content, after=sha256)
            assert body is not None, "a body that cannot be read is a reason"
            found.add(content, body, sha256)
    return found


def _conflict(row: InboxRow, known: tuple[str, str] | None) -> str | None:
    if known is None or known == (row.kind, row.body) or (row.kind in FIRST_WINS and known[0] == row.kind):
        return None
    return "the same key was recorded before with other content"


def _known(
    connection: BaseDatabaseWrapper, campaign_id: int, keys: Sequence[str]
) -> dict[str, tuple[str, str]]:
    marks = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key, kind, body FROM journal_fact WHERE campaign_id = %s AND key IN ({marks})",
            [campaign_id, *keys],
        )
        return {key: (kind, body) for key, kind, body in cursor.fetchall()}


def _last(connection: BaseDatabaseWrapper, campaign_id: int) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, sha256 FROM journal_fact WHERE campaign_id = %s ORDER BY seq DESC LIMIT 1",
            [campaign_id],
        )
        return cursor.fetchone() or (0, GENESIS)


def reject(row: InboxRow, reason: str) -> None:
    """Keep a row that cannot be used, and say so; the caller holds the transaction."""
    logger.error("not journaled: %s %s: %s", row.kind, row.key, reason)
    Rejected.objects.create(
        campaign_id=row.campaign_id,
        kind=row.kind[:40],
        key=row.key[:160],
        seen_at_us=row.seen_at_us,
        body=row.body,
        reason=reason,
        rejected_at_us=clock.now_us(),
    )
