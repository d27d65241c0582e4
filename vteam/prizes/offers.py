"""Offering prizes and moving offers: each move is a step of its history and a fact in the journal.

`jobs` makes the offers that are due, in the order the books give; a prize of the stock is a slot that one offer holds
at a time, which the database itself refuses to give twice.
"""

import datetime as dt
import itertools
import logging
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Max

from vteam import clock
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.journal.services import record_fact
from vteam.people.models import Fan
from vteam.prizes.lines import walk
from vteam.prizes.models import Line, Offer, OfferMove, Ticket
from vteam.prizes.queries import prize_of
from vteam.prizes.suppliers import confirmations, is_confirmed
from vteam.prizes.tickets import kept_until, void_tickets
from vteam.rules.facts import prize_moved
from vteam.rules.prizes import HOLDS, State, Who, may_move, needs_stock

OFFERED_AT_ONCE = 500
ENDED_AT_ONCE = 500
PIECES_AT_ONCE = 5
STEPS_OF_FANS = 30
"""So often an offer may have moved when its fan still moves it."""
KEPT_UNSENT = dt.timedelta(days=180)
"""How long what a winner told is kept where nothing is sent."""
logger = logging.getLogger(__name__)


def offer_due(*, at: dt.datetime) -> int:
    """Ends what was not claimed in time, and offers what is free to the next in line; returns how many moved.

    What neither its supplier nor the campaign file confirms is offered to nobody. A prize that cannot be offered
    hinders none of the others; the last fault is raised once they are done.
    """
    moved, fault = _end_due(at), None
    for campaign in Campaign.objects.order_by("pk"):
        sure = confirmations(campaign.pk, campaign.file)
        for prize in campaign.file.prizes:
            try:
                is_due = sure[prize.key].is_sure and not is_over(campaign, prize, at)
                moved += _offer(campaign, prize, at) if is_due else 0
            except Exception as wrong:
                logger.exception("the prize %s of campaign %s could not be offered", prize.key, campaign.pk)
                fault = wrong
    if fault is not None:
        raise fault
    return moved


def is_over(campaign: Campaign, prize: PrizeEntry, at: dt.datetime) -> bool:
    """Whether the concert a prize lets into has begun: nobody is offered a place any more."""
    concert = campaign.file.concert_of(prize)
    return concert is not None and at >= campaign.file.begins_at(concert)


def _claim_by(campaign: Campaign, prize: PrizeEntry, at: dt.datetime, days: int) -> dt.datetime:
    """Until when there is to claim it: so many days, but not after its concert has begun."""
    until, concert = at + dt.timedelta(days=days), campaign.file.concert_of(prize)
    return min(until, campaign.file.begins_at(concert)) if concert else until


def _offer(campaign: Campaign, prize: PrizeEntry, at: dt.datetime) -> int:
    """Walks some of the line while something is free."""
    made = 0
    for _ in range(PIECES_AT_ONCE):
        if next(free_slots(campaign.pk, prize), None) is None:
            break
        line, _is_new = Line.objects.get_or_create(campaign_id=campaign.pk, prize=prize.key)
        piece = walk(campaign, prize, line.passed)
        offered = _offer_to(campaign, prize, piece.fans[:OFFERED_AT_ONCE], at)
        made += offered
        if offered < len(piece.fans):
            break  # the rest of this piece is found again: nobody is passed over
        Line.objects.filter(pk=line.pk).update(passed=piece.passed)
        if piece.is_end:
            break
    return made


