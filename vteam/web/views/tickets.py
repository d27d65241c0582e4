"""A winner's tickets for a concert: to show, to print, to keep as a picture, and to give on where the prize allows it.

Nobody but the winner sees them here; whoever was given one has the file.
"""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from vteam import clock
from vteam.campaigns.file import ConcertEntry, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.prizes.models import Offer
from vteam.prizes.queries import prize_of
from vteam.prizes.tickets import give_on, good_tickets
from vteam.web.answers import attachment, for_fans, private_render
from vteam.web.forms import GivenOnForm
from vteam.web.tickets import printed, told_tickets

# Drawing them takes a fraction of a second.
FILES_PER_HOUR = 60


@for_fans
@require_safe
def print_tickets(request: HttpRequest, campaign: Campaign, fan: Fan, pk: int) -> HttpResponseBase:
    """Every ticket of an offer as a PDF, or the one of a `place`."""
    offer, prize, concert = _own(campaign, fan, pk)
    asked = request.GET.get("place", "")
    tickets = [each for each in told_tickets(offer) if asked in ("", str(each[0].place))]
    if not tickets:
        raise Http404
    if not _may_draw(fan):
        return private_render(request, "429.html", {}, status=429)
    from vteam.web.ticketfile import drawn  # with all that draws: loaded once the first is asked for

    sheets = [printed(ticket, told, prize, concert) for ticket, told in tickets]
    return attachment(
        drawn(sheets, campaign=campaign), f"{campaign.slug}-{concert.key}.pdf", "application/pdf"
    )


@for_fans
@require_safe
def picture(request: HttpRequest, campaign: Campaign, fan: Fan, pk: int, place: int) -> HttpResponseBase:
    """One ticket as a picture."""
    offer, prize, concert = _own(campaign, fan, pk)
    found = next(((ticket, told) for ticket, told in told_tickets(offer) if ticket.place == place), None)
    if found is None:
        raise Http404
    if not _may_draw(fan):
        return private_render(request, "429.html", {}, status=429)
    from vteam.web import ticketfile

    drawn = ticketfile.picture(printed(*found, prize, concert), campaign=campaign)
    return attachment(drawn, f"{campaign.slug}-{concert.key}-{place}.png", "image/png")


def _may_draw(fan: Fan) -> bool:
    return budgets.take(
        door="ticket", key=str(fan.pk), limit=FILES_PER_HOUR, window=budgets.HOUR, at=clock.now()
    )


@for_fans
@require_POST
def give(request: HttpRequest, campaign: Campaign, fan: Fan, pk: int, place: int) -> HttpResponseBase:
    """Gives a place to somebody else: a new ticket with their name; the one before is no good any more."""
    offer, prize, _concert = _own(campaign, fan, pk)
    ticket = good_tickets(offer).filter(place=place).first()
    form = GivenOnForm(request.POST)
    if ticket is None or not prize.given_on:
        raise Http404
    if form.is_valid() and give_on(ticket=ticket, name=form.cleaned_data["name"], at=clock.now()):
        return redirect(f"{reverse('won', args=[campaign.slug, pk])}?given#ticket-{place}")
    return redirect("won", slug=campaign.slug, pk=pk)


def _own(campaign: Campaign, fan: Fan, pk: int) -> tuple[Offer, PrizeEntry, ConcertEntry]:
    offer = Offer.objects.filter(pk=pk, fan=fan, campaign_id=campaign.pk).first()
    prize = prize_of(campaign, offer.prize) if offer else None
    concert = campaign.file.concert_of(prize) if prize else None
    if offer is None or prize is None or concert is None:
        raise Http404
    return offer, prize, concert
