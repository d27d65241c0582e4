"""Where a share leads: who recommends this and why, the music, the campaign; and the sign that a person came.

Nothing happens to a listener that they did not start: no cookie, no fingerprint, nothing plays by itself.
"""

import datetime as dt

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from vteam import clock
from vteam.campaigns.missions import season_of
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import titles_of
from vteam.channels.links.models import Share
from vteam.channels.links.queries import share_by_code
from vteam.channels.links.services import Arrival, arrival_token, confirm_arrival, share_of_token
from vteam.channels.swarm.services import may_be_asked
from vteam.web.answers import private_render
from vteam.web.swarm import talking
from vteam.web.visitors import fan_here, visitor_of

_VIA = signing.TimestampSigner(salt="vteam.web.via")
VIA_AGE = dt.timedelta(days=1)
ACTS = frozenset({"stayed", "played"})


@require_safe
def landing(request: HttpRequest, code: str) -> HttpResponseBase:
    """The page behind a short link."""
    share = share_by_code(code)
    if share is None:
        return render(request, "link_unknown.html", {}, status=404)
    campaign = Campaign.objects.get(pk=share.campaign_id)
    if share.ended_at is not None:
        return private_render(request, "link_ended.html", {"campaign": campaign}, status=410)
    at_us = clock.now_us()
    if at_us >= season_of(campaign.file).ends_at_us:
        return private_render(
            request, "link_ended.html", {"campaign": campaign, "season_over": True}, status=410
        )
    visitor = visitor_of(request, campaign)
    is_own = visitor.fan_id == share.fan_id
    context = {
        "campaign": campaign,
        "share": share,
        "name": share.fan.name,
        "titles": titles_of(campaign, at_us=at_us),
        "fan": fan_here(request, campaign),
        "is_own": is_own,
        "may_be_asked": may_be_asked(share.fan),
        "arrival": "" if is_own else arrival_token(share=share, visitor=visitor),
        "via": via_of(share),
        "dwell_seconds": settings.ARRIVAL_DWELL_SECONDS,
    }
    return talking(request, private_render(request, "landing.html", context))


@require_POST
def arrived(request: HttpRequest) -> HttpResponseBase:
    """The landing page's sign that a person is there. Answers the same whatever it leads to."""
    token, act = request.POST.get("token", "")[:400], request.POST.get("act", "")
    share = share_of_token(token)
    if share is not None and act in ACTS:
        confirm_act(request, Campaign.objects.get(pk=share.campaign_id), token=token, act=act)
    return HttpResponse(status=204)


def confirm_act(request: HttpRequest, campaign: Campaign, *, token: str, act: str) -> Arrival:
    """Confirm an arrival by what a person did."""
    at = clock.now()
    day = season_of(campaign.file).day_of(clock.to_us(at))
    return confirm_arrival(token=token, visitor=visitor_of(request, campaign), act=act, day=day, at=at)


def via_of(share: Share) -> str:
    """The signed field a sign-up form carries: which share brought its reader."""
    return _VIA.sign(str(share.pk))


def share_of_via(text: str, campaign: Campaign) -> Share | None:
    """The share a signed field names, if it is one of this campaign that still leads there; good for a day."""
    try:
        pk = int(_VIA.unsign(text, max_age=VIA_AGE))
    except (signing.BadSignature, ValueError):
        return None
    shares = Share.objects.select_related("fan")
    return shares.filter(pk=pk, campaign_id=campaign.pk, ended_at=None).first()
