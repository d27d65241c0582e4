"""Passing on, the listener's side: a ticket to get a title from a fan's page, and asking for it while that is closed.

Nobody is asked for an address; whoever asks a fan for a title keeps a code to come back with.
"""

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from vteam import clock
from vteam.campaigns.missions import season_of
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import OfferedTitle, title_of
from vteam.channels.links.models import Share
from vteam.channels.links.queries import share_by_code
from vteam.channels.swarm.models import Asked
from vteam.channels.swarm.queries import asked_by_code
from vteam.channels.swarm.services import ask_for, end_asked
from vteam.channels.swarm.tickets import Role
from vteam.permissions import budgets
from vteam.web.answers import private_render
from vteam.web.swarm import ticket_for
from vteam.web.visitors import networks_in

TICKETS_PER_NETWORK_HOUR = 300


@require_POST
def ticket(request: HttpRequest, code: str, key: str) -> HttpResponseBase:
    """A ticket for a landing page; why not where there is none."""
    ended = Share.objects.filter(code=code, ended_at__isnull=False).exists()
    if ended:
        return JsonResponse({"why": "ended"}, status=410)
    share, campaign, offered = _wanted(code, key)
    at = clock.now()
    if clock.to_us(at) >= season_of(campaign.file).ends_at_us:
        return JsonResponse({"why": "season"}, status=410)
    if not offered.can_pass_on:
        return JsonResponse({"why": "withdrawn"}, status=410)
    network, window = networks_in(request, campaign).near, budgets.HOUR
    if not budgets.take(door="getting", key=network, limit=TICKETS_PER_NETWORK_HOUR, window=window, at=at):
        return JsonResponse({"why": "too_many"}, status=429)
    return ticket_for(request, campaign, share.fan, offered.title, role=Role.LISTENER)


@require_POST
def ask(request: HttpRequest, code: str, key: str) -> HttpResponseBase:
    """Ask the share's fan for a title; the next page has the code to come back with."""
    share, campaign, offered = _wanted(code, key)
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


def _wanted(code: str, key: str) -> tuple[Share, Campaign, OfferedTitle]:
    share = share_by_code(code)
    if share is None or share.ended_at is not None:
        raise Http404
    campaign = Campaign.objects.get(pk=share.campaign_id)
    offered = title_of(campaign, key, at_us=clock.now_us())
    if offered is None:
        raise Http404
    return share, campaign, offered
