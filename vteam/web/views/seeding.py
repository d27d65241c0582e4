"""A title with a torrent client: the file for the fan's computer, what to give friends, and how it is going."""

from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import OfferedTitle, title_of
from vteam.channels.copies.ranges import Span
from vteam.channels.copies.services import Sendable, personal_copy, sending
from vteam.channels.swarm.models import Torrent
from vteam.channels.swarm.seeding import (
    give_back,
    info_of,
    new_fetch_key,
    new_keys,
    others_of,
    take_to_fetch,
    template_of,
    to_fetch,
    torrent_of,
    watched,
)
from vteam.channels.swarm.torrents.announce import PREFIX
from vteam.channels.swarm.torrents.metainfo import magnet, torrent_file
from vteam.people.models import Fan
from vteam.rules.rights import Way
from vteam.web.addresses import edge_base, for_programs, site_base
from vteam.web.answers import for_fans, private, private_render, send_mp3, withdrawn
from vteam.web.copies import copy_of, link_in_copies
from vteam.web.seeding import standing_of
from vteam.web.stories import stories_of_passing

TORRENT_TYPE = "application/x-bittorrent"


@for_fans
@require_safe
def seed(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The two files, never to be confused; whether the fan's computer is seen, and who downloads from it."""
    offered = _offered(campaign, key)
    if not _is_on(campaign, offered):
        return redirect("slip", slug=campaign.slug, key=key)
    torrent = _torrent(request, campaign, fan, offered)
    link = magnet(
        bytes.fromhex(torrent.info_hash),
        template_of(torrent.template),
        announce=_announce(request, torrent.friend_key),
        others=others_of(torrent),
    )
    context = _standing(campaign, fan, key, torrent) | {"fan": fan, "title": offered.title, "magnet": link}
    return render(request, "seed.html", context)


@for_fans
@require_POST
def for_my_computer(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The file for the fan's own client: it fetches their copy from here, once, and seeds it."""
    offered = _offered(campaign, key)
    if not _is_on(campaign, offered):
        return withdrawn(request, campaign, offered.title.name)
    torrent = _torrent(request, campaign, fan, offered)
    fetch_path = reverse("fetch", args=[new_fetch_key(torrent=torrent)])
    content = torrent_file(
        info_of(torrent),
        announce=_announce(request, torrent.seed_key),
        fetch=for_programs(site_base(request)) + fetch_path,
        words=_("For your own computer alone: give your friends the other file."),
    )
    return _file(content, _("%(name)s (my computer)") % {"name": torrent.template.name})


@for_fans
@require_safe
def for_friends(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The file to give away: it finds the fan's computer, and nothing else."""
    offered = _offered(campaign, key)
    if not _is_on(campaign, offered):
        return withdrawn(request, campaign, offered.title.name)
    torrent = _torrent(request, campaign, fan, offered)
    content = torrent_file(
        info_of(torrent), announce=_announce(request, torrent.friend_key), words=torrent.link
    )
    return _file(content, torrent.template.name)


@for_fans
@require_POST
def change_keys(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """Both keys anew: every file and magnet given out before ends."""
    offered = _offered(campaign, key)
    if _is_on(campaign, offered):
        new_keys(torrent=_torrent(request, campaign, fan, offered))
    return redirect("seed", slug=campaign.slug, key=key)


@for_fans
@require_safe
def now(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The part of the page that says how it is going."""
    torrent = Torrent.objects.filter(fan=fan, template__title__key=key).order_by("-pk").first()
    if torrent is None:
        raise Http404
    return private_render(request, "_seeding.html", _standing(campaign, fan, key, torrent))


@require_safe
def fetch(request: HttpRequest, key: str) -> HttpResponseBase:
    """A fan's copy for the client that opened the file for their computer (BEP 19): in parts, about once in all."""
    torrent = to_fetch(key)
    if torrent is None:
        return private(HttpResponse(status=410))
    title = torrent.template.title
    campaign = title.campaign
    offered = title_of(campaign, title.key, at_us=clock.now_us())
    copy = personal_copy(campaign=campaign, title=title, link=torrent.link)
    if offered is None or not _is_on(campaign, offered) or copy.size != torrent.template.size:
        return private(HttpResponse(status=410))

    def chunks(span: Span) -> Iterator[bytes]:
        if not take_to_fetch(torrent=torrent, size=span.length):
            raise _Spent
        return _fetched(torrent, copy, span, title.pk)

    try:
        return send_mp3(request, copy, chunks, as_attachment=True)
    except _Spent:
        return private(HttpResponse(status=410))


class _Spent(Exception):
    """There is not as much left as was asked for."""


def _fetched(torrent: Torrent, copy: Sendable, span: Span, title_id: int) -> Iterator[bytes]:
    """The bytes of a part that was taken; what does not leave is given back."""
    left = span.start

    def at_end(taken: int) -> None:
        nonlocal left
        left = taken

    try:
        yield from sending(copy, span, title_id=title_id, way=Way.PASS_ON, at_end=at_end)
    finally:
        if left < span.stop:
            give_back(torrent=torrent, size=span.stop - left)


def _offered(campaign: Campaign, key: str) -> OfferedTitle:
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None:
        raise Http404
    return offered


def _is_on(campaign: Campaign, offered: OfferedTitle) -> bool:
    return offered.can_pass_on and clock.now() < campaign.file.season.ends_at


def _torrent(request: HttpRequest, campaign: Campaign, fan: Fan, offered: OfferedTitle) -> Torrent:
    copy = copy_of(request, campaign, fan, offered.title)
    link = link_in_copies(request, fan)
    return torrent_of(fan=fan, title=offered.title, copy=copy, link=link, at=clock.now())


def _announce(request: HttpRequest, key: str) -> str:
    return f"{for_programs(edge_base(request))}{PREFIX}{key}"


def _standing(campaign: Campaign, fan: Fan, key: str, torrent: Torrent) -> dict[str, object]:
    return {
        "campaign": campaign,
        "key": key,
        "standing": standing_of(watched(torrent), at_us=clock.now_us()),
        "stories": stories_of_passing(campaign, fan),
    }


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=TORRENT_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.torrent") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response
