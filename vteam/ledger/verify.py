"""Checking the books against themselves: the chain, the sums and the standings. Names the first wrong row."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from vteam.journal.queries import chained_hash
from vteam.ledger.posting import BUCKET_POINTS
from vteam.rules.canonical import GENESIS, digest
from vteam.rules.transfers import ISSUE

TRANSFERS = (
    "SELECT seq, source, target, points, body, previous, sha256 FROM ledger_transfer "
    "WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT 2000"
)
FACTS = (
    "SELECT seq, campaign_id, kind, key, seen_at_us, body, sha256 FROM journal_fact "
    "WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT 2000"
)
DECISIONS = (
    "SELECT seq, fact_seq, mission_key, fan_id, outcome, points, body FROM ledger_decision "
    "WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT 2000"
)
TOTALS = (
    "SELECT fan_id, confirmed, pending FROM ledger_total "
    "WHERE campaign_id = %s AND fan_id > %s ORDER BY fan_id LIMIT 5000"
)


def verify(connection: BaseDatabaseWrapper, campaign_id: int) -> str | None:
    """None when a campaign's books hold, else a sentence naming the first row that is wrong."""
    balances: dict[str, int] = defaultdict(int)
    return (
        _wrong_fact(connection, campaign_id)
        or _wrong_decision(connection, campaign_id)
        or _wrong_transfer(connection, campaign_id, balances)
        or _wrong_standing(connection, campaign_id, balances)
    )


def _wrong_fact(connection: BaseDatabaseWrapper, campaign_id: int) -> str | None:
    previous = GENESIS
    for expected, row in enumerate(_pages(connection, FACTS, campaign_id), start=1):
        seq, campaign, kind, key, seen_at_us, body, sha256 = row
        if seq != expected:
            return f"fact {expected} is missing from the journal"
        if chained_hash((campaign, seq, kind, key, seen_at_us, body), after=previous) != sha256:
            return f"fact {seq} does not follow from the one before: its hash is wrong"
        previous = sha256
    return None


def _wrong_decision(connection: BaseDatabaseWrapper, campaign_id: int) -> str | None:
    """The columns repeat the text, and none is missing. Whether it was judged rightly is for `replay` to say."""
    fields = ("seq", "fact", "mission", "fan", "outcome", "points")
    for expected, row in enumerate(_pages(connection, DECISIONS, campaign_id), start=1):
        if row[0] != expected:
            return f"decision {expected} is missing"
        content = json.loads(row[-1])
        if row[:-1] != tuple(content[field] for field in fields):
            return f"decision {expected} says one thing in its columns and another in its text"
    return None


def _wrong_transfer(
    connection: BaseDatabaseWrapper, campaign_id: int, balances: dict[str, int]
) -> str | None:
    """Walk the chain, and add up every account on the way."""
    previous = GENESIS
    for expected, row in enumerate(_pages(connection, TRANSFERS, campaign_id), start=1):
        seq, source, target, points, body, stored_previous, sha256 = row
        if seq != expected:
            return f"transfer {expected} is missing"
        if stored_previous != previous or digest(body, after=previous) != sha256:
            return f"transfer {seq} does not follow from the one before: its hash is wrong"
        content = json.loads(body)
        if (source, target, points, seq) != (
            content["from"],
            content["to"],
            content["points"],
            content["seq"],
        ):
            return f"transfer {seq} says one thing in its columns and another in its hashed text"
        balances[source] -= points
        balances[target] += points
        previous = sha256
    overdrawn = next((name for name, points in balances.items() if points < 0 and name != ISSUE), None)
    return f"account {overdrawn} is below zero" if overdrawn else None


def _wrong_standing(
    connection: BaseDatabaseWrapper, campaign_id: int, balances: dict[str, int]
) -> str | None:
    levels: dict[int, int] = defaultdict(int)
    held = 0
    for fan, confirmed, pending in _pages(connection, TOTALS, campaign_id):
        levels[confirmed] += 1
        held += confirmed + pending
        kept = (balances.pop(f"confirmed:{fan}", 0), balances.pop(f"pending:{fan}", 0))
        if (confirmed, pending) != kept:
            return f"standing of fan {fan} says {confirmed} and {pending} waiting, the ledger {kept[0]} and {kept[1]}"
    issued = -balances.pop(ISSUE, 0)
    forgotten = next((name for name, points in balances.items() if points), None)
    if forgotten:
        return f"account {forgotten} holds points but has no standing"
    if issued != held:
        return f"points issued ({issued}) are not the points held ({held})"
    return _wrong_histogram(connection, campaign_id, levels)


def _wrong_histogram(connection: BaseDatabaseWrapper, campaign_id: int, levels: dict[int, int]) -> str | None:
    buckets: dict[int, int] = defaultdict(int)
    for points, fans in levels.items():
        buckets[points // BUCKET_POINTS] += fans
    for table, column, expected in (("ledger_level", "points", levels), ("ledger_bucket", "bucket", buckets)):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {column}, fans FROM {table} WHERE campaign_id = %s AND fans <> 0", [campaign_id]
            )
            kept = dict(cursor.fetchall())
        for value in sorted(kept.keys() | expected.keys()):
            if kept.get(value, 0) != expected.get(value, 0):
                return f"{table} {value} counts {kept.get(value, 0)} fans instead of {expected.get(value, 0)}"
    return None


def _pages(connection: BaseDatabaseWrapper, query: str, campaign_id: int) -> Iterator[tuple[Any, ...]]:
    last = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [campaign_id, last])
            rows = list(cursor.fetchall())
        yield from rows
        if not rows:
            return
        last = rows[-1][0]
