"""What roles, ways, standings, acts and findings are called on the pages: one word per thing, in both languages."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django import template
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vteam.campaigns.file import CampaignFile, ConcertEntry, ConditionsEntry, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.slips import Slip
from vteam.campaigns.values import Words
from vteam.channels.mail.findings import About, State
from vteam.fetching import Failed
from vteam.prizes.draws import NotNow, NotTaken
from vteam.prizes.models import Draw, RoundTry, Scan, Ticket
from vteam.prizes.rounds import COMES_AFTER, NotIts
from vteam.prizes.suppliers import Confirmation, Heard, confirmations
from vteam.rules.grants import Event, Pace
from vteam.rules.prizes import State as OfferState
from vteam.rules.rights import Act, Standing, Way
from vteam.rules.tickets import mark_of
from vteam.web.forms import names_of_countries
from vteam.web.reaching import PACE_NAMES, Line
from vteam.web.templatetags.vteam import hour, local, long_day, number

register = template.Library()


@register.filter
def role_name(role: str) -> str:
    """What somebody is to a title."""
    names = {
        "author": _("author"),
        "performer": _("performer"),
        "producer": _("producer"),
        "publisher": _("publisher"),
    }
    return names[role]


@register.filter
def language_name(code: str) -> str:
    """A language as a sentence names it."""
    names = {"en": _("English"), "fr": _("French")}
    return names[code]


@register.filter
def way_name(way: str) -> str:
    """A way of circulating, in a few words."""
    names = {
        Way.LISTEN: _("Listen here"),
        Way.DOWNLOAD: _("Download and keep"),
        Way.PASS_ON: _("Pass on"),
        Way.WORLDS: _("Play in virtual worlds"),
    }
    return names[Way(way)]


@register.filter
def standing_name(standing: str) -> str:
    """How a way stands, for those who decide it."""
    names = {
        Standing.OPEN: _("open"),
        Standing.NOT_AGREED: _("not agreed yet"),
        Standing.NOT_BEGUN: _("not begun yet"),
        Standing.REFUSED: _("refused"),
        Standing.WITHDRAWN: _("taken back"),
        Standing.EXPIRED: _("run out"),
        Standing.USED_UP: _("number reached"),
    }
    return names[Standing(standing)]


@register.filter
def pace_name(pace: str) -> str:
    """How often something comes."""
    return str(PACE_NAMES[Pace(pace)])


@register.filter
def said_what(line: Line) -> str:
    """One thing somebody said about being written to, or that was done in their name."""
    pace = pace_name(line.pace) if line.pace else ""
    names = {
        Event.GIVEN: _("yes, %(pace)s") % {"pace": pace},
        Event.REFUSED: _("no"),
        Event.PAUSED: _("paused"),
        Event.PACE_CHANGED: _("rather %(pace)s") % {"pace": pace},
        Event.WITHDRAWN: _("no more"),
        Event.EXPIRED: _("ended with the campaign"),
    }
    return names[Event(line.event)]


@register.filter
def about_name(about: str) -> str:
    """What was looked at about our mail."""
    names = {
        About.SPF: _("Who may send (SPF)"),
        About.DKIM: _("The signature (DKIM)"),
        About.DMARC: _("What becomes of forgeries (DMARC)"),
        About.REVERSE: _("The machine’s name (PTR)"),
        About.RETURN: _("The way back (MX)"),
    }
    return names[About(about)]


@register.filter
def state_name(state: str) -> str:
    """How something about our mail is."""
    names = {
        State.FINE: _("fine"),
        State.MISSING: _("missing"),
        State.WRONG: _("wrong"),
        State.UNKNOWN: _("not known"),
    }
    return names[State(state)]


@register.filter
def setting_means(name: str) -> str:
    """What a setting of our mail is for."""
    meanings = {
        "VTEAM_EMAIL_FROM": _("who our mail comes from, such as team@example.org"),
        "VTEAM_MAIL_IPS": _("the numeric addresses of the machines that hand it over to the world"),
        "VTEAM_DKIM_SELECTOR": _("the selector your mail server signs with"),
    }
    return meanings[name]


@register.filter
def act_name(act: str) -> str:
    """What a holder did."""
    names = {
        Act.AGREED: _("agreed"),
        Act.REFUSED: _("refused"),
        Act.WITHDRAWN: _("took back"),
        Act.USED_UP: _("the agreed number is reached"),
    }
    return names[Act(act)]


@register.simple_tag
def slip_until(slip: Slip, campaign: Campaign) -> str:
    """Until when a permission that holds will."""
    if slip.until is None:
        return _("Everybody it belongs to has agreed, until one of them takes it back.")
    end = local(slip.until, campaign)
    when = {"day": long_day(end), "time": hour(end)}
    return _("Everybody it belongs to has agreed, until %(day)s, %(time)s.") % when


@dataclass(frozen=True, slots=True, kw_only=True)
class Winners:
    """Who gets a prize, as printed on its stub: a number, big, between small words; a draw has no number."""

    before: str = ""
    number: str = ""
    after: str = ""


@register.filter
def winners(prize: PrizeEntry) -> Winners:
    """Who gets a prize."""
    if prize.kind == "ranking" and prize.first == 1:
        return Winners(before=_("for the"), number=_("1st"), after=_("of the ranking"))
    if prize.kind == "ranking" and prize.first:
        after = pgettext("after: the first 5", "of the ranking")
        return Winners(before=_("for the first"), number=number(prize.first), after=after)
    if prize.kind == "milestone" and prize.milestone:
        return Winners(before=_("from"), number=number(prize.milestone), after=_("points on"))
    return Winners(after=_("for who comes first")) if prize.kind == "first-come" else _drawn_among(prize)


def _drawn_among(prize: PrizeEntry) -> Winners:
    if prize.qualify == 0:
        return Winners(after=_("drawn among all fans"))
    if prize.qualify and prize.qualify > 1:
        return Winners(before=_("drawn from"), number=number(prize.qualify), after=_("points on"))
    return Winners(after=_("drawn among all who have points"))


@register.filter
def country_names(codes: Iterable[str]) -> str:
    """Countries as people call them, in the order of their names."""
    return ", ".join(sorted(names_of_countries().get(code, code) for code in codes))


@register.filter
def by_country(conditions: Iterable[ConditionsEntry]) -> list[tuple[str, Words]]:
    """Conditions of single countries, each under its name, in the order of the names."""
    names = names_of_countries()
    found = [(names.get(each.country, each.country), each.text) for each in conditions]
    return sorted(found, key=lambda each: each[0])


@register.filter
def conditions_for(campaign: Campaign, prize: PrizeEntry) -> list[tuple[str, Words]]:
    """The conditions of the countries a prize can be won in."""
    rules = campaign.file.rules
    every = rules.conditions if rules else ()
    return by_country(each for each in every if not prize.countries or each.country in prize.countries)


@register.filter
def offer_state(state: str) -> str:
    """How an offer of a prize stands."""
    names = {
        OfferState.OFFERED: pgettext("prize", "offered"),
        OfferState.CLAIMED: pgettext("prize", "claimed"),
        OfferState.SENT: pgettext("prize", "sent"),
        OfferState.RECEIVED: pgettext("prize", "received"),
        OfferState.DECLINED: pgettext("prize", "left to others"),
        OfferState.EXPIRED: pgettext("prize", "not claimed in time"),
        OfferState.WITHDRAWN: pgettext("prize", "taken back"),
    }
    return names[OfferState(state)]


@register.filter
def offer_act(to: str) -> str:
    """What a button says that moves an offer there."""
    names = {
        OfferState.OFFERED: _("Offer it again"),
        OfferState.CLAIMED: _("It was not sent after all"),
        OfferState.SENT: _("It is sent, or given"),
        OfferState.RECEIVED: _("It has come"),
        OfferState.WITHDRAWN: pgettext("prize", "Take it back"),
    }
    return names[OfferState(to)]


@register.filter
def draw_refusal(why: str) -> str:
    """Why a draw was not announced, or not drawn."""
    names = {
        NotNow.RESULT_OPEN: _("The result is not final yet: entries are frozen once it is."),
        NotNow.NOBODY: _("Nobody takes part yet."),
        NotNow.DRAWN: _("It is announced already, and cannot be announced twice."),
        NotNow.TOO_SOON: _("That is too soon: everybody needs time to note the hash."),
        NotTaken.WRONG: _("That is not what was announced. Nothing was drawn."),
        NotTaken.WAITS: _("It is kept. It is drawn when all have revealed, or after the close."),
        NotTaken.DONE: _("It is drawn already, and cannot be drawn twice."),
    }
    return names[why]  # type: ignore[index]


@register.filter
def concert_in(prize: PrizeEntry, file: CampaignFile) -> ConcertEntry | None:
    """The concert a prize lets into, as a campaign file has it."""
    return file.concert_of(prize)


@register.filter
def ticket_mark(ticket: Ticket) -> str:
    """The four letters of a concert's ticket."""
    return mark_of(bytes(ticket.token_hash))


