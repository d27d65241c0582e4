"""An organiser's page for the night of a concert: the doors and their codes, the guest list, who was let in twice.

GET shows, POST acts. A door's code is shown once, when it is made.
"""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.file import ConcertEntry
from vteam.campaigns.models import Campaign, Organiser
from vteam.permissions import budgets
from vteam.prizes.doors import DOORS_AT_MOST, conflicts, end_door, open_door, take_out
from vteam.prizes.models import Door, Ticket
from vteam.prizes.queries import prize_of
from vteam.prizes.tickets import Guest, guests, told_by
from vteam.rules.tickets import mark_of
from vteam.web.answers import attachment, for_organisers, number_of, private_render
from vteam.web.forms import DoorForm
from vteam.web.tables import table
from vteam.web.templatetags.vteam import local, words
from vteam.web.tickets import by_name, when_of
from vteam.web.views.campaign import page_number

PAGE, CONFLICTS_SHOWN = 100, 50
LISTS_PER_HOUR = 60


@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def concert(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """The doors of a concert and its guest list; POST opens a door or ends one."""
    found = _concert(campaign, key)
    if request.method != "POST":
        return _page(request, campaign, organiser, found, form=DoorForm())
    act = request.POST.get("act", "")
    if act == "end":
        return _end(campaign, found, request.POST.get("door", ""))
    if act == "out":
        return _out(campaign, found, request.POST.get("ticket", ""))
    form = DoorForm(request.POST)
    if not form.is_valid():
        return _page(request, campaign, organiser, found, form=form, status=422)
    opened = open_door(campaign=campaign, concert=found, name=form.cleaned_data["name"], at=clock.now())
    if opened is None:
        return _page(request, campaign, organiser, found, form=form, refused=True, status=409)
    return _page(request, campaign, organiser, found, form=DoorForm(), code=opened[1])


def _end(campaign: Campaign, concert: ConcertEntry, typed: str) -> HttpResponseBase:
    door = Door.objects.filter(campaign_id=campaign.pk, concert=concert.key, pk=number_of(typed)).first()
    if door is None:
        raise Http404
    end_door(door=door, at=clock.now())
    return redirect("organise-concert", slug=campaign.slug, key=concert.key)


def _out(campaign: Campaign, concert: ConcertEntry, typed: str) -> HttpResponseBase:
    """Nobody is in with a ticket after all."""
    ticket = Ticket.objects.filter(campaign_id=campaign.pk, concert=concert.key, pk=number_of(typed)).first()
    if ticket is None:
        raise Http404
    take_out(ticket=ticket, at=clock.now())
    return redirect("organise-concert", slug=campaign.slug, key=concert.key)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    organiser: Organiser,
    concert: ConcertEntry,
    *,
    form: DoorForm,
    code: str = "",
    refused: bool = False,
    status: int = 200,
) -> HttpResponseBase:
    page, everybody = page_number(request), _guests(campaign, concert)
    shown = everybody[(page - 1) * PAGE : page * PAGE]
    if page > 1 and not shown:
        raise Http404
    double = list(conflicts(campaign.pk, concert.key)[:CONFLICTS_SHOWN])
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "concert": concert,
        "doors": Door.objects.filter(campaign_id=campaign.pk, concert=concert.key).order_by("pk"),
        "most": DOORS_AT_MOST,
        "form": form,
        "code": f"{code[:4]}-{code[4:]}" if code else "",
        "refused": refused,
        "guests": shown,
        "inside": sum(guest.ticket.entered_at is not None for guest in everybody),
        "expected": len(everybody),
        "conflicts": [
            (scan, told_by(scan.ticket), mark_of(bytes(scan.ticket.token_hash))) for scan in double
        ],
        "page": page,
        "has_next": len(everybody) > page * PAGE,
    }
    return private_render(request, "organise_concert.html", context, status=status)


def _concert(campaign: Campaign, key: str) -> ConcertEntry:
    found = campaign.file.concert(key)
    if found is None:
        raise Http404
    return found


def _guests(campaign: Campaign, concert: ConcertEntry) -> list[Guest]:
    """Everybody expected, as a list at a door is sorted."""
    return sorted(guests(campaign.file, campaign.pk, concert.key), key=by_name)


@for_organisers
@require_safe
def guest_table(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """The guest list, as a spreadsheet reads it."""
    concert = _concert(campaign, key)
    rows = (
        [
            guest.name,
            guest.ticket.place,
            guest.places,
            guest.mark,
            _prize_name(campaign, guest),
            f"{local(guest.ticket.entered_at, campaign):%Y-%m-%d %H:%M}" if guest.ticket.entered_at else "",
        ]
        for guest in _guests(campaign, concert)
    )
    head = [_("Name"), _("Place"), _("Places"), _("Mark"), _("Prize"), _("In since")]
    return table(f"{campaign.slug}-{concert.key}", head, rows)


@for_organisers
@require_safe
def guest_file(request: HttpRequest, campaign: Campaign, organiser: Organiser, key: str) -> HttpResponseBase:
    """The guest list to print: for a door whose network fails, and whose batteries do."""
    concert = _concert(campaign, key)
    at, who = clock.now(), str(organiser.pk)
    if not budgets.take(door="guest list", key=who, limit=LISTS_PER_HOUR, window=budgets.HOUR, at=at):
        return private_render(request, "429.html", {}, status=429)
    from vteam.web.listfile import drawn  # with all that draws: loaded once the first is asked for

    everybody = _guests(campaign, concert)
    rows = [(guest.ticket.entered_at is not None, _lines(campaign, guest)) for guest in everybody]
    n = len(everybody)
    about = f"{when_of(concert)} · {concert.place} · " + ngettext("%(n)d place", "%(n)d places", n) % {"n": n}
    title = _("Guest list: %(concert)s") % {"concert": words(concert.name)}
    content = drawn(campaign=campaign, title=title, about=about, rows=rows)
    return attachment(content, f"{campaign.slug}-{concert.key}.pdf", "application/pdf")


def _lines(campaign: Campaign, guest: Guest) -> list[str]:
    place = _("Place %(place)d of %(places)d") % {"place": guest.ticket.place, "places": guest.places}
    of = _("guest of %(winner)s") % {"winner": guest.winner} if guest.winner else ""
    parts = (guest.mark, of, place if guest.places > 1 else "", _prize_name(campaign, guest))
    return [guest.name, " · ".join(filter(None, parts))]


def _prize_name(campaign: Campaign, guest: Guest) -> str:
    prize = prize_of(campaign, guest.prize)
    return words(prize.name) if prize else ""
