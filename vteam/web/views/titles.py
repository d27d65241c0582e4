"""Titles: hearing them, and a fan's personal copy. The gate is asked at every request and while bytes leave."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.queries import title_of, titles_of
from vteam.channels.copies.ranges import Span
from vteam.channels.copies.services import count_sent, sending, to_listen
from vteam.people.models import Fan
from vteam.rights.models import RightEvent
from vteam.rights.queries import course_of
from vteam.rules.rights import Way
from vteam.web.answers import campaign_or_404, for_fans, send_mp3, withdrawn
from vteam.web.copies import copy_of

# A player asks for "the rest"; it gets this much, so that a withdrawal or a closed tab leaves little under way.
PART_BYTES_MAX = 512 * 1024


@for_fans
@require_safe
def titles(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """The titles a fan may hear and keep, in the band's own words."""
    offered = titles_of(campaign, at_us=clock.now_us())
    sent = dict(fan.copies_sent.values_list("title_id", "up_to"))
    tongues = _languages_of_words([row.title.pk for row in offered])
    rows = [
        {
            "offered": row,
            "downloaded": sent.get(row.title.pk, 0) > row.title.body_bytes,
            "said": [(said, tongues[row.title.pk, said]) for said in row.ways[Way.DOWNLOAD].words],
        }
        for row in offered
    ]
    return render(request, "titles.html", {"campaign": campaign, "fan": fan, "rows": rows})


def _languages_of_words(title_ids: list[int]) -> dict[tuple[int, str], str]:
    """In which language the artists' words beside their titles are, by title and words."""
    events = RightEvent.objects.filter(title_id__in=title_ids).exclude(words="").order_by("id")
    return {(event.title_id, event.words): event.text_language for event in events}


@require_safe
def listen(request: HttpRequest, slug: str, key: str) -> HttpResponseBase:
    """The audio for the play button: for everybody, while its holders agree."""
    campaign = campaign_or_404(slug)
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None or not offered.can_listen:
        return _closed(request, campaign, key, Way.LISTEN)
    sendable, pk = to_listen(offered.title), offered.title.pk
    return send_mp3(
        request,
        sendable,
        lambda span: sending(sendable, span, title_id=pk, way=Way.LISTEN),
        as_attachment=False,
        part_bytes_max=PART_BYTES_MAX,
    )


@for_fans
@require_safe
def copy(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The fan's personal copy as a file. Sent whole, it counts once."""
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None or not offered.can_download:
        return _closed(request, campaign, key, Way.DOWNLOAD)
    title, asked_us = offered.title, clock.now_us()
    sendable = copy_of(request, campaign, fan, title)

    def chunks(span: Span) -> object:
        def at_end(taken: int) -> None:
            count_sent(fan=fan, title=title, span=span, taken=taken, at_us=asked_us)

        return sending(sendable, span, title_id=title.pk, way=Way.DOWNLOAD, at_end=at_end)

    return send_mp3(request, sendable, chunks, as_attachment=True)


def _closed(request: HttpRequest, campaign: Campaign, key: str, way: Way) -> HttpResponseBase:
    """410 for what was open once, or was taken off the campaign; 404 for what never was there."""
    title = Title.objects.filter(campaign=campaign, key=key).first()
    if title is None:
        raise Http404
    if title.retired_at is None and not course_of(title.pk, way, at_us=clock.now_us()).ever_open:
        raise Http404
    return withdrawn(request, campaign, title.name)
