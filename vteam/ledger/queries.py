"""Reading the books: a fan's rank and points, the top, the neighbours, and what became of each fact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from vteam.journal.models import Fact, Inbox
from vteam.ledger.models import Counter, Decision, Hold, Total
from vteam.ledger.past import Recorded, arrivals_key, from_body
from vteam.ledger.posting import BUCKET_POINTS
from vteam.rules.decisions import Outcome
from vteam.rules.facts import award_reversed

RANK = (
    "SELECT 1 + COALESCE((SELECT SUM(fans) FROM ledger_bucket WHERE campaign_id = %s AND bucket > %s), 0) "
    "+ COALESCE((SELECT SUM(fans) FROM ledger_level WHERE campaign_id = %s AND points > %s AND points < %s), 0)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A fan's place: exact competition rank (equal points, equal rank), points that count and that wait."""

    fan_id: int
    rank: int
    points: int
    waiting: int


def points_of(campaign_id: int, fan_id: int) -> tuple[int, int]:
    """A fan's points that count and that wait."""
    found = (
        Total.objects.filter(campaign_id=campaign_id, fan_id=fan_id)
        .values_list("confirmed", "pending")
        .first()
    )
    return found or (0, 0)


def rank_at(campaign_id: int, points: int) -> int:
    """The exact rank of somebody with these points: one more than the number of fans with more."""
    bucket = points // BUCKET_POINTS
    above = (bucket + 1) * BUCKET_POINTS
    with connection.cursor() as cursor:
        cursor.execute(RANK, [campaign_id, bucket, campaign_id, points, above])
        return int(cursor.fetchone()[0])


def standing_of(campaign_id: int, fan_id: int) -> Standing:
    """A fan's place in the ranking."""
    points, waiting = points_of(campaign_id, fan_id)
    return Standing(fan_id=fan_id, rank=rank_at(campaign_id, points), points=points, waiting=waiting)


def neighbours(campaign_id: int, fan_id: int, *, each_side: int = 1) -> list[Standing]:
    """The fans just above and just below a fan, with the fan between them, in order."""
    own = standing_of(campaign_id, fan_id)
    totals = Total.objects.filter(campaign_id=campaign_id)
    above = list(totals.filter(confirmed=own.points, fan_id__lt=fan_id).order_by("-fan_id")[:each_side])
    if len(above) < each_side:
        above += totals.filter(confirmed__gt=own.points).order_by("confirmed", "-fan_id")[
            : each_side - len(above)
        ]
    below = list(totals.filter(confirmed=own.points, fan_id__gt=fan_id).order_by("fan_id")[:each_side])
    if len(below) < each_side:
        below += totals.filter(confirmed__lt=own.points).order_by("-confirmed", "fan_id")[
            : each_side - len(below)
        ]
    return [*_ranked(campaign_id, above[::-1]), own, *_ranked(campaign_id, below)]


def top(campaign_id: int, *, at_most: int, skip: int = 0) -> list[Standing]:
    """The ranking from place `skip` on, ties in the order of joining."""
    totals = Total.objects.filter(campaign_id=campaign_id).order_by("-confirmed", "fan_id")
    return _ranked(campaign_id, list(totals[skip : skip + at_most]))


def _ranked(campaign_id: int, totals: Sequence[Total]) -> list[Standing]:
    ranks = {points: rank_at(campaign_id, points) for points in {total.confirmed for total in totals}}
    return [
        Standing(fan_id=t.fan_id, rank=ranks[t.confirmed], points=t.confirmed, waiting=t.pending)
        for t in totals
    ]


def fans_ranked(campaign_id: int) -> int:
    """How many fans the ranking counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(fans), 0) FROM ledger_bucket WHERE campaign_id = %s", [campaign_id]
        )
        return int(cursor.fetchone()[0])


def decisions_of(campaign_id: int, fan_id: int, *, at_most: int, before: int | None = None) -> list[Recorded]:
    """What became of a fan's facts, newest first; `before` is the seq to continue after."""
    decisions = Decision.objects.filter(campaign_id=campaign_id, fan_id=fan_id)
    if before is not None:
        decisions = decisions.filter(seq__lt=before)
    return [from_body(body) for body in decisions.order_by("-seq").values_list("body", flat=True)[:at_most]]


def last_decision_of(campaign_id: int, fan_id: int) -> int:
    """The seq of the newest decision about a fan; 0 before the first."""
    newest = Decision.objects.filter(campaign_id=campaign_id, fan_id=fan_id).order_by("-seq")
    return newest.values_list("seq", flat=True).first() or 0


def counts(campaign_id: int, keys: Iterable[str]) -> dict[str, int]:
    """Counters by name; those never counted are absent."""
    return dict(Counter.objects.filter(campaign_id=campaign_id, key__in=list(keys)).values_list("key", "n"))


def arrivals_of(campaign_id: int, share_ids: Iterable[int]) -> dict[int, int]:
    """How many people came through each share."""
    keys = {arrivals_key(share): share for share in share_ids}
    return {keys[key]: n for key, n in counts(campaign_id, keys).items()}


def next_due(campaign_id: int, fan_id: int) -> tuple[int, int] | None:
    """When (µs) the next of a fan's waiting awards will count, and its points; None when nothing waits for a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.due_at_us, d.points FROM ledger_hold h JOIN ledger_decision d "
            "ON d.campaign_id = h.campaign_id AND d.seq = h.decision_seq "
            "WHERE h.campaign_id = %s AND d.fan_id = %s AND h.due_at_us IS NOT NULL ORDER BY h.due_at_us LIMIT 1",
            [campaign_id, fan_id],
        )
        row = cursor.fetchone()
        return (int(row[0]), int(row[1])) if row else None


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
