"""The site's part of passing on: tickets for both ends, asking a fan for a title, and keeping evidence."""

import datetime as dt
import functools
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from vteam import clock
from vteam.campaigns.missions import season_of
from vteam.campaigns.models import Campaign, Title
from vteam.channels.copies.ranges import Segment, read_span, total_bytes
from vteam.channels.copies.services import Sendable
from vteam.channels.copies.tag import piece_bytes_for
from vteam.channels.links.models import Share
from vteam.channels.links.services import Visitor
from vteam.channels.mail.outbox import call_back, enqueue_for
from vteam.channels.swarm.models import Asked, EvidenceRow, Willing
from vteam.channels.swarm.pieces import Pieces, pieces_of
from vteam.channels.swarm.tickets import MINUTES, Role, Ticket, sealed
from vteam.journal.moving import InboxRow, reject
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.rules.codes import share_code
from vteam.rules.grants import Purpose
from vteam.rules.shapes import problem_with_moment, read_object

BODIES_KEPT = 256
CODE_BITS = 50
BROWSER_DIGITS = 32
ASKED_OPEN_MAX = 200
ASKED_PER_NETWORK_HOUR = 20
ASKED_DAYS = 14


# Tickets --------------------------------------------------------------------------------------------------------
def ticket_of(
    *,
    role: Role,
    campaign: Campaign,
    fan: int,
    title: Title,
    pieces: Pieces | None,
    browser: str,
    visitor: Visitor,
    at: dt.datetime,
) -> str:
    """What a page shows the edge. `browser`: what the page calls its browser; `pieces`: of a seeder's copy."""
    ticket = Ticket(
        role=role,
        campaign=campaign.pk,
        fan=fan,
        title=title.pk,
        by=visitor.fan_id,
        browser=browser_hash(campaign, browser),
        network=visitor.networks.near,
        expires_us=clock.to_us(at + dt.timedelta(minutes=MINUTES)),
        ends_us=season_of(campaign.file).ends_at_us,
        pieces=pieces,
    )
    return sealed(ticket, key=settings.SECRET_KEY.encode())


def browser_hash(campaign: Campaign, browser: str) -> str:
    """A keyed hash (32 hex digits) of what a page calls its browser; the key goes with the campaign's networks."""
    return hmac.new(bytes(campaign.network_key), f"browser:{browser}".encode(), hashlib.sha256).hexdigest()[
        :BROWSER_DIGITS
    ]


def pieces_of_copy(copy: Sendable, title: Title) -> Pieces:
    """A copy's pieces. Its tag fills whole pieces, and what comes after it is everybody's and hashed once."""
    length = piece_bytes_for(title.body_bytes)
    tag, body = copy.parts
    assert isinstance(tag, bytes) and isinstance(body, Segment) and len(tag) % length == 0
    first, rest = pieces_of([tag], length=length), _body_pieces(body, length)
    return Pieces(size=first.size + rest.size, length=length, hashes=first.hashes + rest.hashes)


@functools.lru_cache(maxsize=BODIES_KEPT)
def _body_pieces(body: Segment, length: int) -> Pieces:
    return pieces_of(read_span([body], 0, total_bytes([body])), length=length)


# Asking for a title ---------------------------------------------------------------------------------------------
class AskRefused(StrEnum):
    """Why a fan was not asked."""

    NOT_WILLING = "not_willing"
    TOO_MANY = "too_many"


@transaction.atomic
def ask_for(*, share: Share, title: Title, network: str, at: dt.datetime) -> Asked | AskRefused:
    """Leave word that somebody would like a title from the share's fan; the code is theirs to come back with."""
    if not may_be_asked(share.fan):
        return AskRefused.NOT_WILLING
    if share.fan.asked.filter(ended_at=None).count() >= ASKED_OPEN_MAX or not budgets.take(
        door="ask", key=network, limit=ASKED_PER_NETWORK_HOUR, window=budgets.HOUR, at=at
    ):
        return AskRefused.TOO_MANY
    asked = Asked.objects.create(
        code=share_code(secrets.randbits(CODE_BITS)),
        fan=share.fan,
        title=title,
        share_id=share.pk,
        asked_at=at,
        expires_at=at + dt.timedelta(days=ASKED_DAYS),
    )
    # However many ask: a fan who wants to be told is told once a title and day.
    enqueue_for(
        purpose=Purpose.ASKED,
        campaign_id=share.fan.campaign_id,
        person_id=share.fan.person_id,
        about={"title": title.pk},
        key=f"{title.pk}:{_day_of(title.campaign, at)}",
        at=at,
    )
    return asked


