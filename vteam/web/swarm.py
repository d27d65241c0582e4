"""What the two pages of a passing need from us beside their words: where they talk, what they may load, a ticket."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.request import split_domain_port

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.channels.copies.services import Sendable, personal_copy
from vteam.channels.links.services import share_inside_copies
from vteam.channels.swarm.services import pieces_of_copy, ticket_of
from vteam.channels.swarm.tickets import Role
from vteam.people.models import Fan
from vteam.web.addresses import edge_base, short_link
from vteam.web.answers import private
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


def copy_of(request: HttpRequest, campaign: Campaign, fan: Fan, title: Title) -> Sendable:
    """A fan's own copy of a title."""
    link = short_link(request, share_inside_copies(fan=fan, at=clock.now()).code)
    return personal_copy(campaign=campaign, title=title, link=link)


def ticket_for(
    request: HttpRequest, campaign: Campaign, fan: Fan, title: Title, *, role: Role
) -> HttpResponseBase:
    """What the page's script needs to begin; 400 where it does not say what it calls its browser."""
    browser = request.POST.get("browser", "")
    if not BROWSER.fullmatch(browser):
        return private(JsonResponse({"why": "browser"}, status=400))
    copy = copy_of(request, campaign, fan, title)
    pieces = pieces_of_copy(copy, title) if role is Role.SEEDER else None
    ticket = ticket_of(
        role=role,
        campaign=campaign,
        fan=fan.pk,
        title=title,
        pieces=pieces,
        browser=browser,
        visitor=visitor_of(request, campaign),
        at=clock.now(),
    )
    content = (pieces.told() if pieces else {}) | {
        "ticket": ticket,
        "socket": socket_address(request),
        "ice": ice_servers(request),
        "file": copy.file_name,
    }
    return private(JsonResponse(content))


def ice_servers(request: HttpRequest) -> list[str]:
    """Whom browsers ask which address they have: our own edge, and others only where the organiser names them."""
    domain, _ = split_domain_port(request.get_host())
    own = [f"stun:{domain}:{settings.STUN_PORT}"] if settings.STUN_PORT else []
    return [*own, *settings.ICE_SERVERS]
