"""Reading the books: a fan's rank and points, the top, the neighbours, and what became of each fact."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from vteam.journal.models import Fact, Inbox
from vteam.ledger.counters import arrivals_key, places_of
from vteam.ledger.models import Decision, Hold
from vteam.ledger.past import Recorded, from_body
from vteam.ledger.posting import BUCKET_POINTS
from vteam.reading import pairs, rows
from vteam.rules.decisions import Outcome
from vteam.rules.facts import Kind, award_reversed

POINTS = "SELECT confirmed, pending FROM ledger_total WHERE campaign_id = %s AND fan_id = %s"
RANK = (
    "SELECT 1 + COALESCE((SELECT SUM(fans) FROM ledger_bucket WHERE campaign_id = %s AND bucket > %s), 0) "
    "+ COALESCE((SELECT SUM(fans) FROM ledger_level WHERE campaign_id = %s AND points > %s AND points < %s), 0)"
)
FANS = "SELECT COALESCE(SUM(fans), 0) FROM ledger_bucket WHERE campaign_id = %s"
FIRST = (
    "SELECT fan_id, confirmed, pending FROM ledger_total WHERE campaign_id = %s "
    "ORDER BY confirmed DESC, fan_id LIMIT %s"
)
# Who has so many points or fewer, from some place among them on; the index is entered at the points, the places passed
# over are walked in it alone, and only who is shown is looked up.
FROM_LEVEL = (
    "SELECT t.fan_id, t.confirmed, t.pending FROM (SELECT campaign_id, fan_id FROM ledger_total "
    "WHERE campaign_id = %s AND confirmed <= %s ORDER BY confirmed DESC, fan_id LIMIT %s OFFSET %s) AS shown "
    "JOIN ledger_total t ON t.campaign_id = shown.campaign_id AND t.fan_id = shown.fan_id "
    "ORDER BY t.confirmed DESC, t.fan_id"
)
# The points of whoever stands behind so many others, and how many have more: by the histogram, the bucket first.
LEVEL_BEHIND = (
    "WITH buckets AS (SELECT bucket, fans, SUM(fans) OVER (ORDER BY bucket DESC) - fans AS above "
    "FROM ledger_bucket WHERE campaign_id = %(campaign)s), "
    "found AS (SELECT bucket, above FROM buckets WHERE above <= %(others)s AND above + fans > %(others)s), "
    "levels AS (SELECT points, fans, found.above + SUM(fans) OVER (ORDER BY points DESC) - fans AS above "
    f"FROM ledger_level JOIN found ON points >= found.bucket * {BUCKET_POINTS} "
    f"AND points < (found.bucket + 1) * {BUCKET_POINTS} WHERE campaign_id = %(campaign)s) "
    "SELECT points, above FROM levels WHERE above <= %(others)s AND above + fans > %(others)s"
)
_NEAR = (
    "SELECT * FROM (SELECT fan_id, confirmed, pending FROM ledger_total "
    "WHERE campaign_id = %(campaign)s AND {} ORDER BY {} LIMIT %(each_side)s) AS {}"
)
# Short walks along the index, up and down from a fan; with each the number of fans who have the same points.
NEIGHBOURS = (
    "SELECT fan_id, confirmed, pending, "
    "(SELECT fans FROM ledger_level WHERE campaign_id = %(campaign)s AND points = near.confirmed) FROM ("
    + " UNION ALL ".join([
        _NEAR.format("confirmed > %(points)s", "confirmed, fan_id DESC", "higher"),
        _NEAR.format("confirmed = %(points)s AND fan_id < %(fan)s", "fan_id DESC", "before"),
        _NEAR.format("confirmed = %(points)s AND fan_id >= %(fan)s", "fan_id", "after"),
        _NEAR.format("confirmed < %(points)s", "confirmed DESC, fan_id", "lower"),
    ])
    + ") AS near ORDER BY confirmed DESC, fan_id"
)  # fmt: skip
DECISIONS = (
    "SELECT body FROM ledger_decision WHERE campaign_id = %s AND fan_id = %s AND seq < %s "
    "ORDER BY seq DESC LIMIT %s"
)
LAST_DECISION = "SELECT COALESCE(MAX(seq), 0) FROM ledger_decision WHERE campaign_id = %s AND fan_id = %s"
NEXT_DUE = (
    "SELECT h.due_at_us, d.points FROM ledger_hold h JOIN ledger_decision d "
    "ON d.campaign_id = h.campaign_id AND d.seq = h.decision_seq "
    "WHERE h.campaign_id = %s AND d.fan_id = %s AND h.due_at_us IS NOT NULL ORDER BY h.due_at_us LIMIT 1"
)
COUNTS = "SELECT key, n FROM ledger_counter WHERE campaign_id = %s AND key IN ({})"
FACTS_BEHIND = "SELECT seq, fact_seq FROM ledger_decision WHERE campaign_id = %s AND seq IN ({})"
FINAL = "SELECT 1 FROM ledger_ruling WHERE campaign_id = %s AND kind = %s LIMIT 1"
# More than any number of points or decisions.
UNBOUNDED = 2**63 - 1


class Standing(NamedTuple):
    """A fan's place: exact competition rank (equal points, equal rank), points that count and that wait."""

    fan_id: int
    rank: int
    points: int
    waiting: int


