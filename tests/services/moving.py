"""What the mover's tests have in common: two fans, the edge's end of its own file, and books that must hold."""

import sqlite3
from pathlib import Path

from django.db import connection

from vteam.journal import sql
from vteam.ledger import queries
from vteam.ledger.replay import replay
from vteam.ledger.verify import verify
from vteam.rules.canonical import canonical
from vteam.rules.facts import NewFact

C = 7
ANA, BO = 1, 2
Row = tuple[int, str, str, int, str]


def still(seconds: float) -> None:
    """A pause of no length: nobody else is waiting for the lock in these tests."""


def books_hold(*campaigns: int) -> bool:
    """Whether the books contradict neither themselves nor the journal; says where, when they do."""
    for campaign in campaigns:
        assert verify(connection, campaign) is None
        assert replay(connection, campaign) is None
    return True


def points(fan: int, campaign: int = C) -> tuple[int, int]:
    return queries.points_of(campaign, fan)


def row_of(fact: NewFact, campaign: int = C) -> Row:
    return (campaign, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body))


class EdgeInbox:
    """The edge's end of its own file: a plain driver that appends rows and commits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path)
        self.connection.execute(sql.CREATE_EDGE_INBOX)

    def write(self, *rows: Row) -> None:
        with self.connection:
            self.connection.executemany(sql.for_sqlite(sql.INSERT_INBOX), rows)

    def numbers(self) -> list[int]:
        return [number for (number,) in self.connection.execute("SELECT id FROM journal_inbox ORDER BY id")]
