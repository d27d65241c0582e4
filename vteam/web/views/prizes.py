"""Prizes as fans and everybody else see them: what there is, what was won, claiming it, and the draws to check.

GET shows, POST acts. A claim's page is its winner's alone; a parent comes by the link their child hands them.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.files import path_of
from vteam.campaigns.models import Campaign, CampaignVersion, read_file
from vteam.people.models import Fan
from vteam.prizes import claims
from vteam.prizes.claims import Claim, Claimed
from vteam.prizes.draws import (
    announcement_of,
    draws_at,
    draws_of,
    enter_free,
    latest_draw,
    record_text,
    revealed_of,
)
from vteam.prizes.models import Draw, DrawEntry, FreeEntry, Offer, OfferMove
from vteam.prizes.offers import STEPS_OF_FANS, free_slots, move_offer, take_first
from vteam.prizes.queries import held, prize_of, shown_winners
from vteam.prizes.suppliers import Confirmation, confirmations, is_confirmed
from vteam.rules.grants import Purpose
from vteam.rules.prizes import HOLDS, State, Who
from vteam.web.answers import campaign_or_404, for_fans, private_render
from vteam.web.assets import asset_file
from vteam.web.forms import ClaimForm
from vteam.web.reaching import ask_of
from vteam.web.tickets import shown_tickets
from vteam.web.visitors import fan_here, person_of

WINNERS_SHOWN, VERSIONS_SHOWN, MOVES_SHOWN = 50, 50, 50
RECORD_SECONDS = 86_400
VERSION = re.compile("[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrizeCard:
    """A prize as the list shows it. `left`: None where there is no end; `mine`: the reader's own offer."""

    prize: PrizeEntry
    left: int | None
    draw: Draw | None
    winners: tuple[str, ...]
    confirmation: Confirmation
    mine: Offer | None = None
    entered: bool = False
    can_enter: bool = False
    can_take: bool = False


