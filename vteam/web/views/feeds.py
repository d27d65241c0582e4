"""What can be followed without an account: a campaign's news as feeds, its season as a calendar.

Each address has one language: without one it leads to the campaign's first, whatever the browser asks for, so that a
program which keeps the address always reads the same. No cookie is looked at, and everybody gets the same bytes.
"""

import datetime as dt
import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import condition, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.feeds.news import atom, json_feed
from vteam.channels.feeds.queries import news_feed, season_calendar
from vteam.channels.feeds.values import NewsFeed
from vteam.web.addresses import site_base
from vteam.web.answers import campaign_or_404
from vteam.web.language import reverse_in

FRESH = "public, max-age=300"
ATOM, JSON_FEED = "application/atom+xml; charset=utf-8", "application/feed+json; charset=utf-8"
CALENDAR = "text/calendar; charset=utf-8"


@require_safe
def news_atom(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The news as Atom."""
    return _news(request, slug, "news-atom", atom, ATOM)


@require_safe
def news_json(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The news as JSON Feed."""
    return _news(request, slug, "news-json", json_feed, JSON_FEED)


@require_safe
def season(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The season and the concerts as a calendar."""
    campaign = campaign_or_404(slug)
    language = _language(request, campaign)
    if language is None:
        return _to_its_language(campaign, "season-calendar")
    from vteam.channels.feeds.season import icalendar_of  # 80 ms and 7 MiB: once the first is asked for

    base = site_base(request)
    calendar = season_calendar(
        campaign,
        language=language,
        page=base + reverse("campaign", args=[slug]),
        address=base + reverse("season-calendar", args=[slug]),
    )
    return _sent(request, icalendar_of(calendar), CALENDAR, changed_at=calendar.updated_at)


def _news(
    request: HttpRequest, slug: str, route: str, written: Callable[[NewsFeed], bytes], content_type: str
) -> HttpResponseBase:
    campaign = campaign_or_404(slug)
    language = _language(request, campaign)
    if language is None:
        return _to_its_language(campaign, route)
    base = site_base(request)
    feed = news_feed(
        campaign,
        language=language,
        page=base + reverse("campaign", args=[slug]),
        address=base + reverse(route, args=[slug]),
        address_of=lambda news: base + reverse("news-one", args=[slug, news.pk]),
    )
    return _sent(request, written(feed), content_type, changed_at=feed.updated_at)


def _language(request: HttpRequest, campaign: Campaign) -> str | None:
    """The language in the address, if there is one and the campaign is told in it."""
    code = translation.get_language()
    given = getattr(request, "vteam_language_given", False)
    return code if given and code in campaign.file.languages else None


def _to_its_language(campaign: Campaign, route: str) -> HttpResponse:
    answer = HttpResponseRedirect(reverse_in(campaign.file.languages[0], route, campaign.slug))
    answer.headers["Cache-Control"] = FRESH
    return answer


def _sent(
    request: HttpRequest, content: bytes, content_type: str, *, changed_at: dt.datetime
) -> HttpResponseBase:
    """The whole, or 304 to whoever has it already (RFC 9110, 13). The tag is of the bytes: it cannot be out of date.

    The time is told in whole seconds: not before that second is over, for something else may still change in it.
    """
    settled = clock.now() >= changed_at.replace(microsecond=0) + dt.timedelta(seconds=1)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    @condition(etag_func=lambda _: tag, last_modified_func=lambda _: changed_at if settled else None)
    def answer(_: HttpRequest) -> HttpResponse:
        return HttpResponse(content, content_type=content_type)

    sent: HttpResponseBase = answer(request)
    sent.headers["Cache-Control"] = FRESH
    sent.headers["Content-Language"] = translation.get_language() or ""
    return sent
