"""Reading the journal in its order."""

from collections.abc import Iterable, Iterator, Sequence

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper

from vteam.rules.canonical import digest, spelled
from vteam.rules.facts import Fact

COLUMNS = "campaign_id, seq, kind, key, seen_at_us, body"
_NAMES = COLUMNS.split(", ")


def fact_from(row: Sequence[object]) -> Fact:
    """A stored row (in the order of COLUMNS) as the rules' value."""
    campaign_id, seq, kind, key, seen_at_us, body = row
    return Fact(
        campaign_id=int(str(campaign_id)),
        seq=int(str(seq)),
        kind=str(kind),
        key=str(key),
        seen_at_us=int(str(seen_at_us)),
        body=orjson.loads(str(body)),
    )


def chained_hash(content: Sequence[object], *, after: str) -> str:
    """The hash of a stored fact (in the order of COLUMNS), chained to the hash of the one before."""
    return digest(spelled(dict(zip(_NAMES, content, strict=True))), after=after)


def facts_after(connection: BaseDatabaseWrapper, campaign_id: int, *, seq: int, at_most: int) -> list[Fact]:
    """The next facts of a campaign after `seq`, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM journal_fact WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT %s",
            [campaign_id, seq, at_most],
        )
        return [fact_from(row) for row in cursor.fetchall()]


def every_fact(connection: BaseDatabaseWrapper, campaign_id: int, *, page: int = 2000) -> Iterator[Fact]:
    """A campaign's whole journal, in order, read a page at a time."""
    seq = 0
    while facts := facts_after(connection, campaign_id, seq=seq, at_most=page):
        yield from facts
        seq = facts[-1].seq


def facts_at(connection: BaseDatabaseWrapper, campaign_id: int, seqs: Iterable[int]) -> dict[int, Fact]:
    """The facts with these numbers."""
    wanted = list(seqs)
    if not wanted:
        return {}
    marks = ", ".join(["%s"] * len(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM journal_fact WHERE campaign_id = %s AND seq IN ({marks})",
            [campaign_id, *wanted],
        )
        return {fact.seq: fact for fact in map(fact_from, cursor.fetchall())}
