"""An organiser's pages for prizes: how each stands, who is to be sent what, and the draws.

GET shows, POST acts. Addresses are on one page, of one prize, and in its files, for the one who gives it.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign, Organiser
from vteam.prizes import claims
from vteam.prizes.draws import (
    NotNow,
    NotTaken,
    announce,
    announcement_of,
    draws_at,
    latest_draw,
    revealed_of,
    take_randomness,
)
from vteam.prizes.models import Draw, Offer, OfferMove
from vteam.prizes.offers import free_slots, move_offer
from vteam.prizes.queries import concerts_with_places, prize_of
from vteam.prizes.senders import is_read_by_sender, may_read, senders_of, take_on
from vteam.rules.beacons import QUICKNET
from vteam.rules.drawrecords import from_beacon, from_commitments
from vteam.rules.prizes import MOVES, State, Who
from vteam.web.answers import attachment, for_organisers, private_render
from vteam.web.forms import AnnounceForm, GivingForm, RandomnessForm, detail_name, names_of_countries
from vteam.web.tables import table
from vteam.web.templatetags.vteam import words
from vteam.web.views.campaign import page_number

PAGE = 50
TO_SEND = frozenset({State.CLAIMED, State.SENT})
"""An address is read by who sends it, once it is to be sent."""
SenderView = Callable[[HttpRequest, Campaign, PrizeEntry], HttpResponseBase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a prize stands: how many offers are in each state."""

    prize: PrizeEntry
    counts: dict[str, int]
    draw: Draw | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An offer with what was told for it, its history, and what an organiser may do with it."""

    offer: Offer
    told: dict[str, str]
    moves: list[OfferMove]
    may: list[State]


@for_organisers
@require_safe
def prizes(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """Every prize with how it stands."""
    counted = (
        Offer.objects.filter(campaign_id=campaign.pk).values_list("prize", "state").annotate(n=Count("pk"))
    )
    counts: dict[str, dict[str, int]] = {}
    for key, state, n in counted:
        counts.setdefault(key, {})[state] = n
    standings = [
        Standing(prize=each, counts=counts.get(each.key, {}), draw=latest_draw(campaign.pk, each.key))
        for each in campaign.file.prizes
    ]
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "standings": standings,
        "concerts": concerts_with_places(campaign),
    }
    return private_render(request, "organise_prizes.html", context)


@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def prize(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """One prize: its draw, its offers, what is to be sent where; POST moves an offer."""
    found = _prize(campaign, key)
    overtaken = False
    if request.method == "POST":
        form = GivingForm(request.POST)
        if form.is_valid() and _moved(campaign, found, form):
            return redirect("organise-prize", slug=campaign.slug, key=key)
        overtaken = True
    return _page(request, campaign, organiser, found, overtaken=overtaken)


def _prize(campaign: Campaign, key: str) -> PrizeEntry:
    found = prize_of(campaign, key)
    if found is None:
        raise Http404
    return found


def _moved(campaign: Campaign, prize: PrizeEntry, form: GivingForm) -> bool:
    data = form.cleaned_data
    offer = Offer.objects.filter(pk=data["offer"], campaign_id=campaign.pk, prize=prize.key).first()
    to, at = State(data["to"]), clock.now()
    if offer is None or offer.step != data["step"] or to not in _may(offer, prize, is_left=True):
        return False
    if to is State.SENT:
        return claims.sent(offer=offer, at=at, note=data["note"])
    return move_offer(offer=offer, to=to, by=Who.ORGANISER, at=at, note=data["note"], days=prize.claim_days)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    organiser: Organiser,
    prize: PrizeEntry,
    *,
    overtaken: bool = False,
    announcing: AnnounceForm | None = None,
    drawing: RandomnessForm | None = None,
    refused: str = "",
) -> HttpResponseBase:
    page = page_number(request)
    offers = Offer.objects.select_related("fan__person").filter(campaign_id=campaign.pk, prize=prize.key)
    rows = list(offers.order_by("number")[(page - 1) * PAGE : page * PAGE + 1])
    if page > 1 and not rows:
        raise Http404
    shown = rows[:PAGE]
    is_left = next(free_slots(campaign.pk, prize), None) is not None
    reads = may_read(campaign=campaign, prize=prize, organiser=organiser)
    moves: dict[int, list[OfferMove]] = {}
    for move in OfferMove.objects.filter(offer_id__in=[each.pk for each in shown]).order_by("step"):
        moves.setdefault(move.offer_id, []).append(move)
    found = latest_draw(campaign.pk, prize.key) if prize.kind == "draw" else None
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "prize": prize,
        "rows": [_row(each, prize, moves.get(each.pk, []), reads=reads, is_left=is_left) for each in shown],
        "reads": reads,
        "senders": senders_of(campaign.pk, prize.key) if is_read_by_sender(prize) else None,
        "page": page,
        "has_next": len(rows) > PAGE,
        "overtaken": overtaken,
        "draw": found,
        "told": announcement_of(found) if found else None,
        "draws_at": draws_at(found) if found else None,
        "revealed": revealed_of(found) if found else {},
        "comes": found is not None and clock.now() >= (draws_at(found) or clock.now()),
        "announcing": announcing or AnnounceForm(initial={"source": "beacon", "hours": 24}),
        "drawing": drawing or RandomnessForm(),
        "refused": refused,
        "can_announce": prize.kind == "draw" and (found is None or found.void_at is not None),
    }
    status = 409 if overtaken or refused else 422 if announcing or drawing else 200
    return private_render(request, "organise_prize.html", context, status=status)


def _may(offer: Offer, prize: PrizeEntry, *, is_left: bool) -> list[State]:
    """What an organiser may do with an offer. Nothing is sent to who comes to a concert, or downloads it; nothing is
    offered again of which none is left.
    """
    may = [to for to, who in MOVES[offer.standing].items() if Who.ORGANISER in who]
    by_itself = prize.concert or prize.file
    senseless = {State.SENT, State.RECEIVED} if by_itself else set()
    return [to for to in may if to not in senseless and (is_left or to is not State.OFFERED)]


def _row(offer: Offer, prize: PrizeEntry, moves: list[OfferMove], *, reads: bool, is_left: bool) -> Row:
    told = claims.details_of(offer) if reads and offer.state in TO_SEND else {}
    return Row(
        offer=offer, told=told, moves=moves, may=_may(offer, prize, is_left=is_left) if offer.fan else []
    )


@for_organisers
@require_http_methods(["POST"])
def draw(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """Announces a draw, or takes in its randomness."""
    prize = _prize(campaign, key)
    if prize.kind != "draw":
        raise Http404
    if request.POST.get("act") == "announce":
        return _announce(request, campaign, organiser, prize)
    return _take_in(request, campaign, organiser, prize)


def _announce(
    request: HttpRequest, campaign: Campaign, organiser: Organiser, prize: PrizeEntry
) -> HttpResponseBase:
    form = AnnounceForm(request.POST)
    if not form.is_valid():
        return _page(request, campaign, organiser, prize, announcing=form)
    at, data = clock.now(), form.cleaned_data
    when = at + dt.timedelta(hours=data["hours"])
    if data["source"] == "beacon":
        round_ = QUICKNET.round_at(int(when.timestamp()))
        source = from_beacon(QUICKNET, round_)
        when = dt.datetime.fromtimestamp(QUICKNET.time_of(round_), dt.UTC)
    else:
        source = from_commitments(data["named"], until=when, at_least=data["at_least"])
    became = announce(campaign=campaign, prize=prize, randomness=source, draws_at=when, at=at)
    if isinstance(became, NotNow):
        return _page(request, campaign, organiser, prize, announcing=form, refused=became)
    return redirect("organise-prize", slug=campaign.slug, key=prize.key)


def _take_in(
    request: HttpRequest, campaign: Campaign, organiser: Organiser, prize: PrizeEntry
) -> HttpResponseBase:
    found, form = latest_draw(campaign.pk, prize.key), RandomnessForm(request.POST)
    if found is None:
        raise Http404
    if not form.is_valid():
        return _page(request, campaign, organiser, prize, drawing=form)
    is_beacon = announcement_of(found)["randomness"]["from"] == "beacon"
    became = take_randomness(
        draw=found, came=form.signature() if is_beacon else form.revealed(), at=clock.now()
    )
    if isinstance(became, NotTaken):
        return _page(request, campaign, organiser, prize, drawing=form, refused=became)
    return redirect("organise-prize", slug=campaign.slug, key=prize.key)


@for_organisers
@require_http_methods(["POST"])
def give(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """Takes it on to give a prize: who does reads, alone, what winners told for it."""
    prize = _prize(campaign, key)
    if not is_read_by_sender(prize):
        raise Http404
    take_on(campaign=campaign, prize=prize.key, organiser=organiser, at=clock.now())
    return redirect("organise-prize", slug=campaign.slug, key=key)


def for_its_sender(view: SenderView) -> Callable[..., HttpResponseBase]:
    """A file with what winners told; whoever does not give the prize is led to its page, which says who does."""

    @for_organisers
    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
        prize = _prize(campaign, key)
        if not may_read(campaign=campaign, prize=prize, organiser=organiser):
            return redirect("organise-prize", slug=campaign.slug, key=key)
        return view(request, campaign, prize)

    return guarded


@for_its_sender
def to_send(request: HttpRequest, campaign: Campaign, prize: PrizeEntry) -> HttpResponseBase:
    """What is to be sent to whom, as a spreadsheet reads it."""
    fields = claims.fields_of(prize)
    rows = (
        [offer.number, offer.fan.name if offer.fan else "", *(told.get(field, "") for field in fields)]
        for offer, told in _to_send(campaign, prize)
    )
    return table(f"{campaign.slug}-{prize.key}", [_("Number"), _("Fan"), *map(detail_name, fields)], rows)


@for_its_sender
def picking_list(request: HttpRequest, campaign: Campaign, prize: PrizeEntry) -> HttpResponseBase:
    """What is to be packed and sent to whom, to print and tick off."""
    from vteam.web.listfile import drawn  # with all that draws: loaded once the first is asked for

    rows = [
        (
            False,
            [f"{offer.number} · {told.get('name') or (offer.fan.name if offer.fan else '')}", _address(told)],
        )
        for offer, told in _to_send(campaign, prize)
    ]
    about = ngettext("%(n)d to send", "%(n)d to send", len(rows)) % {"n": len(rows)}
    content = drawn(campaign=campaign, title=words(prize.name), about=about, rows=rows)
    return attachment(content, f"{campaign.slug}-{prize.key}.pdf", "application/pdf")


def _to_send(campaign: Campaign, prize: PrizeEntry) -> Iterator[tuple[Offer, dict[str, str]]]:
    """What is claimed and not sent yet, in the order it was offered."""
    offers = Offer.objects.select_related("fan__person").filter(
        campaign_id=campaign.pk, prize=prize.key, state=State.CLAIMED
    )
    for offer in offers.order_by("number").iterator(chunk_size=500):
        yield offer, claims.details_of(offer)


def _address(told: dict[str, str]) -> str:
    lines = (
        told.get("street"),
        told.get("more"),
        f"{told.get('postcode', '')} {told.get('town', '')}".strip(),
    )
    country = names_of_countries().get(told.get("country", ""), "")
    return ", ".join(filter(None, (*lines, country)))
