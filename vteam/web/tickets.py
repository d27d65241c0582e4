"""What a ticket of a concert shows: on its winner's page, and printed."""

import datetime as dt
from dataclasses import dataclass

import segno
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from vteam.campaigns.file import ConcertEntry, PrizeEntry
from vteam.prizes.models import Offer, Ticket
from vteam.prizes.tickets import Guest, Told, good_tickets, may_change_hands, told_by
from vteam.rules.tickets import mark_of
from vteam.web.forms import bare_name
from vteam.web.templatetags.vteam import hour, long_day, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A ticket on its winner's page. `code`: as SVG; `can_give`: whether it may still change hands."""

    ticket: Ticket
    name: str
    mark: str
    code: SafeString
    can_give: bool


def shown_tickets(offer: Offer, prize: PrizeEntry) -> list[Shown]:
    """The tickets of an offer as its page shows them."""
    return [
        Shown(
            ticket=ticket,
            name=told.name,
            mark=_mark(ticket),
            code=_svg(told.code),
            can_give=_can_give(ticket, prize),
        )
        for ticket, told in told_tickets(offer)
    ]


def told_tickets(offer: Offer) -> list[tuple[Ticket, Told]]:
    """The good tickets of an offer with what they say, place by place."""
    found = good_tickets(offer).select_related("offer__fan__person")
    return [(ticket, told) for ticket in found if (told := told_by(ticket)) is not None]


def _can_give(ticket: Ticket, prize: PrizeEntry) -> bool:
    return prize.given_on and ticket.entered_at is None and may_change_hands(ticket)


def _mark(ticket: Ticket) -> str:
    return mark_of(bytes(ticket.token_hash))


def _svg(code: str) -> SafeString:
    made = segno.make(code, error="m", micro=False)
    return mark_safe(
        made.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="ticket__code")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a ticket shows: texts in the page's language. `place`: which of how many, empty where there is one."""

    code: str
    mark: str
    name: str
    prize: str
    concert: str
    where: str
    when: str
    place: str
    rule: str


def printed(ticket: Ticket, told: Told, prize: PrizeEntry, concert: ConcertEntry) -> Printed:
    """A ticket as it is printed."""
    of = {"place": ticket.place, "places": prize.places}
    return Printed(
        code=told.code,
        mark=_mark(ticket),
        name=told.name,
        prize=words(prize.name),
        concert=words(concert.name),
        where=concert.place,
        when=when_of(concert),
        place=_("Place %(place)d of %(places)d") % of if prize.places > 1 else "",
        rule=_rule(ticket, told, prize),
    )


def _rule(ticket: Ticket, told: Told, prize: PrizeEntry) -> str:
    once = _("Whoever shows it first comes in, once: show it to nobody before.")
    if prize.given_on:
        return once
    own = _("It is for %(name)s alone, and the door may ask for a name.")
    along = _("It is for whoever comes with %(name)s.")
    return f"{(own if ticket.place == 1 else along) % {'name': told.name}} {once}"


def by_name(guest: Guest) -> tuple[str, int, int]:
    """As a list at a door is sorted."""
    return bare_name(guest.name), guest.ticket.offer_id, guest.ticket.place


def when_of(concert: ConcertEntry) -> str:
    """When a concert is, in its own place's time."""
    day = long_day(concert.at)
    return f"{day}, {hour(concert.at)}" if isinstance(concert.at, dt.datetime) else day