def _day_of(campaign: Campaign, at: dt.datetime) -> dt.date:
    """The day a moment lies in for a campaign, a night counting to the morning that ends it."""
    local = at.astimezone(ZoneInfo(campaign.file.season.time_zone))
    return (local + dt.timedelta(hours=(24 - settings.QUIET_HOURS[0]) % 24)).date()


def may_be_asked(fan: Fan) -> bool:
    """Whether a fan allowed to be asked for titles."""
    return Willing.objects.filter(fan=fan, may_be_asked=True).exists()


def let_be_asked(*, fan: Fan, may: bool) -> None:
    """The fan allows it, or not any more: then what was asked is over too."""
    Willing.objects.update_or_create(fan=fan, defaults={"may_be_asked": may})
    if not may:
        fan.asked.all().delete()
        _nothing_to_say(fan, None, at=clock.now())


def see_asked(*, fan: Fan, title: Title, at: dt.datetime) -> int:
    """The fan opened the title's page: who asked for it can read so. Returns how many there are."""
    waiting = fan.asked.filter(title=title, ended_at=None, expires_at__gt=at)
    waiting.filter(seen_at=None).update(seen_at=at)
    _nothing_to_say(fan, title, at=at)
    return waiting.count()


def end_asked(*, code: str, at: dt.datetime) -> None:
    """Who asked has it now, or does not want it any more."""
    asked = Asked.objects.filter(code=code, ended_at=None).select_related("fan", "title").first()
    if asked is None:
        return
    Asked.objects.filter(pk=asked.pk).update(ended_at=at)
    if not asked.fan.asked.filter(title=asked.title, ended_at=None, expires_at__gt=at).exists():
        _nothing_to_say(asked.fan, asked.title, at=at)


def _nothing_to_say(fan: Fan, title: Title | None, *, at: dt.datetime) -> None:
    """Nobody asks for a title (None: for any) any more: a letter that waits to say so has nothing to say."""
    call_back(
        purpose=Purpose.ASKED,
        campaign_id=fan.campaign_id,
        person_id=fan.person_id,
        about={"title": title.pk} if title else None,
        at=at,
    )


def forget_asked(*, at: dt.datetime) -> int:
    """Delete what was asked too long ago; returns how many."""
    return Asked.objects.filter(expires_at__lt=at).delete()[0]


# Evidence -------------------------------------------------------------------------------------------------------
def keep_evidence(rows: Iterable[InboxRow]) -> None:
    """Keep what the edge saw; the caller holds the transaction. Brought twice, it is kept once; of fans who erased
    themselves meanwhile nothing is.
    """
    found = [(row, fan) for row in rows if (fan := _fan_of_evidence(row)) is not None]
    if not found:
        return
    here = set(Fan.objects.filter(pk__in={fan for _, fan in found}).values_list("pk", flat=True))
    names = {row.key for row, _ in found}
    known = set(EvidenceRow.objects.filter(pk__in=names).values_list("pk", flat=True))
    for row, fan in found:
        if fan in here and row.key not in known:
            known.add(row.key)
            EvidenceRow.objects.create(
                introduction=row.key,
                campaign_id=row.campaign_id,
                fan_id=fan,
                seen_at_us=row.seen_at_us,
                content=row.body,
            )


def _fan_of_evidence(row: InboxRow) -> int | None:
    """The fan a row is about; None, and the row is kept aside, where it is none."""
    fan = (read_object(row.body) or {}).get("fan")
    if type(fan) is int and 0 < len(row.key) <= 32 and not problem_with_moment(row.seen_at_us):
        return fan
    reject(row, "evidence of nobody or at no time")
    return None


def forget_evidence(*, fans: Iterable[int]) -> None:
    """Erase what was seen of these fans; the facts keep its hash."""
    EvidenceRow.objects.filter(fan_id__in=list(fans)).delete()
