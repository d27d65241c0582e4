"""Tickets of concerts: made when a place is claimed, given on where the prize allows it, void with its offer.

A ticket's code is random, signed under a key of the campaign's (Ed25519, derived from the master keys), and sealed with
the name at the door under the winner's own key; what doors know of it is a hash.
"""

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import QuerySet

from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.people import vault
from vteam.prizes.models import Offer, Ticket
from vteam.prizes.sealed import seal_for, unsealed
from vteam.rules.tickets import SECRET_BYTES, code_of, hash_of, mark_of, signed_bytes

KEY = "ticket key"
GIVEN_ON_AT_MOST = 10
"""So often a place may change hands."""
KEPT_AFTER = dt.timedelta(days=30)
"""How long after its concert a ticket can still be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a ticket says to who holds it: its code, and for whom it is."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A place on the guest list. `winner`: the name of who has won it, where it is another one's by now."""

    ticket: Ticket
    name: str
    winner: str
    prize: str
    places: int

    @property
    def mark(self) -> str:
        """Four letters that are on the ticket too."""
        return mark_of(bytes(self.ticket.token_hash))


def make_tickets(*, offer: Offer, prize: PrizeEntry, name: str, at: dt.datetime) -> None:
    """Makes a ticket for each place of an offer that was just claimed, in the caller's transaction."""
    for place in range(1, 1 + prize.places):
        step = Ticket.objects.filter(offer=offer, place=place).count()
        _make(offer, str(prize.concert), place, step, name, at)


def _make(offer: Offer, concert: str, place: int, step: int, name: str, at: dt.datetime) -> Ticket:
    assert offer.fan is not None, "whoever claims it is there"
    secret = secrets.token_bytes(SECRET_BYTES)
    code = code_of(secret, _keys(offer.campaign_id)[0].sign(signed_bytes(offer.campaign_id, secret)))
    sealed = seal_for(offer.fan, {"code": code, "name": name})
    return Ticket.objects.create(
        campaign_id=offer.campaign_id,
        concert=concert,
        offer=offer,
        place=place,
        step=step,
        token_hash=hash_of(secret),
        sealed=sealed,
        made_at=at,
    )


def void_tickets(*, offer: Offer, at: dt.datetime) -> None:
    """From now on nobody comes in with them."""
    Ticket.objects.filter(offer=offer, void_at=None).update(void_at=at, sealed=None)


@transaction.atomic
def give_on(*, ticket: Ticket, name: str, at: dt.datetime) -> Ticket | None:
    """Makes a new ticket of the same place for somebody else; the one before is no good any more.

    None where it is used, void, or has changed hands too often.
    """
    offer = (
        Offer.objects.select_for_update(of=("self",)).select_related("fan__person").get(pk=ticket.offer_id)
    )
    now = Ticket.objects.get(pk=ticket.pk)
    if now.void_at or now.entered_at or offer.fan is None or not may_change_hands(now):
        return None
    now.void_at, now.given_on, now.sealed = at, True, None
    now.save(update_fields=["void_at", "given_on", "sealed"])
    return _make(offer, now.concert, now.place, now.step + 1, name, at)


def may_change_hands(ticket: Ticket) -> bool:
    """Whether its place has not been given on too often already."""
    before = Ticket.objects.filter(offer_id=ticket.offer_id, place=ticket.place, given_on=True)
    return before.count() < GIVEN_ON_AT_MOST


def good_tickets(offer: Offer) -> QuerySet[Ticket]:
    """The tickets of an offer that let somebody in, place by place."""
    return Ticket.objects.filter(offer=offer, void_at=None).order_by("place")


def told_by(ticket: Ticket) -> Told | None:
    """What a ticket says; None once it is erased, or its winner has left. Reads `offer.fan.person`."""
    told = unsealed(ticket.offer.fan, ticket.sealed)
    return Told(code=told["code"], name=told["name"]) if told else None


def kept_until(file: CampaignFile, prize: PrizeEntry) -> dt.datetime | None:
    """How long what was told for a place at a concert is kept; None where the prize is no such place."""
    concert = file.concert_of(prize)
    return file.over_at(concert) + KEPT_AFTER if concert else None


def tickets_of(campaign_id: int, concert: str) -> QuerySet[Ticket]:
    """The tickets that let somebody into a concert."""
    return Ticket.objects.filter(
        campaign_id=campaign_id, concert=concert, void_at=None, offer__fan__isnull=False
    )


def guests(file: CampaignFile, campaign_id: int, concert: str) -> Iterator[Guest]:
    """The guest list of a concert, in no order: names are sealed, so that only who reads them can sort them."""
    prizes = {prize.key: prize for prize in file.prizes}
    found = tickets_of(campaign_id, concert).select_related("offer__fan__person").order_by("pk")
    for ticket in found.iterator(chunk_size=500):
        prize, told = prizes.get(ticket.offer.prize), told_by(ticket)
        if prize is not None and told is not None:
            winner = unsealed(ticket.offer.fan, ticket.offer.details).get("name", "")
            other = winner if winner != told.name else ""
            yield Guest(ticket=ticket, name=told.name, winner=other, prize=prize.key, places=prize.places)


# Signatures ----------------------------------------------------------------------------------------------------------
def public_keys(campaign_id: int) -> list[str]:
    """What a campaign's tickets can be checked with, in hexadecimal: one for each master key there is."""
    return [key.public_key().public_bytes_raw().hex() for key in _keys(campaign_id)]


def _keys(campaign_id: int) -> list[Ed25519PrivateKey]:
    """A campaign's keys, the one in use first."""
    seeds = vault.keyed_hashes(KEY, str(campaign_id))
    return [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]
