"""Doors of the demo that only whoever sits at this machine may pass: its mailbox, its stage."""

from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.request import split_domain_port

from vteam.channels.networks import address_of

FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


def only_here(request: HttpRequest) -> None:
    """404 unless this machine asks, by a name of its own: nothing forwarded for others, no foreign host name."""
    forwarded = any(name in request.headers for name in FORWARDING_HEADERS)
    host, _ = split_domain_port(request.get_host())
    if not settings.DEMO or forwarded or not _is_here(host):
        raise Http404
    if not ip_address(address_of(request.META.get("REMOTE_ADDR", ""), "")).is_loopback:
        raise Http404


def _is_here(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "[::1]"} or host.endswith(".localhost")
