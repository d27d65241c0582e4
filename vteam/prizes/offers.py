"""Offering prizes and moving offers: each move is a step of its history and a fact in the journal.

`jobs` makes the offers that are due, in the order the books give; a prize of the stock is a slot that one offer holds
at a time, which the database itself refuses to give twice.
"""

import datetime as dt
import itertools
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Max

from vteam import clock
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.journal.services import record_fact
from vteam.people.models import Fan
from vteam.prizes.models import Offer, OfferMove
from vteam.prizes.queries import next_in_line
from vteam.rules.facts import prize_moved
from vteam.rules.prizes import HOLDS, State, Who, may_move, needs_stock

OFFERED_AT_ONCE = 500
ENDED_AT_ONCE = 500


def offer_due(*, at: dt.datetime) -> int:
    """Ends what was not claimed in time, and offers what is free to the next in line; returns how many moved.

    What its supplier has not confirmed is offered to nobody.
    """
    moved = _end_due(at)
    for campaign in Campaign.objects.order_by("pk"):
        for prize in campaign.file.prizes:
            if prize.confirmed:
                moved += _offer(campaign, prize, at)
    return moved


@transaction.atomic
def _offer(campaign: Campaign, prize: PrizeEntry, at: dt.datetime) -> int:
    fans = list(itertools.islice(_to_offer(campaign, prize), OFFERED_AT_ONCE))
    if not fans:
        return 0
    number = _last_number(campaign.pk, prize.key)
    for fan, slot in fans:
        number += 1
        make_offer(campaign, prize, fan, number=number, slot=slot, at=at)
    return len(fans)


def _to_offer(campaign: Campaign, prize: PrizeEntry) -> Iterator[tuple[Fan, int]]:
    """Who is to be offered one now, each with a free slot."""
    free = free_slots(campaign.pk, prize)
    first = next(free, None)
    if first is None:
        return
    yield from zip(
        next_in_line(campaign, prize, at_most=OFFERED_AT_ONCE), itertools.chain([first], free), strict=False
    )


def free_slots(campaign_id: int, prize: PrizeEntry) -> Iterator[int]:
    """The numbers of the stock nobody holds, lowest first."""
    if prize.stock is None:
        return itertools.count(_last_number(campaign_id, prize.key) + 1)
    offers = Offer.objects.filter(campaign_id=campaign_id, prize=prize.key, slot__isnull=False)
    if offers.count() >= prize.stock:
        return iter(())
    taken = set(offers.values_list("slot", flat=True))
    return (slot for slot in range(1, 1 + prize.stock) if slot not in taken)


def make_offer(
    campaign: Campaign, prize: PrizeEntry, fan: Fan, *, number: int, slot: int, at: dt.datetime
) -> Offer:
    """Offers a prize of the stock to a fan, in the caller's transaction."""
    offer = Offer.objects.create(
        campaign_id=campaign.pk,
        prize=prize.key,
        number=number,
        slot=slot,
        fan=fan,
        state=State.OFFERED,
        offered_at=at,
        claim_by=at + dt.timedelta(days=prize.claim_days),
        changed_at=at,
    )
    _note(offer, State.OFFERED, Who.TIME, "", at)
    return offer


def _last_number(campaign_id: int, prize: str) -> int:
    found = Offer.objects.filter(campaign_id=campaign_id, prize=prize).aggregate(last=Max("number"))
    return found["last"] or 0


def move_offer(*, offer: Offer, to: State, by: Who, at: dt.datetime, note: str = "", days: int = 0) -> bool:
    """Moves an offer; False where it stands otherwise by now, or nothing of the stock is left for it.

    `days`: how long there is to claim it where it is offered again.
    """
    with transaction.atomic():
        now = Offer.objects.select_for_update().get(pk=offer.pk)
        before = now.standing
        if now.step != offer.step or not may_move(before, to, by):
            return False
        if needs_stock(before, to):
            slot = _free_slot(now)
            if slot is None:
                return False
            now.slot, now.claim_by, now.told = slot, at + dt.timedelta(days=max(days, 1)), False
        elif to not in HOLDS:
            now.slot = None
        now.state, now.step, now.changed_at = to, now.step + 1, at
        now.save()
        _note(now, to, by, note, at)
    for name in ("state", "step", "slot", "claim_by", "changed_at"):
        setattr(offer, name, getattr(now, name))
    return True


def _free_slot(offer: Offer) -> int | None:
    campaign = Campaign.objects.select_for_update().get(pk=offer.campaign_id)
    prize = next((each for each in campaign.file.prizes if each.key == offer.prize), None)
    return next(free_slots(offer.campaign_id, prize), None) if prize and offer.fan_id else None


def _note(offer: Offer, state: State, by: Who, note: str, at: dt.datetime) -> None:
    OfferMove.objects.create(offer_id=offer.pk, step=offer.step, state=state, by=by, note=note, at=at)
    fact = prize_moved(
        prize=offer.prize, number=offer.number, step=offer.step, fan=offer.fan_id, state=state, by=by,
        at_us=clock.to_us(at),
    )  # fmt: skip
    record_fact(campaign_id=offer.campaign_id, fact=fact)


def _end_due(at: dt.datetime) -> int:
    """What was not claimed in time has run out; what was offered to somebody who has left is free again."""
    late = Offer.objects.filter(state=State.OFFERED, claim_by__lte=at).order_by("pk")[:ENDED_AT_ONCE]
    left = Offer.objects.filter(fan=None, state__in=[State.OFFERED, State.CLAIMED]).order_by("pk")[
        :ENDED_AT_ONCE
    ]
    ended = [move_offer(offer=offer, to=State.WITHDRAWN, by=Who.TIME, at=at) for offer in left]
    ended += [move_offer(offer=offer, to=State.EXPIRED, by=Who.TIME, at=at) for offer in late]
    return sum(ended)


@transaction.atomic
def take_first(*, campaign: Campaign, prize: PrizeEntry, fan: Fan, at: dt.datetime) -> Offer | None:
    """A fan takes one of what goes to those who come first; None where nothing is left. Asked again, it is the same."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    known = Offer.objects.filter(campaign_id=campaign.pk, prize=prize.key, fan=fan).first()
    if known is not None:
        return known
    slot = next(free_slots(campaign.pk, prize), None)
    if slot is None:
        return None
    return make_offer(campaign, prize, fan, number=_last_number(campaign.pk, prize.key) + 1, slot=slot, at=at)


def forget_details(*, at: dt.datetime) -> int:
    """Erases what winners told us, once its time is over."""
    late = Offer.objects.filter(details_until__lte=at).exclude(details=None)
    return late.update(details=None, details_until=None)