@register.filter
def ticket_hash(ticket: Ticket) -> str:
    """What doors know a ticket by, in hexadecimal."""
    return bytes(ticket.token_hash).hex()


@register.filter
def scan_id(scan: Scan) -> str:
    """What a phone called a scan, in hexadecimal."""
    return bytes(scan.scan).hex()


@register.simple_tag
def how_sure(campaign: Campaign, file: CampaignFile) -> dict[str, Confirmation]:
    """How sure each prize of a campaign file is, by its key, for a page that lists them."""
    return confirmations(campaign.pk, file)


@register.filter
def of_prize(found: Mapping[str, Confirmation], prize: PrizeEntry) -> Confirmation:
    """How sure one of them is."""
    return found[prize.key]


@register.filter
def supplier_refusal(heard: str) -> str:
    """Why what a supplier said was not kept."""
    names = {
        Heard.REWORDED: _(
            "What you are asked to give has been worded differently meanwhile. Read it once more, please."
        ),
        Heard.OFFERED: _("Somebody has been offered it by now, so it cannot be taken back here."),
        Heard.TOO_OFTEN: _("This link has been answered very often. Ask for a new one, please."),
    }
    return names[Heard(heard)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How the round of a draw is fetched by itself: from when on, or how asking for it has failed so far."""

    from_at: dt.datetime
    failed: RoundTry | None


@register.simple_tag
def fetching(draw: Draw, comes_at: dt.datetime) -> Fetching | None:
    """How the round of a draw that waits for one is fetched by itself; None where no server is named."""
    if not settings.BEACON:
        return None
    failed = RoundTry.objects.filter(draw=draw, failures__gt=0).first()
    return Fetching(from_at=comes_at + COMES_AFTER, failed=failed)


@register.filter
def fetching_failure(why: str) -> str:
    """Why a round was not fetched (`rounds.Why`)."""
    names: dict[str, str] = {
        Failed.NOT_ALLOWED: _("the server’s address is none to ask"),
        Failed.UNREACHABLE: _("the server cannot be reached"),
        Failed.SLOW: _("the server is too slow"),
        Failed.REDIRECTED: _("the server sends us elsewhere"),
        Failed.REFUSED: _("the server does not give it"),
        Failed.TOO_BIG: _("the answer is too big"),
        Failed.UNREADABLE: _("the answer is none of a beacon"),
        NotIts.OTHER_ROUND: _("the answer is another round"),
        NotIts.NOT_ITS: _("the signature is not the beacon’s"),
    }
    return names[why]
