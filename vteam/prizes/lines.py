"""Who is next in line for a prize: a piece of the line at a time, so that no campaign is too big for one turn.

How far a line was walked is kept: who stands before that has been offered the prize. Nothing is locked while walking.
"""

from collections.abc import Sequence
from typing import NamedTuple

from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.ledger.models import Decision, Total
from vteam.ledger.queries import is_final
from vteam.people.models import Fan
from vteam.prizes.models import DrawEntry, Offer
from vteam.rules.decisions import Outcome
from vteam.rules.prizes import Moved, Placed, PrizeKind, in_order, reached_in_order

DECISIONS_AT_ONCE = 5_000
DRAWN_AT_ONCE = 500
FANS_AT_ONCE = 500
COUNTING = [Outcome.AWARDED, Outcome.REVERSED]
BEGINNING = 0


class Walked(NamedTuple):
    """A piece of a line: fans in order, and how far it goes. `is_end`: there is nobody behind it, for now."""

    fans: list[int]
    passed: int
    is_end: bool


def walk(campaign: Campaign, prize: PrizeEntry, passed: int) -> Walked:
    """The next piece of a line from where it was walked to; who was offered the prize, or has left, is not in it."""
    pieces = {
        PrizeKind.RANKING: _of_ranking, PrizeKind.MILESTONE: _of_milestone, PrizeKind.DRAW: _of_draw,
    }  # fmt: skip
    piece = pieces.get(PrizeKind(prize.kind))
    if piece is None:
        return Walked([], passed, is_end=True)
    found = piece(campaign, prize, passed)
    return found._replace(fans=_to_offer(campaign.pk, prize.key, found.fans))


def _of_ranking(campaign: Campaign, prize: PrizeEntry, passed: int) -> Walked:
    """A level of points of the final ranking, the next lower one with points in it; nobody before it is final."""
    if campaign.settled_at is None or not is_final(campaign.pk):
        return Walked([], passed, is_end=True)
    totals = Total.objects.filter(campaign_id=campaign.pk, confirmed__gt=0)
    if passed != BEGINNING:
        totals = totals.filter(confirmed__lt=passed)
    level = totals.order_by("-confirmed").values_list("confirmed", flat=True).first()
    if level is None:
        return Walked([], passed, is_end=True)
    fans = list(totals.filter(confirmed=level).values_list("fan_id", flat=True))
    reached = {moved.fan: moved.seq for moved in _moves(campaign.pk, fans)}
    order = in_order(Placed(fan, level, reached.get(fan, 0)) for fan in fans)
    return Walked([one.fan for one in order], level, is_end=False)


def _of_milestone(campaign: Campaign, prize: PrizeEntry, passed: int) -> Walked:
    """Who has the milestone's points and came to them by one of the next decisions, in that order."""
    decisions = Decision.objects.filter(campaign_id=campaign.pk, seq__gt=passed).order_by("seq")
    rows = list(decisions.values_list("seq", "fan_id", "outcome")[:DECISIONS_AT_ONCE])
    if not rows:
        return Walked([], passed, is_end=True)
    last, milestone = rows[-1][0], prize.milestone or 0
    moved = list(dict.fromkeys(fan for _, fan, outcome in rows if outcome == Outcome.AWARDED))
    there = [fan for part in _parts(moved) for fan in _with_points(campaign.pk, part, milestone)]
    reached = reached_in_order(_moves(campaign.pk, _to_offer(campaign.pk, prize.key, there)), milestone)
    return Walked([fan for fan, seq in reached if seq <= last], last, is_end=len(rows) < DECISIONS_AT_ONCE)


def _of_draw(campaign: Campaign, prize: PrizeEntry, passed: int) -> Walked:
    """Who was drawn, in the order of the draw."""
    entries = DrawEntry.objects.filter(
        draw__campaign_id=campaign.pk, draw__prize=prize.key, draw__void_at=None, place__gte=passed
    )
    rows = list(entries.order_by("place").values_list("place", "fan_id")[:DRAWN_AT_ONCE])
    end = (rows[-1][0] or 0) + 1 if rows else passed
    return Walked([fan for _, fan in rows if fan is not None], end, is_end=not rows)


def _to_offer(campaign_id: int, prize: str, fans: Sequence[int]) -> list[int]:
    """Of these, in their order, who is still here and was not offered the prize yet."""
    found: list[int] = []
    for part in _parts(fans):
        offered = Offer.objects.filter(campaign_id=campaign_id, prize=prize, fan_id__in=part)
        gone = set(offered.values_list("fan_id", flat=True))
        here = set(Fan.objects.filter(pk__in=part).values_list("pk", flat=True))
        found += [fan for fan in part if fan in here and fan not in gone]
    return found


def _with_points(campaign_id: int, fans: Sequence[int], points: int) -> list[int]:
    totals = Total.objects.filter(campaign_id=campaign_id, fan_id__in=fans, confirmed__gte=points)
    return list(totals.values_list("fan_id", flat=True))


def _moves(campaign_id: int, fans: Sequence[int]) -> list[Moved]:
    """What decisions did to these fans' points that count, in order."""
    found: list[Moved] = []
    for part in _parts(fans):
        decisions = Decision.objects.filter(campaign_id=campaign_id, fan_id__in=part, outcome__in=COUNTING)
        found += [
            Moved(seq, fan, points if outcome == Outcome.AWARDED else -points)
            for seq, fan, points, outcome in decisions.values_list("seq", "fan_id", "points", "outcome")
        ]
    return sorted(found)


def _parts(fans: Sequence[int]) -> list[Sequence[int]]:
    return [fans[at : at + FANS_AT_ONCE] for at in range(0, len(fans), FANS_AT_ONCE)]
