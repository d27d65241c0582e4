"""Claiming: what a winner tells us so that they can be given their prize, sealed, seen by who sends it, then erased.

Nothing is asked before there is something to claim, and nothing the prize does not need. A minor's claim counts once a
parent has confirmed it, by a link the fan hands them: we write to nobody who did not ask.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.people import vault
from vteam.prizes.models import Offer
from vteam.prizes.offers import KEPT_UNSENT, move_offer
from vteam.prizes.queries import prize_of
from vteam.prizes.sealed import seal_for, unsealed
from vteam.prizes.tickets import kept_until, make_tickets
from vteam.rules.prizes import State, Who

KEPT_SENT = dt.timedelta(days=30)
SECRET_BYTES = 24
PARENT = "parent's link"
LONGEST = 120
NEEDED: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    "name": ("name",),
    "address": ("name", "street", "postcode", "town"),
}
"""What a claim has to tell, by what the prize needs."""
OPTIONAL = ("more",)


class Claimed(StrEnum):
    """What became of a claim."""

    CLAIMED = "claimed"
    WAITS_FOR_PARENT = "waits_for_parent"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a winner says. `details`: by the names in NEEDED, and `country` (ISO 3166) where it matters."""

    details: Mapping[str, str]
    is_adult: bool
    shows_name: bool = False


def fields_of(prize: PrizeEntry) -> tuple[str, ...]:
    """What a claim of a prize is asked for, in the order of a form."""
    fields = NEEDED[prize.needs]
    if prize.needs == "address":
        fields = ("name", "street", *OPTIONAL, "postcode", "town")
    return (*fields, "country") if prize.needs == "address" or prize.countries else fields


@transaction.atomic
def claim(*, offer: Offer, claim: Claim, at: dt.datetime) -> tuple[Claimed, str]:
    """Keeps a claim; returns what became of it, and the secret of the parent's link where one has to confirm."""
    now = Offer.objects.select_for_update(of=("self",)).select_related("fan__person").get(pk=offer.pk)
    if now.state != State.OFFERED or now.fan is None or at >= now.claim_by:
        return Claimed.TOO_LATE, ""
    now.details = None
    if claim.details:
        now.details = seal_for(now.fan, claim.details)
    now.details_until = _kept_until(now, at) if claim.details else None
    # Who once said to be under 18 stays so for this prize.
    now.is_adult = claim.is_adult and now.is_adult is not False
    now.shows_name = claim.shows_name and now.is_adult
    secret = "" if now.is_adult else secrets.token_urlsafe(SECRET_BYTES)
    now.parent_hash = vault.keyed_hash(PARENT, secret) if secret else None
    now.save()
    if secret:
        return Claimed.WAITS_FOR_PARENT, secret
    return (Claimed.CLAIMED if _claimed(now, at) else Claimed.TOO_LATE), ""


def _claimed(offer: Offer, at: dt.datetime) -> bool:
    """The claim counts; a place at a concert is a ticket from now on."""
    if not move_offer(offer=offer, to=State.CLAIMED, by=Who.FAN, at=at):
        return False
    prize = prize_of(Campaign.objects.get(pk=offer.campaign_id), offer.prize)
    if prize is not None and prize.concert:
        make_tickets(offer=offer, prize=prize, name=details_of(offer).get("name", ""), at=at)
    return True


def _kept_until(offer: Offer, at: dt.datetime) -> dt.datetime:
    campaign = Campaign.objects.get(pk=offer.campaign_id)
    prize = prize_of(campaign, offer.prize)
    return (kept_until(campaign.file, prize) if prize else None) or at + KEPT_UNSENT


def waiting_for_parent(secret: str) -> Offer | None:
    """The offer a parent's link is about; None where it is no good any more."""
    return _behind(secret).select_related("fan").first()


def _behind(secret: str) -> QuerySet[Offer]:
    return Offer.objects.filter(parent_hash__in=vault.keyed_hashes(PARENT, secret), state=State.OFFERED)


@transaction.atomic
def parent_confirms(*, secret: str, at: dt.datetime) -> bool:
    """A parent agrees: the claim counts. False where the link is no good, or the time is over."""
    offer = _behind(secret).select_for_update().first()
    if offer is None or at >= offer.claim_by:
        return False
    offer.parent_hash, offer.parent_confirmed_at = None, at
    offer.save(update_fields=["parent_hash", "parent_confirmed_at"])
    return _claimed(offer, at)


def details_of(offer: Offer) -> dict[str, str]:
    """What the winner told; nothing before the claim, once it is erased, or when they have left."""
    return unsealed(offer.fan, offer.details)


def decline(*, offer: Offer, at: dt.datetime) -> bool:
    """The winner does not want it; what they told is erased, and the next in line is offered it."""
    return move_offer(offer=offer, to=State.DECLINED, by=Who.FAN, at=at)


@transaction.atomic
def sent(*, offer: Offer, at: dt.datetime, note: str = "") -> bool:
    """It is on its way, or was given; what was told for it is erased some weeks later."""
    if not move_offer(offer=offer, to=State.SENT, by=Who.ORGANISER, at=at, note=note):
        return False
    Offer.objects.filter(pk=offer.pk).exclude(details=None).update(details_until=at + KEPT_SENT)
    return True
