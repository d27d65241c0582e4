"""The page of whoever supplies a prize, by the link they were handed; and the organiser's page that makes the link.

GET changes nothing. The supplier needs no account, and gets no cookie.
"""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from vteam import clock
from vteam.campaigns.models import Campaign, Organiser
from vteam.campaigns.organisers import organiser_of
from vteam.prizes.models import SupplierLink, SupplierWord
from vteam.prizes.queries import prize_of
from vteam.prizes.suppliers import Heard, Said, asked, asked_text, confirmation_of, make_link, speak
from vteam.rules.canonical import digest
from vteam.web.answers import for_organisers, private_render
from vteam.web.language import plain_reverse
from vteam.web.supplierforms import SupplierForm
from vteam.web.visitors import person_of

WORDS_SHOWN = 50
STATUS = {Heard.REWORDED: 409, Heard.OFFERED: 409, Heard.TOO_OFTEN: 429}


@require_http_methods(["GET", "HEAD", "POST"])
def supplier(request: HttpRequest, secret: str) -> HttpResponseBase:
    """What somebody is asked to give: they say yes or no, and can take a yes back while nobody was offered it."""
    if request.method != "POST" or _is_organiser(request, secret):
        return _page(request, secret, SupplierForm())
    form = SupplierForm(request.POST)
    if not form.is_valid():
        return _page(request, secret, form, status=422)
    data = form.cleaned_data
    heard = speak(
        secret=secret, said=Said(data["said"]), seen=data["seen"], name=data["name"], at=clock.now()
    )
    if heard is Heard.KEPT:
        return redirect("supplier", secret=secret)
    return _page(request, secret, SupplierForm(), heard=heard, status=STATUS.get(heard, 410))


def _is_organiser(request: HttpRequest, secret: str) -> bool:
    """Whoever organises says so in the campaign file; here somebody else speaks."""
    found = asked(secret, at=clock.now())
    return found is not None and organiser_of(person_of(request), found.campaign) is not None


def _page(
    request: HttpRequest, secret: str, form: SupplierForm, *, heard: Heard | None = None, status: int = 200
) -> HttpResponse:
    found = asked(secret, at=clock.now())
    if found is None:
        return private_render(request, "supplier.html", {"gone": True}, status=410)
    context = {
        "asked": found,
        "campaign": found.campaign,
        "prize": found.prize,
        "concert": found.campaign.file.concert_of(found.prize),
        "said": found.confirmation,
        "seen": digest(asked_text(found.campaign, found.prize)),
        "form": form,
        "heard": heard or "",
        "organises": _is_organiser(request, secret),
    }
    return private_render(request, "supplier.html", context, status=status)


@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """What a prize's supplier said so far; POST makes a link for them, shown this once."""
    prize = prize_of(campaign, key)
    if prize is None:
        raise Http404
    secret = make_link(campaign=campaign, prize=prize, at=clock.now()) if request.method == "POST" else ""
    words = SupplierWord.objects.filter(campaign_id=campaign.pk, prize=key)
    current = SupplierLink.objects.filter(campaign_id=campaign.pk, prize=key, replaced_at=None).first()
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "prize": prize,
        # In no language: whoever opens it reads it in theirs.
        "address": plain_reverse("supplier", secret) if secret else "",
        "current": current,
        "is_good": current is not None and clock.now() < current.until,
        "confirmation": confirmation_of(campaign, prize),
        "words": words.order_by("-pk")[:WORDS_SHOWN],
    }
    return private_render(request, "organise_supplier.html", context)
