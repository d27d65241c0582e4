"""Passing on, the listener's side: a ticket to get a title from a fan's page, and asking for it while that is closed.

Nobody is asked for an address; whoever asks a fan for a title keeps a code to come back with.
"""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import OfferedTitle, title_of
from vteam.channels.links.models import Share
from vteam.channels.links.queries import share_by_code
from vteam.channels.swarm.models import Asked
from vteam.channels.swarm.queries import asked_by_code
from vteam.channels.swarm.services import ask_for, end_asked
from vteam.channels.swarm.tickets import Role
from vteam.web.answers import private_render
from vteam.web.swarm import Door, no_ticket, ticket_for
from vteam.web.visitors import networks_in

TICKETS_PER_NETWORK_HOUR = 300


@require_POST
def ticket(request: HttpRequest, code: str, key: str) -> HttpResponseBase:
    """A ticket for a landing page; why not where there is none."""
    share = share_by_code(code)
    if share is None:
        raise Http404
    if share.ended_at is not None:
        return no_ticket("ended", status=410)
    campaign, offered = _wanted(share, key)
    network = networks_in(request, campaign).near
    door = Door(name="getting", key=network, per_hour=TICKETS_PER_NETWORK_HOUR)
    return ticket_for(request, campaign, share.fan, offered, role=Role.LISTENER, door=door)


@require_POST
def ask(request: HttpRequest, code: str, key: str) -> HttpResponseBase:
    """Ask the share's fan for a title; the next page has the code to come back with."""
    share = share_by_code(code)
    if share is None or share.ended_at is not None:
        raise Http404
    campaign, offered = _wanted(share, key)
    if not offered.can_pass_on:
        raise Http404
    made = ask_for(
        share=share, title=offered.title, network=networks_in(request, campaign).near, at=clock.now()
    )
    if isinstance(made, Asked):
        return redirect("asked", code=made.code)
    context = {"campaign": campaign, "name": share.fan.name, "code": share.code, "why": made}
    return private_render(request, "ask_refused.html", context, status=429)


@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, code: str) -> HttpResponseBase:
    """Where what was asked stands; POST: it is not wanted any more."""
    found = asked_by_code(code, at=clock.now())
    if found is None:
        return private_render(request, "asked_unknown.html", {}, status=404)
    campaign = Campaign.objects.get(pk=found.fan.campaign_id)
    if request.method == "POST":
        end_asked(code=code, at=clock.now())
        return redirect("asked", code=code)
    share = Share.objects.get(pk=found.share_id)
    context = {
        "campaign": campaign,
        "asked": found,
        "name": found.fan.name,
        "share": share,
        "heading": _("You asked %(name)s for “%(title)s”")
        % {"name": found.fan.name, "title": found.title.name},
    }
    return private_render(request, "asked.html", context)


def _wanted(share: Share, key: str) -> tuple[Campaign, OfferedTitle]:
    """The title of a share's campaign that is asked for."""
    campaign = Campaign.objects.get(pk=share.campaign_id)
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None:
        raise Http404
    return campaign, offered