@transaction.atomic
def _offer_to(campaign: Campaign, prize: PrizeEntry, fans: Sequence[int], at: dt.datetime) -> int:
    """Offers what is free to these fans in their order; returns to how many."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    if not is_confirmed(campaign, prize):
        return 0  # its supplier has taken it back meanwhile
    here, number = Fan.objects.in_bulk(fans), _last_number(campaign.pk, prize.key)
    made = 0
    for fan, slot in zip(fans, free_slots(campaign.pk, prize), strict=False):
        if fan in here:  # who left meanwhile is passed over
            number += 1
            make_offer(campaign, prize, here[fan], number=number, slot=slot, at=at)
        made += 1
    return made


def free_slots(campaign_id: int, prize: PrizeEntry) -> Iterator[int]:
    """The numbers of the stock nobody holds, lowest first."""
    offers = Offer.objects.filter(campaign_id=campaign_id, prize=prize.key)
    if prize.stock is None:
        last = offers.aggregate(slot=Max("slot"), number=Max("number"))
        return itertools.count(max(last["slot"] or 0, last["number"] or 0) + 1)
    held = offers.filter(slot__isnull=False)
    if held.count() >= prize.stock:
        return iter(())
    taken = set(held.values_list("slot", flat=True))
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
        claim_by=_claim_by(campaign, prize, at, prize.claim_days),
        changed_at=at,
    )
    _note(offer, State.OFFERED, Who.TIME, "", at)
    return offer


def _last_number(campaign_id: int, prize: str) -> int:
    found = Offer.objects.filter(campaign_id=campaign_id, prize=prize).aggregate(last=Max("number"))
    return found["last"] or 0


def move_offer(*, offer: Offer, to: State, by: Who, at: dt.datetime, note: str = "", days: int = 0) -> bool:
    """Moves an offer; False where it stands otherwise by now, or nothing of the stock is left for it.

    `days`: how long there is to claim it where an organiser offers it again; a fan who comes back has what was left.
    What was told for it is erased where it is given up.
    """
    with transaction.atomic():
        now = Offer.objects.select_for_update().get(pk=offer.pk)
        before = now.standing
        if now.step != offer.step or not may_move(before, to, by) or _goes_round(now, by):
            return False
        if needs_stock(before, to):
            slot = _free_slot(now, at, days if by is Who.ORGANISER else 0)
            if slot is None:
                return False
            now.slot, now.told = slot, False
        elif to not in HOLDS:
            now.slot = None
            now.forget()
            void_tickets(offer=now, at=at)
        if (before, to) == (State.SENT, State.CLAIMED) and now.details is not None:
            now.details_until = at + KEPT_UNSENT
        now.state, now.step, now.changed_at = to, now.step + 1, at
        now.save()
        _note(now, to, by, note, at)
    offer.refresh_from_db()
    return True


def _goes_round(offer: Offer, by: Who) -> bool:
    """Whether a fan has moved it to and fro so often that each move would only be one more row for ever."""
    return by is Who.FAN and offer.step >= STEPS_OF_FANS


def _free_slot(offer: Offer, at: dt.datetime, days: int) -> int | None:
    """One of the stock for an offer that is made again; `days`: to claim it anew, 0 where what was left has to do."""
    campaign = Campaign.objects.select_for_update().get(pk=offer.campaign_id)
    prize = prize_of(campaign, offer.prize)
    if prize is None or offer.fan_id is None:
        return None
    if days:
        offer.claim_by = _claim_by(campaign, prize, at, days)
    return next(free_slots(offer.campaign_id, prize), None) if at < offer.claim_by else None


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
    """A fan takes one of what goes to those who come first while the season runs; None where nothing is left.

    Asked again, it is the same one.
    """
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    known = Offer.objects.filter(campaign_id=campaign.pk, prize=prize.key, fan=fan).first()
    if known is not None:
        return known
    season = campaign.file.season
    is_on = season.starts_at <= at < season.ends_at and not is_over(campaign, prize, at)
    slot = next(free_slots(campaign.pk, prize), None) if is_on and is_confirmed(campaign, prize) else None
    if slot is None:
        return None
    return make_offer(campaign, prize, fan, number=_last_number(campaign.pk, prize.key) + 1, slot=slot, at=at)


def forget_details(*, at: dt.datetime) -> int:
    """Erases what winners told us, once its time is over, and what was noted of those who have left; some at a time."""
    over = list(_over(at))
    Ticket.objects.filter(offer__in=over).update(sealed=None)
    left = Offer.objects.filter(fan=None).values("pk")
    noted = OfferMove.objects.filter(offer_id__in=left).exclude(note="")
    forgotten = Offer.objects.filter(pk__in=over).update(details=None, details_until=None)
    return forgotten + noted.update(note="")


def _over(at: dt.datetime) -> Iterator[int]:
    """Offers whose time to be kept is over. A concert that was put off is still to come: its names stay until then."""
    campaigns = {campaign.pk: campaign for campaign in Campaign.objects.all()}
    late = Offer.objects.filter(details_until__lte=at).exclude(details=None).order_by("details_until", "pk")
    for offer in late[:ENDED_AT_ONCE]:
        campaign = campaigns[offer.campaign_id]
        prize = prize_of(campaign, offer.prize)
        until = kept_until(campaign.file, prize) if prize else None
        if until is not None and until > at:
            Offer.objects.filter(pk=offer.pk).update(details_until=until)
        else:
            yield offer.pk
