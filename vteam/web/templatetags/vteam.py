"""Filters and tags of the pages: addresses, and numbers, times and texts as people read them.

Thousands stand apart by a no-break space in both languages. Times are shown in the campaign's time zone.
A text an organiser wrote in several languages is shown in the page's.
"""

import datetime as dt
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django import template
from django.template import Context, Node
from django.template.base import Parser, Token
from django.template.loader import render_to_string
from django.templatetags.i18n import do_translate
from django.urls import get_script_prefix, reverse
from django.utils.formats import date_format, time_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from vteam import clock as the_clock
from vteam.campaigns.file import ConcertEntry
from vteam.campaigns.models import Campaign, News, Organiser
from vteam.campaigns.organisers import organiser_of
from vteam.campaigns.values import Words
from vteam.rights.queries import Circulations
from vteam.rules.rights import Circulation, Way
from vteam.web.addresses import site_base
from vteam.web.assets import asset_url
from vteam.web.language import plain_reverse, reverse_in
from vteam.web.theme import theme_name
from vteam.web.visitors import person_of
from vteam.web.words import Told, as_html, first_paragraph, told_in

register = template.Library()

NO_BREAK_SPACE = "\u00a0"
MINUS = "\u2212"
LEAP_YEAR = 2000
PARTS_KEPT = 1_024
"""The parts a process keeps at most; the one not asked for longest goes."""


# Addresses --------------------------------------------------------------------------------------------------
@register.simple_tag
def page(name: str, *args: str) -> str:
    """The address of a page, as `{% url %}` gives it, worked out once: for pages asked for often."""
    return _address(get_script_prefix(), name, args)


@lru_cache(maxsize=512)
def _address(prefix: str, name: str, args: tuple[str, ...]) -> str:
    return reverse(name, args=args)


@register.simple_tag
def asset(name: str) -> str:
    """The address of a built file: `{% asset "site.css" %}`."""
    return asset_url(name)


class Feeds(NamedTuple):
    """Where a campaign can be followed without an account, in one of its languages."""

    campaign: str
    language: str
    atom: str
    json: str
    calendar: str


@register.simple_tag
def feeds(campaign: Campaign) -> Feeds:
    """The addresses of a campaign's feeds in the page's language, or in its first where it is not told in that one."""
    file, slug = campaign.file, campaign.slug
    here = get_language() or ""
    code = here if here in file.languages else file.languages[0]
    atom, json, calendar = (
        reverse_in(code, route, slug) for route in ("news-atom", "news-json", "season-calendar")
    )
    return Feeds(campaign=file.name, language=code, atom=atom, json=json, calendar=calendar)


@register.simple_tag
def theme(campaign: Campaign) -> str:
    """The address of a campaign's stylesheet; it has no language and changes with the colours."""
    return plain_reverse("theme", theme_name(*campaign.file.theme.colours))


@register.simple_tag
def picture(campaign: Campaign, use: str) -> str:
    """The address of a campaign's picture for a use ("page", "small", "card"); no language in it."""
    return plain_reverse("picture", campaign.pictures[use])


@register.simple_tag(takes_context=True)
def whole(context: Context, address: str) -> str:
    """An address with our host before it, for whoever reads the page elsewhere (Open Graph)."""
    return site_base(context["request"]) + address


@register.filter
def in_address(text: str) -> str:
    """A text as part of an address's query."""
    return quote(text, safe="")


# Numbers ----------------------------------------------------------------------------------------------------
@register.filter
def number(value: int) -> str:
    """A whole number: 12450 is "12 450"."""
    return f"{value:,}".replace(",", NO_BREAK_SPACE).replace("-", MINUS)


@register.filter
def signed(value: int) -> str:
    """Points that came or went: +500, −50, and 0 as it is."""
    return f"+{number(value)}" if value > 0 else number(value)


@register.filter
def ordinal(place: int) -> SafeString:
    """A place in the ranking: 3rd in English, 3 with a raised e (1 with er) in French."""
    if (get_language() or "").startswith("fr"):
        return format_html("{}<sup>{}</sup>", number(place), "er" if place == 1 else "e")
    return format_html("{}{}", number(place), _english_suffix(place))


def _english_suffix(place: int) -> str:
    if place % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")


@register.filter
def duration(milliseconds: int) -> str:
    """How long a title lasts: 84 000 ms is "1:24"."""
    seconds = milliseconds // 1000
    return f"{seconds // 60}:{seconds % 60:02}"


# Times ------------------------------------------------------------------------------------------------------
@register.filter
def moment(at_us: int) -> dt.datetime:
    """Whole microseconds UTC since 1970 as a moment."""
    return the_clock.from_us(at_us)


@register.filter
def local(at: dt.datetime, campaign: Campaign | None) -> dt.datetime:
    """A moment in the campaign's time zone; without a campaign in UTC."""
    return at.astimezone(ZoneInfo(campaign.file.season.time_zone) if campaign else dt.UTC)


@register.filter
def day(at: dt.date) -> str:
    """A day with its month: "18 December", "18 décembre"; the first is "1er" in French."""
    return _day(get_language() or "en", at.month, at.day)


@lru_cache(maxsize=2 * 366)
def _day(language: str, month: int, day: int) -> str:
    if day == 1 and language.startswith("fr"):
        return "1er " + date_format(dt.date(LEAP_YEAR, month, day), "F")
    return date_format(dt.date(LEAP_YEAR, month, day), "j F")


