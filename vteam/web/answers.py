"""Answers many pages share: doors only fans, organisers or operators pass, kind refusals, and files sent in ranges."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from vteam.campaigns.models import Campaign, Organiser
from vteam.campaigns.organisers import operator_of, organiser_of
from vteam.campaigns.queries import campaign_by_slug
from vteam.channels.copies.ranges import Span, Unsatisfiable, requested_span
from vteam.channels.copies.services import Sendable
from vteam.people.models import Fan, Person
from vteam.web.visitors import fan_here, person_of

AFTER_LENGTH = 200
ROW_NUMBER = re.compile("[1-9][0-9]{0,17}")
P = ParamSpec("P")
FanView = Callable[Concatenate[HttpRequest, Campaign, Fan, P], HttpResponseBase]
OrganiserView = Callable[Concatenate[HttpRequest, Campaign, Organiser, P], HttpResponseBase]
OperatorView = Callable[Concatenate[HttpRequest, Organiser, P], HttpResponseBase]
PersonView = Callable[Concatenate[HttpRequest, Person, P], HttpResponseBase]


def campaign_or_404(slug: str) -> Campaign:
    """The campaign at an address."""
    campaign = campaign_by_slug(slug)
    if campaign is None:
        raise Http404
    return campaign


def for_fans(view: FanView[P]) -> Callable[..., HttpResponseBase]:
    """A page of a campaign for its fans; others are led to the door and back."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        campaign = campaign_or_404(slug)
        fan = fan_here(request, campaign)
        if fan is None:
            return _to_the_door(request, reverse("join", args=[slug]) if person_of(request) else None)
        return private(view(request, campaign, fan, *args, **kwargs))

    return guarded


def for_organisers(view: OrganiserView[P]) -> Callable[..., HttpResponseBase]:
    """A page of a campaign for its organisers: 404 for everybody else; whoever is signed out is led to the door."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        campaign = campaign_or_404(slug)
        person = person_of(request)
        if person is None:
            return _to_the_door(request, None)
        organiser = organiser_of(person, campaign)
        if organiser is None:
            raise Http404
        return private(view(request, campaign, organiser, *args, **kwargs))

    return guarded


def for_operators(view: OperatorView[P]) -> Callable[..., HttpResponseBase]:
    """A page of the whole installation: 404 for everybody but its operators; who is signed out is led to the door."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        person = person_of(request)
        if person is None:
            return _to_the_door(request, None)
        operator = operator_of(person)
        if operator is None:
            raise Http404
        return private(view(request, operator, *args, **kwargs))

    return guarded


def for_persons(view: PersonView[P]) -> Callable[..., HttpResponseBase]:
    """A page for whoever is signed in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        person = person_of(request)
        if person is None:
            return _to_the_door(request, None)
        return private(view(request, person, *args, **kwargs))

    return guarded


def safe_after(after: str) -> str | None:
    """A page of ours to go on to; None for anything else: never an address somebody typed."""
    if (
        after.startswith("/")
        and after.isprintable()
        and url_has_allowed_host_and_scheme(after, allowed_hosts=None)
    ):
        return after[:AFTER_LENGTH]
    return None


def number_of(typed: str) -> int:
    """The number of a row, as a form names it; 0, which none has, where it is none."""
    return int(typed) if ROW_NUMBER.fullmatch(typed) else 0


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Kept by nobody but the reader's own browser."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _to_the_door(request: HttpRequest, door: str | None) -> HttpResponseBase:
    """A part of a page that asks for itself leads its whole page there."""
    part = getattr(request, "htmx", None)
    after = (
        part.current_url_abs_path or ""
        if part
        else request.get_full_path()
        if request.method == "GET"
        else ""
    )
    address = door or f"{reverse('sign-in')}?{urlencode({'after': after})}"
    return HttpResponseClientRedirect(address) if part else HttpResponseRedirect(address)


def withdrawn(request: HttpRequest, campaign: Campaign, title_name: str) -> HttpResponse:
    """410: the holders have taken a title back, in a kind sentence."""
    context = {"campaign": campaign, "title_name": title_name}
    return private_render(request, "withdrawn.html", context, status=410)


def attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    """A file that was made for who asked for it, to be kept."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def private_render(
    request: HttpRequest, template: str, context: Mapping[str, object], status: int = 200
) -> HttpResponse:
    """A page that depends on the moment or the reader: `no-store`."""
    response = render(request, template, dict(context), status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def send_mp3(
    request: HttpRequest,
    sendable: Sendable,
    chunks: Callable[[Span], object],
    *,
    as_attachment: bool,
    part_bytes_max: int | None = None,
) -> HttpResponseBase:
    """An MP3 or the asked-for part of it (RFC 9110, Range). `chunks` gives the bytes of a span.

    `part_bytes_max`: a part is answered with at most so many bytes; players come back for the next one.
    """
    span = requested_span(request.headers.get("Range"), sendable.size)
    if isinstance(span, Unsatisfiable):
        return HttpResponse(status=416, headers={"Content-Range": span.content_range})
    if span.partial and part_bytes_max is not None and span.length > part_bytes_max:
        span = replace(span, stop=span.start + part_bytes_max)
    is_head = request.method == "HEAD"
    response = StreamingHttpResponse(
        [] if is_head else chunks(span),  # type: ignore[arg-type]
        status=206 if span.partial else 200,
        content_type="audio/mpeg",
    )
    response["Content-Length"] = str(span.length)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment, sendable.file_name) or "inline"
    )
    if span.partial:
        response["Content-Range"] = span.content_range
    return response