def points_of(campaign_id: int, fan_id: int) -> tuple[int, int]:
    """A fan's points that count and that wait."""
    return next(((confirmed, waiting) for confirmed, waiting in rows(POINTS, [campaign_id, fan_id])), (0, 0))


def rank_at(campaign_id: int, points: int) -> int:
    """The exact rank of somebody with these points: one more than the number of fans with more."""
    bucket = points // BUCKET_POINTS
    above = (bucket + 1) * BUCKET_POINTS
    return _number(RANK, [campaign_id, bucket, campaign_id, points, above])


def standing_of(campaign_id: int, fan_id: int) -> Standing:
    """A fan's place in the ranking."""
    points, waiting = points_of(campaign_id, fan_id)
    return Standing(fan_id=fan_id, rank=rank_at(campaign_id, points), points=points, waiting=waiting)


def neighbours(campaign_id: int, fan_id: int, *, each_side: int = 1) -> list[Standing]:
    """The fans just above and just below a fan, with the fan between them, in order."""
    own = standing_of(campaign_id, fan_id)
    # One more than asked for, because the fan is met on the walk down.
    near = {"campaign": campaign_id, "points": own.points, "fan": fan_id, "each_side": each_side + 1}
    found = rows(NEIGHBOURS, near)
    ranks = _ranks_around(own, {points: fans for _, points, _, fans in found})
    others = [
        Standing(fan_id=fan, rank=ranks[points], points=points, waiting=waiting)
        for fan, points, waiting, _ in found
        if fan != fan_id
    ]
    above = [one for one in others if (-one.points, one.fan_id) < (-own.points, fan_id)]
    below = others[len(above) :]
    return [*above[-each_side:], own, *below[:each_side]]


def _ranks_around(own: Standing, fans_at: Mapping[int, int]) -> dict[int, int]:
    """The ranks of the levels around a fan's own: `fans_at` says how many fans have these points, none left out."""
    levels = sorted({own.points, *fans_at}, reverse=True)
    here, ranks = levels.index(own.points), {own.points: own.rank}
    for lower, higher in pairwise(levels[here::-1]):
        ranks[higher] = ranks[lower] - fans_at[higher]
    for higher, lower in pairwise(levels[here:]):
        ranks[lower] = ranks[higher] + fans_at.get(higher, 0)
    return ranks


def is_final(campaign_id: int) -> bool:
    """Whether the result is final: nothing changes the ranking any more."""
    return bool(rows(FINAL, [campaign_id, Kind.RESULT_FROZEN]))


def waits_until(campaign_id: int, at_us: int) -> bool:
    """Whether an award waits for a moment (µs) up to then, and has not been told yet that it came."""
    return Hold.objects.filter(campaign_id=campaign_id, due_at_us__lt=at_us).exists()


