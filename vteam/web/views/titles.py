"""Titles: hearing them, and a fan's personal copy. The gate is asked at every request and while bytes leave."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import OfferedTitle, title_of, titles_of
from vteam.channels.copies.ranges import Span
from vteam.channels.copies.services import count_sent, personal_copy, sending, to_listen
from vteam.channels.links.services import share_inside_copies
from vteam.people.models import Fan
from vteam.rules.rights import Standing, Way
from vteam.web.addresses import short_link
from vteam.web.answers import campaign_or_404, for_fans, send_mp3, withdrawn


@for_fans
@require_safe
def titles(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """The titles a fan may hear and keep, in the band's own words."""
    offered = titles_of(campaign, at_us=clock.now_us())
    sent = dict(fan.copies_sent.values_list("title_id", "up_to"))
    rows = [
        {"offered": row, "downloaded": sent.get(row.title.pk, 0) > row.title.body_bytes} for row in offered
    ]
    return render(request, "titles.html", {"campaign": campaign, "fan": fan, "rows": rows})


@require_safe
def listen(request: HttpRequest, slug: str, key: str) -> HttpResponseBase:
    """The audio for the play button: for everybody, while its holders agree."""
    campaign = campaign_or_404(slug)
    offered = _offered(campaign, key)
    if not offered.can_listen:
        return _closed(request, campaign, offered, Way.LISTEN)
    sendable, pk = to_listen(offered.title), offered.title.pk
    return send_mp3(
        request,
        sendable,
        lambda span: sending(sendable, span, title_id=pk, way=Way.LISTEN),
        as_attachment=False,
    )


@for_fans
@require_safe
def copy(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The fan's personal copy as a file. Sent whole, it counts once."""
    offered = _offered(campaign, key)
    if not offered.can_download:
        return _closed(request, campaign, offered, Way.DOWNLOAD)
    title, asked_us = offered.title, clock.now_us()
    link = short_link(request, share_inside_copies(fan=fan, at=clock.now()).code)
    sendable = personal_copy(campaign=campaign, title=title, link=link)

    def chunks(span: Span) -> object:
        def at_end(taken: int) -> None:
            count_sent(fan=fan, title=title, span=span, taken=taken, at_us=asked_us)

        return sending(sendable, span, title_id=title.pk, way=Way.DOWNLOAD, at_end=at_end)

    return send_mp3(request, sendable, chunks, as_attachment=True)


def _offered(campaign: Campaign, key: str) -> OfferedTitle:
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None:
        raise Http404
    return offered


def _closed(request: HttpRequest, campaign: Campaign, offered: OfferedTitle, way: Way) -> HttpResponseBase:
    """410 once it was open and is no longer; 404 where it was never agreed to."""
    if offered.ways[way].standing in (Standing.WITHDRAWN, Standing.EXPIRED):
        return withdrawn(request, campaign, offered.title.name)
    raise Http404
