"""What every answer of the site carries and what no request gets past: content policy, same origin, few cookies,
small bodies without files.

Pages load nothing from elsewhere and run nothing written inside them. A request that would change something must
come from our own pages, told by what browsers say about it (Sec-Fetch-Site, else Origin), so that no page needs
a cookie or a hidden field for it. A session cookie is set only when something was put into the session.

Objects in virtual worlds sign what they send: nothing at their door, `/world/v1/`, reads a cookie, so requests may come
there from anywhere; and what is refused there is said in the door's own words (docs/worlds.md), never by a page.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from vteam.web.stage import address_of_stage, frame_of

Answer = Callable[[HttpRequest], HttpResponseBase]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])

POLICY = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
))  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES_MAX = 64 * 1024
LENGTH = re.compile(r"[0-9]{1,18}")
WORLD_DOOR = "/world/v1/"


class ContentPolicyMiddleware:
    """Puts the policy on every answer; a view that set one of the headers itself keeps its own.

    Nobody may frame a page but the demo's stage its own three (`stage`).
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's hook."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if frame_of(request):
            policy = response.headers["Content-Security-Policy"]
            framed = policy.replace("frame-ancestors 'none'", f"frame-ancestors {address_of_stage()}")
            response.headers["Content-Security-Policy"] = framed
            del response.headers["X-Frame-Options"]
        return response


def cross_origin_ok(view: View) -> View:
    """Marks a view which anybody's page or program may post to (one-click unsubscribing, RFC 8058)."""
    view.cross_origin_ok = True  # type: ignore[attr-defined]
    return view


class SameOriginMiddleware:
    """Refuses (403) to change anything for another site's page."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's hook; `process_view` does the work."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: object) -> HttpResponse | None:
        """None lets the view answer; Django's hook, called once the view is known."""
        if is_world_door(request) or getattr(view, "cross_origin_ok", False) or comes_from_here(request):
            return None
        return HttpResponse(render_to_string("403.html", {"elsewhere": True}, request), status=403)


def is_world_door(request: HttpRequest) -> bool:
    """Whether a request is for the door of virtual worlds."""
    return request.path_info.startswith(WORLD_DOOR)


def said_at_world_door(*, status: int, text: str, why: str) -> HttpResponse:
    """A refusal as that door says them: words to show, and a reason for the object's script."""
    content = orjson.dumps({"text": text, "why": why})
    answer = HttpResponse(content, content_type="application/json; charset=utf-8", status=status)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def comes_from_here(request: HttpRequest) -> bool:
    """Whether a request may change something: it is safe anyway, or its browser says it is of our own pages.

    Neither header: no browser of the last years made it, so nobody's cookies were borrowed.
    """
    if request.method in SAFE_METHODS:
        return True
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin", "")
    return not origin or origin == own_origin(request)


def own_origin(request: HttpRequest) -> str:
    """Scheme, host and port of the page a request of ours comes from; behind a proxy the public address knows."""
    public = urlsplit(settings.PUBLIC_URL)
    scheme = public.scheme if public.netloc == request.get_host() else request.scheme
    return f"{scheme}://{request.get_host()}"


class SmallBodiesMiddleware:
    """Refuses what is bigger than any form of ours before a byte of it is read (413), and every file (400).

    A length that is none is refused too (400). A body without a stated length is no danger: Django reads exactly as
    many bytes as were stated, here none.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's hook."""
        stated = stated_bytes(request)
        if stated is None or stated > BODY_BYTES_MAX:
            status = 400 if stated is None else 413
            if is_world_door(request):
                text, why = _AT_WORLD_DOOR[status]
                return said_at_world_door(status=status, text=text, why=why)
            return HttpResponse(render_to_string(f"{status}.html", {}, request), status=status)
        request.upload_handlers = [_NoFiles(request)]
        return self.get_response(request)


_AT_WORLD_DOOR = {
    400: ("Content-Length is no number of bytes.", "unreadable"),
    413: ("This is too big: docs/worlds.md says how much may be sent.", "too_big"),
}


def stated_bytes(request: HttpRequest) -> int | None:
    """How long a request says its body is: 0 where it says nothing, None where that is no length."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if LENGTH.fullmatch(text) else None


class _NoFiles(FileUploadHandler):
    """No page of ours takes a file: the first one ends the reading of a form."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Django's hook at a file's beginning. MultiPartParserError becomes a 400."""
        raise MultiPartParserError("no page takes files")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Django's hook for a file's bytes; none is ever begun."""
        return None

    def file_complete(self, file_size: int) -> None:
        """Django's hook at a file's end; none is ever begun."""


class SessionWhenAskedMiddleware(SessionMiddleware):
    """Django's sessions, but a visitor without one gets a cookie only once something is in it.

    Pages differ for who is signed in (language, menu), so every page says that it varies by cookie, whether there
    was one or not; files do so only when their view looked at the session.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Django's hook. A session touched yet empty (looked at, its key cycled) leaves no trace."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES and request.session.is_empty():
            request.session.modified = False
        answer = super().process_response(request, response)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(answer, ("Cookie",))
        return answer
