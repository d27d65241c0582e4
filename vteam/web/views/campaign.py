"""A campaign's public pages: the campaign itself, its ranking, its look and its pictures."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from vteam import clock
from vteam.campaigns import files
from vteam.campaigns.models import Campaign
from vteam.campaigns.news import latest
from vteam.campaigns.queries import every_campaign, titles_of
from vteam.ledger import queries as books
from vteam.ledger.queries import Standing
from vteam.people.models import Fan
from vteam.people.queries import names_of
from vteam.web.answers import campaign_or_404
from vteam.web.theme import theme_called
from vteam.web.visitors import fan_here

TOP = 10
NEWS = 2
PAGE = 50
# Where very many have the same points, a page is found by walking over those before it: the list ends before that
# takes long, and says so. Everybody's own place stands on their home page, however far down.
PAGES_MAX = 2_000
# From 1, with few enough digits for every database.
WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,14}")
JPEG = b"\xff\xd8\xff"


@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """The campaigns of this installation; where there is one, that one."""
    campaigns = every_campaign()
    if len(campaigns) == 1:
        return redirect("campaign", slug=campaigns[0].slug)
    return render(request, "campaigns.html", {"campaigns": campaigns})


@require_safe
def campaign(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What the campaign is, before anybody joins."""
    found = campaign_or_404(slug)
    fan, top = fan_here(request, found), ranked(found, at_most=TOP)
    context = {
        "campaign": found,
        "titles": titles_of(found, at_us=clock.now_us()),
        "top": top,
        "mine": mine(top, fan),
        "fans": books.fans_ranked(found.pk),
        "fan": fan,
        "news": latest(found, at_most=NEWS),
        "demo": settings.DEMO,
    }
    return render(request, "campaign.html", context)


@require_safe
def ranking(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The ranking, a page at a time."""
    found = campaign_or_404(slug)
    page = page_number(request)
    if page > PAGES_MAX:
        raise Http404
    rows = ranked(found, at_most=PAGE + 1, skip=(page - 1) * PAGE)
    fan = fan_here(request, found)
    context = {
        "campaign": found,
        "fan": fan,
        "rows": rows[:PAGE],
        "mine": mine(rows, fan),
        "page": page,
        "has_next": len(rows) > PAGE and page < PAGES_MAX,
        "ends_at": page * PAGE if len(rows) > PAGE and page == PAGES_MAX else None,
        "fans": books.fans_ranked(found.pk),
        "own": books.standing_of(found.pk, fan.pk) if fan else None,
    }
    return render(request, "ranking.html", context)


class Row(NamedTuple):
    """A row of the ranking. `name`: None of somebody who left."""

    fan_id: int
    rank: int
    points: int
    name: str | None


def ranked(campaign: Campaign, *, at_most: int, skip: int = 0) -> tuple[Row, ...]:
    """Rows of the ranking with the names to show."""
    return named(books.top(campaign.pk, at_most=at_most, skip=skip))


def named(standings: Sequence[Standing]) -> tuple[Row, ...]:
    """Standings with the names to show."""
    names = names_of(standing.fan_id for standing in standings)
    return tuple(Row(one.fan_id, one.rank, one.points, names.get(one.fan_id)) for one in standings)


def mine(rows: Iterable[Row], fan: Fan | None) -> int | None:
    """The fan's id where one of the rows is theirs: that row is printed in colour."""
    return fan.pk if fan and any(row.fan_id == fan.pk for row in rows) else None


def page_number(request: HttpRequest, name: str = "page") -> int:
    """The page asked for, from 1; 404 for anything else. `name`: of which list, where a page has several."""
    text = request.GET.get(name, "1")
    if not WHOLE_NUMBER.fullmatch(text):
        raise Http404
    return int(text)


@require_safe
def theme(request: HttpRequest, name: str) -> HttpResponseBase:
    """A campaign's two colours as a stylesheet, at an address that changes with them."""
    stylesheet = theme_called(name)
    if stylesheet is None:
        raise Http404
    return _for_ever(HttpResponse(stylesheet, content_type="text/css"))


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """A stored picture by its content's hash. Stored audio has other doors and is not given out here."""
    try:
        file = files.path_of(name).open("rb")
    except (ValueError, FileNotFoundError) as error:
        raise Http404 from error
    if file.read(len(JPEG)) != JPEG:
        file.close()
        raise Http404
    file.seek(0)
    return _for_ever(FileResponse(file, content_type="image/jpeg"))


def _for_ever(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
