"""Campaigns with prizes, fans who earn, and the end of a season: what tests of prizes begin with."""

import datetime as dt
from typing import Any

from tests.cast import AT_US, SEASON, campaign_file, join, joined, move, offer, open_campaign
from vteam import clock
from vteam.campaigns.file import ConcertEntry, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.services import freeze_results
from vteam.journal.models import Fact
from vteam.people.models import Fan
from vteam.prizes.claims import Claim, Claimed, claim
from vteam.prizes.models import Offer, Ticket
from vteam.prizes.offers import offer_due
from vteam.prizes.tickets import good_tickets
from vteam.rules.prizes import State

SETTLED = clock.from_us(SEASON.ends_at_us) + dt.timedelta(days=14)
DAY = dt.timedelta(days=1)


def prize(**of: Any) -> dict[str, Any]:
    return {
        "key": "record", "kind": "ranking", "first": 2, "name": "A record", "explanation": "On vinyl.",
        "supplied_by": "Petit Large", "confirmed": True, **of,
    }  # fmt: skip


EVENING = ConcertEntry.model_validate(
    {
        "key": "nantes",
        "name": "The release concert",
        "at": "2027-02-13T20:30:00",
        "place": "La Cale sèche, Nantes",
    }
)
NIGHT = dt.datetime(2027, 2, 13, 19, 30, tzinfo=dt.UTC)
"""When it begins."""


def places(**of: Any) -> dict[str, Any]:
    """Places at that concert, as a prize."""
    return prize(**{"name": "Two places", "needs": "name", "concert": "nantes", "places": 2, **of})


def open_with(*prizes: dict[str, Any], slug: str = "maree-haute") -> Campaign:
    """A campaign with these prizes."""
    campaign = open_campaign(slug=slug)
    give(campaign, *prizes)
    return campaign


def give(campaign: Campaign, *prizes: dict[str, Any]) -> None:
    file = campaign_file(campaign.slug)
    entries = tuple(PrizeEntry.model_validate(each) for each in prizes)
    campaign.document = file.model_copy(update={"prizes": entries, "concerts": (EVENING,)}).canonical()
    campaign.__dict__.pop("file", None)
    campaign.save(update_fields=["document"])


def fans(campaign: Campaign, *names: str) -> list[Fan]:
    return [join(campaign.pk, name) for name in names]


def earn(campaign: Campaign, fan: Fan, times: int = 1) -> None:
    """So many recruits, at 500 points each."""
    first = Fact.objects.filter(campaign_id=campaign.pk).count() * 1000 + 100_000
    new = [joined(first + at, recruiter=fan.pk, network=f"n{first + at}", at_us=AT_US) for at in range(times)]
    offer(campaign.pk, *new)
    move()


def settle(campaign: Campaign, at: dt.datetime = SETTLED) -> None:
    assert freeze_results(at=at) == 1
    move()
    campaign.refresh_from_db()


def offered(campaign: Campaign, key: str = "record", state: State | None = None) -> list[str]:
    """Whom offers were made to, in order."""
    found = Offer.objects.filter(campaign_id=campaign.pk, prize=key).order_by("number")
    return [each.fan.name if each.fan else "" for each in found if state in (None, each.state)]


def the(campaign: Campaign, name: str, key: str = "record") -> Offer:
    return Offer.objects.get(campaign_id=campaign.pk, prize=key, fan__name=name)


ADULT = Claim(details={}, is_adult=True)


def came(offer: Offer, name: str, at: dt.datetime = SETTLED) -> list[Ticket]:
    """Somebody claims their places; their tickets."""
    told = Claim(details={"name": name}, is_adult=True)
    assert claim(offer=offer, claim=told, at=at)[0] is Claimed.CLAIMED
    return list(good_tickets(offer).select_related("offer__fan__person"))


def won(*names: str, **of: Any) -> tuple[Campaign, list[Fan]]:
    """A campaign whose result is final, and who has won its prize: these fans, the first with the most points."""
    campaign = open_with(prize(**of))
    people = fans(campaign, *names)
    for times, fan in zip(range(len(people), 0, -1), people, strict=True):
        earn(campaign, fan, times)
    settle(campaign)
    offer_due(at=SETTLED)
    return campaign, people