@register.filter
def long_day(at: dt.date) -> str:
    """A day with its weekday and year: "Friday 18 December 2026"."""
    return f"{date_format(at, 'l')} {day(at)} {at.year}"


@register.filter
def last_day(end: dt.datetime, campaign: Campaign) -> str:
    """The day before an end that is the first moment after it: "24 January"."""
    return day(local(end - dt.timedelta(microseconds=1), campaign))


@register.filter
def hour(at: dt.datetime) -> str:
    """The time of day: "14:02", in French "14 h 02"."""
    return _hour(get_language(), at.hour, at.minute)


@lru_cache(maxsize=2 * 24 * 60)
def _hour(language: str, hour: int, minute: int) -> str:
    # Translators: the time of day; H is the hour, i the minutes, a backslash keeps a letter as it is.
    return time_format(dt.time(hour, minute), pgettext("time format", "H:i"))


@register.filter
def when(at: dt.datetime, campaign: Campaign | None) -> str:
    """When something happened, as short as it can be said: the hour today, else the day and the hour."""
    here, today = local(at, campaign), local(the_clock.now(), campaign).date()
    return hour(here) if here.date() == today else f"{day(here)}, {hour(here)}"


@register.filter
def day_and_hour(at: dt.datetime, campaign: Campaign) -> str:
    """A day and an hour, also today: "18 December, 14:02", to follow "on", "by" or "le"."""
    here = local(at, campaign)
    return f"{day(here)}, {hour(here)}"


@register.filter
def day_in(at: dt.datetime, campaign: Campaign) -> str:
    """The day something happened, with its weekday, in the campaign's time zone: "Tuesday 17 November"."""
    here = local(at, campaign)
    return f"{date_format(here, 'l')} {day(here)}"


@register.simple_tag
def days_left(campaign: Campaign) -> int:
    """Whole days until the release day in the campaign's time zone: 0 on the day, negative after it."""
    release = local(campaign.file.season.release_at, campaign).date()
    return (release - local(the_clock.now(), campaign).date()).days


@register.simple_tag
def concerts_ahead(campaign: Campaign) -> tuple[ConcertEntry, ...]:
    """The concerts that are not over, the next one first."""
    return campaign.file.concerts_ahead(the_clock.now())


@register.simple_tag
def season(campaign: Campaign) -> str:
    """How the season stands: "before", "running" or "over"."""
    now, file = the_clock.now(), campaign.file
    if now < file.season.starts_at:
        return "before"
    return "running" if now < file.season.ends_at else "over"


@register.simple_tag
def result(campaign: Campaign) -> str:
    """How the result stands: "" while the season runs, then "provisional", then "final"."""
    if the_clock.now() < campaign.file.season.ends_at:
        return ""
    return "provisional" if campaign.settled_at is None else "final"


# Parts ------------------------------------------------------------------------------------------------------
@register.simple_tag
def kept(part: str, **given: Hashable) -> SafeString:
    """A part that shows nothing but the values it is given, printed once for all who would see the same.

    `{% kept "parts/ranks.html" rows=top %}`: like `include … only`. The values, compared by what they are, the
    language and what it does to addresses are the whole of what makes two such parts the same, so nothing kept can
    be out of date. Such a part asks neither the clock nor the database.
    """
    return _printed(part, get_language(), get_script_prefix(), tuple(given.items()))


@lru_cache(maxsize=PARTS_KEPT)
def _printed(part: str, language: str, prefix: str, given: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return render_to_string(part, dict(given))


# Texts ------------------------------------------------------------------------------------------------------
class _Said(Node):
    """A text of the page's own in the languages it was read in so far."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.said: dict[str, str] = {}

    def render(self, context: Context) -> str:
        """Django's hook."""
        language = get_language()
        if language not in self.said:
            self.said[language] = self.node.render(context)
        return self.said[language]


@register.tag("translate")
def translate(parser: Parser, token: Token) -> Node:
    """Django's own tag; what it says of a constant is found once a language instead of once a reader."""
    node = do_translate(parser, token)
    _, *parts = token.split_contents()
    is_constant = all(part[0] in "\"'" or part == "context" for part in parts)
    return _Said(node) if is_constant and not node.filter_expression.filters else node


@register.filter
def words(text: Words | None) -> str:
    """An organiser's text in the page's language."""
    return text.in_language(get_language() or "en") if text else ""


@register.filter
def paragraphs(text: str) -> SafeString:
    """An organiser's plain text as paragraphs, its addresses as links (`web.words`)."""
    return as_html(text)


@register.filter
def opening(text: str) -> str:
    """The first paragraph of an organiser's plain text."""
    return first_paragraph(text)


@register.filter
def told(news: News) -> Told:
    """News in the page's language, or in the one there is."""
    return told_in(news, get_language() or "en")


@register.simple_tag(takes_context=True)
def organiser(context: Context, campaign: Campaign) -> Organiser | None:
    """The organiser the reader is in a campaign. A visitor costs no query, nor does a page that knows already."""
    known: Organiser | None = context.get("organiser")
    return known or organiser_of(person_of(context["request"]), campaign)


@register.filter
def way(ways: Circulations, name: str) -> Circulation:
    """How one way of circulating stands: `offered.ways|way:"pass-on"`."""
    return ways[Way(name)]


@register.simple_tag
def one_of(value: object, **answers: Any) -> Any:
    """The answer that belongs to a value: `{% one_of state open=a over=b %}`; "" when none does."""
    return answers.get(str(value).replace("-", "_"), "")