@require_safe
def prizes(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every prize: how many are left, how its winners are found, and what the reader has won."""
    campaign = campaign_or_404(slug)
    fan = fan_here(request, campaign)
    context = {
        "campaign": campaign,
        "fan": fan,
        "cards": _cards(campaign, fan),
        "ask": ask_of(campaign, fan, Purpose.WON) if fan else None,
    }
    return private_render(request, "prizes.html", context)


@require_safe
def rules(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The rules of the contest, as the campaign file makes them; `version`: as they were."""
    campaign = campaign_or_404(slug)
    asked = request.GET.get("version", "")
    versions = CampaignVersion.objects.filter(campaign_id=campaign.pk).order_by("-version")
    shown = versions.first()
    if asked:
        shown = versions.filter(version=int(asked)).first() if VERSION.fullmatch(asked) else None
    if shown is None:
        raise Http404
    context = {
        "campaign": campaign,
        "file": read_file(shown.document),
        "shown": shown,
        "older": list(versions.exclude(pk=shown.pk).only("version", "applied_at")[:VERSIONS_SHOWN]),
        "fan": fan_here(request, campaign),
    }
    return private_render(request, "rules.html", context)


def _cards(campaign: Campaign, fan: Fan | None) -> list[PrizeCard]:
    mine = {offer.prize: offer for offer in Offer.objects.filter(fan=fan)} if fan else {}
    entered = set(FreeEntry.objects.filter(fan=fan).values_list("prize", flat=True)) if fan else set()
    running = campaign.file.season.starts_at <= clock.now() < campaign.file.season.ends_at
    sure, found = confirmations(campaign.pk, campaign.file), []
    for prize in campaign.file.prizes:
        left = None if prize.stock is None else max(prize.stock - held(campaign.pk, prize.key), 0)
        found.append(
            PrizeCard(
                prize=prize,
                left=left,
                draw=latest_draw(campaign.pk, prize.key) if prize.kind == "draw" else None,
                winners=shown_winners(campaign.pk, prize.key, at_most=WINNERS_SHOWN),
                confirmation=sure[prize.key],
                mine=mine.get(prize.key),
                entered=prize.key in entered,
                can_enter=bool(fan) and running and prize.kind == "draw",
                can_take=bool(fan)
                and prize.kind == "first-come"
                and sure[prize.key].is_sure
                and running
                and left != 0,
            )
        )
    return found


def _prize(campaign: Campaign, key: str) -> PrizeEntry:
    found = prize_of(campaign, key)
    if found is None:
        raise Http404
    return found


@for_fans
@require_http_methods(["POST"])
def enter(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """Takes part in a draw without missions."""
    enter_free(campaign=campaign, prize=_prize(campaign, key), fan=fan, at=clock.now())
    return redirect("prizes", slug=campaign.slug)


@for_fans
@require_http_methods(["POST"])
def take(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """Takes one of what goes to those who come first."""
    prize = _prize(campaign, key)
    if prize.kind != "first-come" or not is_confirmed(campaign, prize):
        raise Http404
    taken = take_first(campaign=campaign, prize=prize, fan=fan, at=clock.now())
    return (
        redirect("won", slug=campaign.slug, pk=taken.pk) if taken else redirect("prizes", slug=campaign.slug)
    )


# A winner's own page -------------------------------------------------------------------------------------------------
@for_fans
@require_http_methods(["GET", "HEAD", "POST"])
def won(request: HttpRequest, campaign: Campaign, fan: Fan, pk: int) -> HttpResponseBase:
    """What a fan has won: claim it, decline it, say that it came."""
    offer = Offer.objects.filter(pk=pk, fan=fan, campaign_id=campaign.pk).first()
    prize = prize_of(campaign, offer.prize) if offer else None
    if offer is None or prize is None:
        raise Http404
    act = request.POST.get("act", "")
    if act == "claim":
        return _claim(request, campaign, fan, offer, prize)
    if request.method == "POST":
        _move(offer, act, is_sent=not (prize.concert or prize.file))
        return redirect("won", slug=campaign.slug, pk=pk)
    return _won(request, campaign, fan, offer, prize, _form(campaign, prize))


def _form(campaign: Campaign, prize: PrizeEntry, data: QueryDict | None = None) -> ClaimForm:
    return ClaimForm(data, prize=prize, minimum_age=prize.minimum_age or campaign.file.minimum_age)


def _claim(
    request: HttpRequest, campaign: Campaign, fan: Fan, offer: Offer, prize: PrizeEntry
) -> HttpResponseBase:
    form = _form(campaign, prize, request.POST)
    if not form.is_valid():
        return _won(request, campaign, fan, offer, prize, form, status=422)
    told = Claim(
        details=form.details(),
        is_adult=form.cleaned_data["age"] == "adult",
        shows_name=form.cleaned_data["shows_name"],
    )
    became, secret = claims.claim(offer=offer, claim=told, at=clock.now())
    if became is Claimed.WAITS_FOR_PARENT:
        offer.refresh_from_db()
        return _won(request, campaign, fan, offer, prize, _form(campaign, prize), secret=secret)
    return redirect("won", slug=campaign.slug, pk=offer.pk)


def _move(offer: Offer, act: str, *, is_sent: bool) -> None:
    """`is_sent`: whether it is something that comes; a door and a download say by themselves what became of it."""
    at = clock.now()
    if act == "decline":
        claims.decline(offer=offer, at=at)
    elif act == "back":
        move_offer(offer=offer, to=State.OFFERED, by=Who.FAN, at=at)
    elif act == "received" and is_sent and offer.state == State.SENT:
        move_offer(offer=offer, to=State.RECEIVED, by=Who.FAN, at=at)
    elif act == "not-received" and is_sent:
        move_offer(offer=offer, to=State.SENT, by=Who.FAN, at=at)
    else:
        raise Http404


def _won(
    request: HttpRequest,
    campaign: Campaign,
    fan: Fan,
    offer: Offer,
    prize: PrizeEntry,
    form: ClaimForm,
    *,
    secret: str = "",
    status: int = 200,
) -> HttpResponseBase:
    context = {
        "campaign": campaign,
        "fan": fan,
        "offer": offer,
        "prize": prize,
        "form": form,
        "secret": secret,
        "told": claims.details_of(offer),
        "moves": OfferMove.objects.filter(offer_id=offer.pk).order_by("-step")[:MOVES_SHOWN],
        "can_move": offer.step < STEPS_OF_FANS,
        "is_left": offer.state == State.DECLINED and _is_left(offer, prize),
        "given": "given" in request.GET,
        "gift": campaign.gifts.get(prize.key),
        "concert": campaign.file.concert_of(prize),
        "tickets": shown_tickets(offer, prize),
    }
    return private_render(request, "won.html", context, status=status)


def _is_left(offer: Offer, prize: PrizeEntry) -> bool:
    """Whether who declined it could have it back."""
    return clock.now() < offer.claim_by and next(free_slots(offer.campaign_id, prize), None) is not None


@for_fans
@require_safe
def gift(request: HttpRequest, campaign: Campaign, fan: Fan, pk: int) -> HttpResponseBase:
    """What a winner downloads, as often as they like; the first time it has come."""
    offer = Offer.objects.filter(pk=pk, fan=fan, campaign_id=campaign.pk).first()
    prize = prize_of(campaign, offer.prize) if offer else None
    stored = campaign.gifts.get(prize.key) if prize else None
    if offer is None or prize is None or stored is None or offer.state not in (State.CLAIMED, State.RECEIVED):
        raise Http404
    if request.method == "GET" and offer.state == State.CLAIMED:
        move_offer(offer=offer, to=State.RECEIVED, by=Who.FAN, at=clock.now())
    name = PurePosixPath(str(prize.file)).name
    # A reader of its own for each; of no type a browser would open by itself.
    return FileResponse(
        path_of(stored[0]).open("rb"),
        as_attachment=True,
        filename=name,
        content_type="application/octet-stream",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def parent(request: HttpRequest, secret: str) -> HttpResponseBase:
    """A parent reads what their child has won, and agrees or does not."""
    offer = claims.waiting_for_parent(secret)
    if offer is None or offer.fan is None:
        return private_render(request, "parent.html", {"gone": True}, status=410)
    campaign = Campaign.objects.get(pk=offer.campaign_id)
    prize = prize_of(campaign, offer.prize)
    is_child = person_of(request) == offer.fan.person
    confirmed = (
        request.method == "POST" and not is_child and claims.parent_confirms(secret=secret, at=clock.now())
    )
    context = {
        "campaign": campaign,
        "offer": offer,
        "prize": prize,
        "name": offer.fan.name,
        "confirmed": confirmed,
        "is_child": is_child,
    }
    return private_render(request, "parent.html", context)


# Draws ---------------------------------------------------------------------------------------------------------------
@require_safe
def draw(request: HttpRequest, slug: str, key: str) -> HttpResponseBase:
    """A draw: what was frozen and announced, where the randomness comes from, and everything to check it with."""
    campaign = campaign_or_404(slug)
    prize, found, fan = _prize(campaign, key), _draw(request, campaign, key), fan_here(request, campaign)
    context = {
        "campaign": campaign,
        "prize": prize,
        "fan": fan,
        "draw": found,
        "told": announcement_of(found),
        "draws_at": draws_at(found),
        "revealed": revealed_of(found) if found.drawn_at is None else {},
        "earlier": list(draws_of(campaign.pk, key).filter(number__lt=found.number)[:VERSIONS_SHOWN]),
        "mine": DrawEntry.objects.filter(draw=found, fan=fan).first() if fan else None,
        "winners": shown_winners(campaign.pk, key, at_most=WINNERS_SHOWN),
        "how_many": Offer.objects.filter(campaign_id=campaign.pk, prize=key, state__in=list(HOLDS)).count(),
    }
    return private_render(request, "draw.html", context)


def _draw(request: HttpRequest, campaign: Campaign, key: str) -> Draw:
    """The draw of a prize; an earlier one, which is void, by its number."""
    asked = request.GET.get("number", "")
    found = draws_of(campaign.pk, key)
    if asked:
        found = found.filter(number=int(asked)) if VERSION.fullmatch(asked) else found.none()
    draw = found.first()
    if draw is None:
        raise Http404
    return draw


@require_safe
def record(request: HttpRequest, slug: str, key: str) -> HttpResponseBase:
    """The record of a draw, for whoever wants to do it again; before it is done, the entries as they are frozen."""
    campaign = campaign_or_404(slug)
    found = _draw(request, campaign, key)
    answer = StreamingHttpResponse(record_text(found), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="draw-{campaign.slug}-{found.prize}.json"'
    is_over = found.drawn_at is not None or found.void_at is not None
    answer["Cache-Control"] = f"public, max-age={RECORD_SECONDS if is_over else 60}"
    return answer


@require_safe
def checker(request: HttpRequest) -> HttpResponseBase:
    """The page that checks a draw: a file to keep, opened without us and without a network."""
    answer = HttpResponse(asset_file("draw.html").read_bytes(), content_type="text/html; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="draw.html"'
    return answer
