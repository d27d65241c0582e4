"""Reading prizes: how many are left, who has won, and what a fan has been offered."""

from vteam.campaigns.file import ConcertEntry, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.people.models import Fan
from vteam.prizes.models import Offer
from vteam.rules.prizes import HOLDS, State


def prize_of(campaign: Campaign, key: str) -> PrizeEntry | None:
    """The prize with a key, as the campaign file has it now."""
    return next((prize for prize in campaign.file.prizes if prize.key == key), None)


def concerts_with_places(campaign: Campaign) -> list[ConcertEntry]:
    """The concerts some prize lets into, in the file's order."""
    keys = {prize.concert for prize in campaign.file.prizes}
    return [concert for concert in campaign.file.concerts if concert.key in keys]


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
