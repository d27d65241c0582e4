"""The door of a concert: who is let in, once, however many doors there are.

A ticket counts on the day of its concert. Two doors that scan the same one wait for each other; a phone without network
decides by the list it has, tells what it did when it is back, and where two of them let in the same ticket, that shows.
What is told once a door is closed shows, too, and uses up no ticket: its code may have been in wrong hands.
"""

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet

from vteam import clock
from vteam.campaigns.file import ConcertEntry
from vteam.campaigns.models import Campaign
from vteam.people import vault
from vteam.prizes.models import Door, Offer, Scan, Ticket
from vteam.prizes.offers import move_offer
from vteam.prizes.tickets import Told, tickets_of, told_by
from vteam.rules.codes import SHARE_ALPHABET
from vteam.rules.prizes import State, Who
from vteam.rules.tickets import Became, hash_of, read_code

CODE = "door code"
CODE_LENGTH = 8
OPEN_AFTER = dt.timedelta(hours=12)
"""So long after the day of its concert a door still lets in: many end after midnight."""
UNDONE_WITHIN = dt.timedelta(hours=1)
OFFLINE_FOR = dt.timedelta(hours=24)
DOORS_AT_MOST = 20
SCANS_OF_A_TICKET = 20
"""So many scans of one ticket are noted at a door, and so many of its mistakes undone there."""
UNNOTED = frozenset({Became.OTHER_CONCERT, Became.TOO_EARLY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A scan as a phone tells it. `scan`: its own 16 random bytes; `let_in`: by its list, while it was `offline`."""

    scan: bytes
    at: dt.datetime
    offline: bool = False
    let_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a door says. `first`: the scan that let somebody in before, where one did."""

    became: Became
    ticket: Ticket | None = None
    told: Told | None = None
    scan: Scan | None = None
    first: Scan | None = None


def concert_at(door: Door) -> tuple[Campaign, ConcertEntry] | None:
    """The campaign and the concert of a door; None where the file has it no more."""
    campaign = Campaign.objects.get(pk=door.campaign_id)
    concert = campaign.file.concert(door.concert)
    return (campaign, concert) if concert else None


# Doors ---------------------------------------------------------------------------------------------------------------
def open_door(
    *, campaign: Campaign, concert: ConcertEntry, name: str, at: dt.datetime
) -> tuple[Door, str] | None:
    """A new door, and its code, which is shown this once; None where there are too many, or the concert is over."""
    there = Door.objects.filter(campaign_id=campaign.pk, concert=concert.key)
    if there.count() >= DOORS_AT_MOST or at >= campaign.file.over_at(concert) + OPEN_AFTER:
        return None
    code = "".join(secrets.choice(SHARE_ALPHABET) for _ in range(CODE_LENGTH))
    door = Door.objects.create(
        campaign_id=campaign.pk,
        concert=concert.key,
        name=name,
        code_hash=vault.keyed_hash(CODE, code),
        opened_at=at,
    )
    return door, code


def door_with(typed: str, *, at: dt.datetime) -> Door | None:
    """The door a typed code opens, however it was spaced."""
    code = "".join(letter for letter in typed.lower() if letter.isalnum())
    door = Door.objects.filter(code_hash__in=vault.keyed_hashes(CODE, code)).first()
    return door if door is not None and is_open(door, at=at) else None


def is_open(door: Door, *, at: dt.datetime) -> bool:
    """Whether a door still lets anybody in."""
    found = concert_at(door)
    if door.ended_at is not None or found is None:
        return False
    campaign, concert = found
    return at < campaign.file.over_at(concert) + OPEN_AFTER


def end_door(*, door: Door, at: dt.datetime) -> None:
    """Its code is no good any more, nor any phone that came in by it; they may still tell what they did before."""
    Door.objects.filter(pk=door.pk, ended_at=None).update(ended_at=at)


# Letting in ----------------------------------------------------------------------------------------------------------
def scan_code(*, door: Door, code: str, heard: Heard) -> Said:
    """What becomes of a scanned code. Nobody guesses 128 bits: whether it is one of ours, our own list says."""
    read = read_code(code)
    if read is None:
        return Said(became=Became.NOT_OURS)
    return scan_hash(door=door, token_hash=hash_of(read.secret), heard=heard)


def scan_hash(*, door: Door, token_hash: bytes, heard: Heard) -> Said:
    """What becomes of a ticket a phone knew by its hash."""
    ticket = Ticket.objects.filter(token_hash=token_hash, campaign_id=door.campaign_id).first()
    return let_in(door=door, ticket=ticket, heard=heard) if ticket else Said(became=Became.NOT_OURS)


@transaction.atomic
def let_in(*, door: Door, ticket: Ticket, heard: Heard) -> Said:
    """Lets the holder of a ticket in, once. The same scan told again is answered as it was."""
    door = Door.objects.select_for_update().get(pk=door.pk)
    offer = (
        Offer.objects.select_for_update(of=("self",)).select_related("fan__person").get(pk=ticket.offer_id)
    )
    ticket = Ticket.objects.get(pk=ticket.pk)
    ticket.offer = offer
    known = Scan.objects.filter(door=door, scan=heard.scan).first()
    if known is not None:
        return _again(known, ticket, heard)
    became = _became(door, ticket, heard)
    if became is not Became.IN and not _is_noted(became, door, ticket, heard):
        return _said(became, ticket, None)
    scan = Scan.objects.create(
        door=door,
        scan=heard.scan,
        ticket=ticket,
        became=became,
        at=heard.at,
        came_at=clock.now(),
        offline=heard.offline,
        let_in=became is Became.IN or heard.let_in,
    )
    if became is Became.IN:
        _enter(offer, ticket, heard.at)
    return _said(became, ticket, scan)


def _is_noted(became: Became, door: Door, ticket: Ticket, heard: Heard) -> bool:
    """Whether a scan that let nobody in is kept: not for ever again, and not where nothing came of it."""
    if became in UNNOTED and not heard.let_in:
        return False
    return Scan.objects.filter(door=door, ticket=ticket).count() < SCANS_OF_A_TICKET


def _again(known: Scan, ticket: Ticket, heard: Heard) -> Said:
    """A scan that was told before. Where no answer reached the phone in time, it may have let in by its own list."""
    if known.ticket_id != ticket.pk or known.undone_at is not None:
        return Said(became=Became.NOT_OURS)
    if heard.let_in and not known.let_in:
        known.let_in = known.offline = True
        known.save(update_fields=["let_in", "offline"])
    return _said(Became(known.became), ticket, known)


def _enter(offer: Offer, ticket: Ticket, at: dt.datetime) -> None:
    ticket.entered_at = at
    ticket.save(update_fields=["entered_at"])
    move_offer(offer=offer, to=State.RECEIVED, by=Who.DOOR, at=at)


def _became(door: Door, ticket: Ticket, heard: Heard) -> Became:
    found = concert_at(door)
    if ticket.concert != door.concert or found is None:
        return Became.OTHER_CONCERT
    if door.ended_at is not None:
        return Became.TOLD_LATE
    if ticket.entered_at is not None:
        return Became.ALREADY_IN
    if ticket.void_at is not None or ticket.offer.fan is None:
        return Became.GIVEN_ON if ticket.given_on else Became.TAKEN_BACK
    campaign, concert = found
    return Became.IN if heard.at >= campaign.file.day_begins_at(concert) else Became.TOO_EARLY


def _said(became: Became, ticket: Ticket, scan: Scan | None) -> Said:
    first = None
    if became is Became.ALREADY_IN:
        letting = Scan.objects.filter(ticket=ticket, became=Became.IN, undone_at=None)
        first = letting.select_related("door").first()
    return Said(became=became, ticket=ticket, told=told_by(ticket), scan=scan, first=first)


@transaction.atomic
def undo(*, door: Door, scan: bytes, at: dt.datetime) -> bool:
    """It was a mistake: nobody went in by this scan. False where it is too late, or nobody was let in."""
    found = Scan.objects.filter(door=door, scan=scan, let_in=True, undone_at=None).first()
    if found is None or at >= found.came_at + UNDONE_WITHIN:
        return False
    if Scan.objects.filter(door=door, ticket=found.ticket_id).count() > SCANS_OF_A_TICKET:
        return False
    return _undo(found.ticket, Scan.objects.filter(pk=found.pk), at)


@transaction.atomic
def take_out(*, ticket: Ticket, at: dt.datetime) -> bool:
    """Nobody is in with a ticket after all, as an organiser says: it is good again. False where nobody was."""
    return _undo(ticket, Scan.objects.filter(ticket=ticket), at)


def _undo(ticket: Ticket, scans: QuerySet[Scan], at: dt.datetime) -> bool:
    """Who else was let in with the ticket is in now; where nobody was, it is good again."""
    offer = Offer.objects.select_for_update().get(pk=ticket.offer_id)
    if not scans.filter(let_in=True, undone_at=None).update(undone_at=at, let_in=False):
        return False
    letting = Scan.objects.filter(ticket=ticket, let_in=True, undone_at=None).exclude(became=Became.TOLD_LATE)
    other = letting.order_by("pk").first()
    if other is not None:
        Scan.objects.filter(pk=other.pk).update(became=Became.IN)
    Ticket.objects.filter(pk=ticket.pk).update(entered_at=other.at if other else None)
    if not Ticket.objects.filter(offer=offer, void_at=None, entered_at__isnull=False).exists():
        move_offer(offer=offer, to=State.CLAIMED, by=Who.DOOR, at=at)
    return True


def heard_offline(*, scan: bytes, at_us: int, let_in: bool, now: dt.datetime) -> Heard:
    """A scan a phone tells of later. Its clock is believed within the last day."""
    at = min(max(clock.from_us(at_us), now - OFFLINE_FOR), now)
    return Heard(scan=scan, at=at, offline=True, let_in=let_in)


# Reading -------------------------------------------------------------------------------------------------------------
def counted(door: Door) -> tuple[int, int]:
    """How many are in, and how many are expected in all."""
    expected = tickets_of(door.campaign_id, door.concert)
    return expected.filter(entered_at__isnull=False).count(), expected.count()


def undoable(door: Door, tickets: Iterable[int], *, at: dt.datetime) -> dict[int, Scan]:
    """By ticket, the scan of this door that let somebody in and can still be undone here."""
    scans = Scan.objects.filter(door=door, ticket__in=list(tickets), let_in=True, undone_at=None)
    return {scan.ticket_id: scan for scan in scans.filter(came_at__gt=at - UNDONE_WITHIN).order_by("pk")}


def known_hashes(door: Door) -> Iterable[tuple[bytes, bool]]:
    """What a phone needs to go on without network: the hash of each good ticket, and whether somebody is in with it."""
    found = tickets_of(door.campaign_id, door.concert).order_by("pk").values_list("token_hash", "entered_at")
    return (
        (bytes(token_hash), entered_at is not None)
        for token_hash, entered_at in found.iterator(chunk_size=2_000)
    )


def conflicts(campaign_id: int, concert: str) -> QuerySet[Scan]:
    """Whom a phone let in without network although the ticket was no good, or used at another door, latest first."""
    passed = Scan.objects.filter(ticket__campaign_id=campaign_id, ticket__concert=concert, let_in=True)
    wrong = passed.exclude(became=Became.IN).filter(undone_at=None)
    return wrong.select_related("door", "ticket__offer__fan__person").order_by(F("at").desc(), "pk")
