"""Passing on, the fan's side: the page from which a title leaves, its bytes, its ticket, and what counted."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.queries import OfferedTitle, title_of
from vteam.channels.copies.services import sending
from vteam.channels.links.services import share_at_hand
from vteam.channels.swarm.services import let_be_asked, may_be_asked, see_asked
from vteam.channels.swarm.tickets import Role
from vteam.people.models import Fan
from vteam.rules.grants import Purpose
from vteam.rules.rights import Way
from vteam.web.addresses import short_link
from vteam.web.answers import for_fans, private_render, send_mp3, withdrawn
from vteam.web.copies import copy_of
from vteam.web.reaching import ask_of
from vteam.web.stories import stories_of_passing
from vteam.web.swarm import Door, talking, ticket_for

TICKETS_PER_HOUR = 600


@for_fans
@require_safe
def pass_on(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The page that is the computer a title leaves from, while it is open."""
    offered, at = _offered(campaign, key), clock.now()
    if not offered.can_pass_on or at >= campaign.file.season.ends_at:
        return redirect("slip", slug=campaign.slug, key=key)
    may = may_be_asked(fan)
    share = share_at_hand(fan=fan, place=_("my screen"), at=at)
    context = {
        "campaign": campaign,
        "fan": fan,
        "title": offered.title,
        "key": key,
        "share": share,
        "link": short_link(request, share.code),
        "asked": see_asked(fan=fan, title=offered.title, at=at),
        "may_be_asked": may,
        "ask": ask_of(campaign, fan, Purpose.ASKED) if may else None,
        "stories": stories_of_passing(campaign, fan),
    }
    return talking(request, render(request, "pass_on.html", context))


@for_fans
@require_safe
def copy(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The bytes of the fan's copy, for their page to pass on. It counts as no download."""
    offered = _offered(campaign, key)
    if not offered.can_pass_on:
        return withdrawn(request, campaign, offered.title.name)
    sendable, pk = copy_of(request, campaign, fan, offered.title), offered.title.pk
    return send_mp3(
        request,
        sendable,
        lambda span: sending(sendable, span, title_id=pk, way=Way.PASS_ON),
        as_attachment=True,
    )


@for_fans
@require_POST
def ticket(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """A ticket for this page; why not where there is none."""
    door = Door(name="pass-on", key=str(fan.pk), per_hour=TICKETS_PER_HOUR)
    return ticket_for(request, campaign, fan, _offered(campaign, key), role=Role.SEEDER, door=door)


@for_fans
@require_safe
def counted(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The part of the page that says what counted and why."""
    context = {"campaign": campaign, "fan": fan, "key": key, "stories": stories_of_passing(campaign, fan)}
    return private_render(request, "_counted.html", context)


@for_fans
@require_POST
def asking(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """Whether people may ask this fan for titles; back to the page it was said on."""
    let_be_asked(fan=fan, may=request.POST.get("may") == "yes")
    key = request.POST.get("key", "")
    if Title.objects.filter(campaign=campaign, key=key).exists():
        return redirect("pass-on", slug=campaign.slug, key=key)
    return redirect("titles", slug=campaign.slug)


def _offered(campaign: Campaign, key: str) -> OfferedTitle:
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None:
        raise Http404
    return offered