def top(campaign_id: int, *, at_most: int, skip: int = 0) -> list[Standing]:
    """The ranking from place `skip` on, ties in the order of joining."""
    above = 0
    if skip:
        points, above = _level_behind(campaign_id, skip)
        found = rows(FROM_LEVEL, [campaign_id, points, at_most, skip - above])
    else:
        found = rows(FIRST, [campaign_id, at_most])
    standings: list[Standing] = []
    rank = above + 1
    for place, (fan, points, waiting) in enumerate(found, start=skip + 1):
        if standings and standings[-1].points != points:
            rank = place
        standings.append(Standing(fan_id=fan, rank=rank, points=points, waiting=waiting))
    return standings


def _level_behind(campaign_id: int, others: int) -> tuple[int, int]:
    """The points of whoever stands behind so many others, and how many have more; no points where nobody does."""
    found = rows(LEVEL_BEHIND, {"campaign": campaign_id, "others": others})
    return next(((int(points), int(above)) for points, above in found), (-1, others))


def fans_ranked(campaign_id: int) -> int:
    """How many fans the ranking counts."""
    return _number(FANS, [campaign_id])


def decisions_of(campaign_id: int, fan_id: int, *, at_most: int, before: int = UNBOUNDED) -> list[Recorded]:
    """What became of a fan's facts, newest first; `before` is the seq to continue after."""
    return [from_body(body) for (body,) in rows(DECISIONS, [campaign_id, fan_id, before, at_most])]


def last_decision_of(campaign_id: int, fan_id: int) -> int:
    """The seq of the newest decision about a fan; 0 before the first."""
    return _number(LAST_DECISION, [campaign_id, fan_id])


def counts(campaign_id: int, keys: Iterable[str]) -> dict[str, int]:
    """Counters by name; those never counted are absent."""
    names = places_of(keys)
    return {names[place]: n for place, n in pairs(COUNTS, names, first=[campaign_id]).items()}


def facts_behind(campaign_id: int, decisions: Iterable[int]) -> dict[int, int]:
    """The seqs of the facts that led to decisions, by the decisions' seqs."""
    return pairs(FACTS_BEHIND, decisions, first=[campaign_id])


def _number(statement: str, values: Sequence[Any]) -> int:
    """The one number a statement gives; PostgreSQL adds whole numbers up to a decimal."""
    return int(rows(statement, values)[0][0])


def arrivals_of(campaign_id: int, share_ids: Iterable[int]) -> dict[int, int]:
    """How many people came through each share."""
    keys = {arrivals_key(share): share for share in share_ids}
    return {keys[key]: n for key, n in counts(campaign_id, keys).items()}


def next_due(campaign_id: int, fan_id: int) -> tuple[int, int] | None:
    """When (µs) the next of a fan's waiting awards will count, and its points; None when nothing waits for a time."""
    return next(((due_us, points) for due_us, points in rows(NEXT_DUE, [campaign_id, fan_id])), None)


def waiting_for_review(campaign_id: int, *, at_most: int) -> list[Recorded]:
    """The awards a person has to look at, oldest first."""
    seqs = Hold.objects.filter(campaign_id=campaign_id, due_at_us__isnull=True).order_by("decision_seq")
    wanted = list(seqs.values_list("decision_seq", flat=True)[:at_most])
    bodies = Decision.objects.filter(campaign_id=campaign_id, seq__in=wanted).order_by("seq")
    return [from_body(body) for body in bodies.values_list("body", flat=True)]


def counted_awards(campaign_id: int, *, at_most: int) -> list[Recorded]:
    """The newest awards that were counted."""
    awards = Decision.objects.filter(campaign_id=campaign_id, outcome=Outcome.AWARDED).order_by("-seq")
    return [from_body(body) for body in awards.values_list("body", flat=True)[:at_most]]


def still_counts(campaign_id: int, seq: int) -> bool:
    """Whether a decision is an award that counts and was not taken back, nor is about to be."""
    awarded = Decision.objects.filter(campaign_id=campaign_id, seq=seq, outcome=Outcome.AWARDED).exists()
    key = award_reversed(decision=seq, reason="", at_us=0).key
    said = Fact.objects.filter(campaign_id=campaign_id, key=key).exists()
    return awarded and not said and not Inbox.objects.filter(campaign_id=campaign_id, key=key).exists()


def is_open(campaign_id: int, seq: int) -> bool:
    """Whether a decision's award still waits."""
    return Hold.objects.filter(campaign_id=campaign_id, decision_seq=seq).exists()
