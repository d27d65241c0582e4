"""What the two pages of a passing need from us beside their words: where they talk, what they may load, a ticket."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.request import split_domain_port

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import OfferedTitle
from vteam.channels.swarm.services import pieces_of_copy, ticket_of
from vteam.channels.swarm.tickets import Role
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.web.addresses import edge_base
from vteam.web.answers import private
from vteam.web.copies import copy_of
from vteam.web.guards import POLICY
from vteam.web.visitors import visitor_of

BROWSER = re.compile("[A-Za-z0-9_-]{16,64}")
"""What a page calls its browser: random letters it made itself when somebody first pressed a button on it."""


def socket_address(request: HttpRequest) -> str:
    """Where pages talk to the edge."""
    return edge_base(request).replace("http", "ws", 1) + "/ws"


def talking(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Lets a page talk to the edge and play what it was given."""
    policy = POLICY.replace("connect-src 'self'", f"connect-src 'self' {socket_address(request)}")
    response.headers["Content-Security-Policy"] = policy.replace("media-src 'self'", "media-src 'self' blob:")
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where tickets are given: to whom (`key`) how many an hour."""

    name: str
    key: str
    per_hour: int


def ticket_for(
    request: HttpRequest, campaign: Campaign, fan: Fan, offered: OfferedTitle, *, role: Role, door: Door
) -> HttpResponseBase:
    """What the page's script needs to begin with a fan's copy of a title, or why it may not.

    400 where the page does not say what it calls its browser.
    """
    at, browser = clock.now(), request.POST.get("browser", "")
    if at >= campaign.file.season.ends_at:
        return no_ticket("season", status=410)
    if not offered.can_pass_on:
        return no_ticket("withdrawn", status=410)
    if not BROWSER.fullmatch(browser):
        return no_ticket("browser", status=400)
    if not budgets.take(door=door.name, key=door.key, limit=door.per_hour, window=budgets.HOUR, at=at):
        return no_ticket("too_many", status=429)
    copy = copy_of(request, campaign, fan, offered.title)
    pieces = pieces_of_copy(copy, offered.title) if role is Role.SEEDER else None
    ticket = ticket_of(
        role=role,
        campaign=campaign,
        fan=fan.pk,
        title=offered.title,
        pieces=pieces,
        browser=browser,
        visitor=visitor_of(request, campaign),
        at=at,
    )
    content = (pieces.told() if pieces else {}) | {
        "ticket": ticket,
        "socket": socket_address(request),
        "ice": ice_servers(request),
        "file": copy.file_name,
    }
    return private(JsonResponse(content))


def no_ticket(why: str, *, status: int) -> HttpResponseBase:
    """Why there is none, in a word the page has a sentence for."""
    return private(JsonResponse({"why": why}, status=status))


def ice_servers(request: HttpRequest) -> list[str]:
    """Whom browsers ask which address they have: our own edge, and others only where the organiser names them."""
    domain, _ = split_domain_port(request.get_host())
    own = [f"stun:{domain}:{settings.STUN_PORT}"] if settings.STUN_PORT else []
    return [*own, *settings.ICE_SERVERS]
