"""The whole addresses people see: of pages (the site) and of short links (the edge). One address in real life."""

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port


def site_base(request: HttpRequest) -> str:
    """Where our pages stand, without a slash at the end."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def mail_base(request: HttpRequest) -> str:
    """Where the links in a mail lead. Whoever asks for a mail is not who reads it: of the address they asked at,
    only the host's name counts, which Django has held against ours; without a public address the port is our own.
    """
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    domain, _ = split_domain_port(request.get_host())
    return f"http://{domain}:{settings.SITE_PORT}"


def edge_base(request: HttpRequest) -> str:
    """Where short links stand; without a public address, the edge's own port on the host that was asked for."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    domain, _ = split_domain_port(request.get_host())
    return f"http://{domain}:{settings.EDGE_PORT}"


def for_programs(base: str) -> str:
    """The same address for programs: browsers alone know that every name under localhost is this machine."""
    scheme, _, host = base.partition("://")
    name, colon, port = host.partition(":")
    return f"{scheme}://localhost{colon}{port}" if name.endswith(".localhost") else base


def short_link(request: HttpRequest, code: str) -> str:
    """The link somebody passes on."""
    return f"{edge_base(request)}/r/{code}"
