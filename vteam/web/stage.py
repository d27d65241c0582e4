"""The demo's stage: three people's pages in frames side by side, each under a host name of its own.

A frame's session is its own because its host is; all of them belong to one site, so that browsers let cookies be. Only
the stage may frame them, and only in the demo.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

STAGE = "demo.localhost"


def address_of_stage() -> str:
    """Where the stage stands."""
    return f"http://{STAGE}:{settings.SITE_PORT}"


def address_of_frame(who: str) -> str:
    """Where somebody's frame stands."""
    return f"http://{who}.{STAGE}:{settings.SITE_PORT}"


def frame_of(request: HttpRequest) -> str:
    """Whose frame asks: the first part of its host name; "" elsewhere than on the demo's stage."""
    if not settings.DEMO:
        return ""
    host, _ = split_domain_port(request.get_host())
    who, _, rest = host.partition(".")
    return who if rest == STAGE else ""
