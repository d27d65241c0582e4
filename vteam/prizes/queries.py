"""Reading prizes: who is next in line, how many are left, and what a fan has been offered."""

from collections.abc import Iterator, Sequence

from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.ledger.models import Decision, Total
from vteam.ledger.queries import is_final
from vteam.people.models import Fan
from vteam.prizes.models import DrawEntry, Offer
from vteam.rules.decisions import Outcome
from vteam.rules.prizes import HOLDS, Moved, Placed, PrizeKind, State, in_order, reached_in_order

LEVELS_AT_ONCE = 200
FANS_AT_ONCE = 500


def prize_of(campaign: Campaign, key: str) -> PrizeEntry | None:
    """The prize with a key, as the campaign file has it now."""
    return next((prize for prize in campaign.file.prizes if prize.key == key), None)


def to_claim(fan: Fan) -> list[Offer]:
    """What a fan has won and not claimed yet, the next deadline first."""
    return list(Offer.objects.filter(fan=fan, state=State.OFFERED).order_by("claim_by", "pk"))


def held(campaign_id: int, prize: str) -> int:
    """How many of a prize somebody holds."""
    return Offer.objects.filter(campaign_id=campaign_id, prize=prize, state__in=list(HOLDS)).count()


def shown_winners(campaign_id: int, prize: str, *, at_most: int) -> tuple[str, ...]:
    """The names of who has claimed a prize and agreed to be named, in the order they were offered it."""
    claimed = Offer.objects.filter(
        campaign_id=campaign_id, prize=prize, shows_name=True, is_adult=True, fan__isnull=False,
        state__in=[State.CLAIMED, State.SENT, State.RECEIVED],
    )  # fmt: skip
    return tuple(claimed.order_by("number").values_list("fan__name", flat=True)[:at_most])


def next_in_line(campaign: Campaign, prize: PrizeEntry, *, at_most: int) -> list[Fan]:
    """Whom a prize goes to next, in order: who was offered it already, or has left, is passed over."""
    line = _LINES.get(PrizeKind(prize.kind))
    if line is None:
        return []
    found: list[Fan] = []
    for group in line(campaign, prize):
        offered = set(
            Offer.objects.filter(campaign_id=campaign.pk, prize=prize.key, fan_id__in=group).values_list(
                "fan_id", flat=True
            )
        )
        here = Fan.objects.in_bulk([fan for fan in group if fan not in offered])
        found += [here[fan] for fan in group if fan in here]
        if len(found) >= at_most:
            break
    return found[:at_most]


def _of_ranking(campaign: Campaign, prize: PrizeEntry) -> Iterator[Sequence[int]]:
    """The final ranking, those with points in it, a few levels of points at a time; nobody before it is final."""
    if campaign.settled_at is None or not result_is_in(campaign):
        return
    below: int | None = None
    while True:
        totals = Total.objects.filter(campaign_id=campaign.pk, confirmed__gt=0)
        if below is not None:
            totals = totals.filter(confirmed__lt=below)
        levels = list(
            totals.order_by("-confirmed").values_list("confirmed", flat=True).distinct()[:LEVELS_AT_ONCE]
        )
        if not levels:
            return
        here = totals.filter(confirmed__gte=levels[-1]).values_list("fan_id", "confirmed")
        points = dict(here)
        reached = _last_changes(campaign.pk, list(points))
        yield [one.fan for one in in_order(Placed(fan, points[fan], reached.get(fan, 0)) for fan in points)]
        below = levels[-1]


def _of_milestone(campaign: Campaign, prize: PrizeEntry) -> Iterator[Sequence[int]]:
    """Who has the milestone's points, in the order of having had them first."""
    reached = Total.objects.filter(campaign_id=campaign.pk, confirmed__gte=prize.milestone or 0)
    offered = Offer.objects.filter(campaign_id=campaign.pk, prize=prize.key, fan__isnull=False)
    fans = list(reached.exclude(fan_id__in=offered.values("fan_id")).values_list("fan_id", flat=True))
    yield [fan for fan, _ in reached_in_order(_moves(campaign.pk, fans), prize.milestone or 0)]


def _of_draw(campaign: Campaign, prize: PrizeEntry) -> Iterator[Sequence[int]]:
    """Who was drawn, in the order of the draw."""
    entries = DrawEntry.objects.filter(
        draw__campaign_id=campaign.pk, draw__prize=prize.key, draw__void_at=None, place__isnull=False
    )
    yield [fan for fan in entries.order_by("place").values_list("fan_id", flat=True) if fan is not None]


_LINES = {
    PrizeKind.RANKING: _of_ranking,
    PrizeKind.MILESTONE: _of_milestone,
    PrizeKind.DRAW: _of_draw,
}


def result_is_in(campaign: Campaign) -> bool:
    """Whether the books know that the result is final: what was said before it is in them."""
    return is_final(campaign.pk)


def _last_changes(campaign_id: int, fans: Sequence[int]) -> dict[int, int]:
    """The numbers of the decisions that brought fans to the points they have."""
    return {fan: seq for seq, fan, _ in _moves(campaign_id, fans)}


def _moves(campaign_id: int, fans: Sequence[int]) -> Iterator[Moved]:
    """What decisions did to these fans' points that count, in order."""
    found: list[Moved] = []
    for at in range(0, len(fans), FANS_AT_ONCE):
        decisions = Decision.objects.filter(
            campaign_id=campaign_id,
            fan_id__in=fans[at : at + FANS_AT_ONCE],
            outcome__in=[Outcome.AWARDED, Outcome.REVERSED],
        )
        found += [
            Moved(seq, fan, points if outcome == Outcome.AWARDED else -points)
            for seq, fan, points, outcome in decisions.values_list("seq", "fan_id", "points", "outcome")
        ]
    return iter(sorted(found))
