"""My links: one per place, each with its short address, QR code, share sheet and what it achieved."""

import io
from urllib.parse import quote

import segno
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.links.models import Share
from vteam.channels.links.queries import disclosure, figures, figures_of
from vteam.channels.links.services import ShareRefused, end_share, make_share, reopen_share
from vteam.people.models import Fan
from vteam.web.addresses import short_link
from vteam.web.answers import for_fans, private
from vteam.web.forms import ShareForm
from vteam.web.views.campaign import page_number

PAGE = 20
QR = {"svg": "image/svg+xml", "png": "image/png"}


@for_fans
@require_http_methods(["GET", "HEAD", "POST"])
def shares(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """A fan's links, and the form for a new one."""
    form = ShareForm(request.POST or None)
    refused = None
    if request.method == "POST" and form.is_valid():
        made = make_share(fan=fan, place=form.cleaned_data["place"], at=clock.now())
        if isinstance(made, Share):
            return redirect("share", slug=campaign.slug, code=made.code)
        refused = made
    page = page_number(request)
    found = figures_of(fan, at_most=PAGE + 1, skip=(page - 1) * PAGE)
    context = {
        "campaign": campaign,
        "fan": fan,
        "form": form,
        "too_many": refused is ShareRefused.TOO_MANY,
        "shares": [{"figures": row, "link": short_link(request, row.share.code)} for row in found[:PAGE]],
        "page": page,
        "has_next": len(found) > PAGE,
    }
    return render(request, "links.html", context, status=422 if form.errors or refused else 200)


@for_fans
@require_safe
def share(request: HttpRequest, campaign: Campaign, fan: Fan, code: str) -> HttpResponseBase:
    """One link with everything needed to pass it on."""
    found = _own(fan, code)
    link = short_link(request, found.code)
    words = disclosure(campaign)
    subject, body = f"{campaign.file.artist} – {campaign.file.name}", f"{link}\r\n\r\n{words}"
    context = {
        "campaign": campaign,
        "fan": fan,
        "figures": figures(found),
        "link": link,
        "disclosure": words,
        "message": f"{link}\n\n{words}",
        "mailto": f"mailto:?subject={quote(subject)}&body={quote(body)}",
    }
    return render(request, "link.html", context)


@for_fans
@require_safe
def qr(request: HttpRequest, campaign: Campaign, fan: Fan, code: str, kind: str) -> HttpResponseBase:
    """A link's QR code: SVG for pages and print, PNG for everything else."""
    made = segno.make(short_link(request, _own(fan, code).code), error="m", micro=False)
    out = io.BytesIO()
    if kind == "svg":
        made.save(out, kind="svg", scale=8, border=4, xmldecl=False, svgns=True)
    else:
        made.save(out, kind="png", scale=16, border=4)
    response = HttpResponse(out.getvalue(), content_type=QR[kind])
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{campaign.slug}-{code}.{kind}"'
    return response


@for_fans
@require_POST
def end(request: HttpRequest, campaign: Campaign, fan: Fan, code: str) -> HttpResponseBase:
    """Stop a link; it can be opened again."""
    end_share(share=_own(fan, code), at=clock.now())
    return private(redirect("share", slug=campaign.slug, code=code))


@for_fans
@require_POST
def reopen(request: HttpRequest, campaign: Campaign, fan: Fan, code: str) -> HttpResponseBase:
    """Open an ended link again."""
    reopen_share(share=_own(fan, code))
    return private(redirect("share", slug=campaign.slug, code=code))


def _own(fan: Fan, code: str) -> Share:
    found = fan.shares.filter(code=code).exclude(kind="copy").first()
    if found is None:
        raise Http404
    return found
