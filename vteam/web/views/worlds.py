"""An organiser's pages of virtual worlds: every kiosk, what residents did there, and what they brought.

GET shows, POST acts. A kiosk's code is shown once, when it is made.
"""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from vteam import clock
from vteam.campaigns.file import MissionEntry
from vteam.campaigns.models import Campaign, Organiser
from vteam.channels.worlds import queries
from vteam.channels.worlds.acting import is_open
from vteam.channels.worlds.enrolling import (
    NotOpened,
    delete,
    new_code,
    put_up,
    restore,
    revoke,
    trust,
)
from vteam.channels.worlds.lines import announce, end_announcement, is_here
from vteam.channels.worlds.models import Kiosk, World, WorldAct
from vteam.channels.worlds.reviewing import review
from vteam.web.answers import for_organisers, number_of, private_render
from vteam.web.kiosk_forms import OrganisersKioskForm, PlaceForm, TrustForm
from vteam.web.kiosks import (
    STAYS,
    keep_place,
    one_kiosk,
    show_next,
    shown_once,
    spot_of,
    words_for_organisers,
)
from vteam.web.views.campaign import page_number

PAGE, BROUGHT_SHOWN = 30, 20
KEEPS_SECRETS = (World.SECOND_LIFE, World.LUANTI)
ACTS_PER_DAY, FEWER_ACTS = 1_000, 200
"""What a kiosk may cause in a day where its organiser leaves it to us; fewer in OpenSimulator and elsewhere, where
whoever may read an object's script reads its secret (docs/worlds.md).
"""
ANNOUNCED_FOR = dt.timedelta(minutes=30)
REASON_LENGTH = 200


@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def organise(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """Every kiosk, what residents did, and what they brought; POST puts a kiosk up or looks at something brought."""
    if request.method != "POST":
        return _organise(request, campaign, organiser, form=OrganisersKioskForm())
    if request.POST.get("act") in ("accept", "refuse"):
        return _review(request, campaign)
    form = OrganisersKioskForm(request.POST)
    if not form.is_valid():
        return _organise(request, campaign, organiser, form=form, status=422)
    spot, typed = spot_of(form), form.cleaned_data["acts_per_day"]
    usual = ACTS_PER_DAY if spot.world in KEEPS_SECRETS else FEWER_ACTS
    acts = usual if typed is None else typed
    made = put_up(campaign=campaign, spot=spot, fan=None, acts_per_day=acts, at=clock.now())
    if isinstance(made, NotOpened):
        refused = words_for_organisers(made, of_fans=False)
        return _organise(request, campaign, organiser, form=form, refused=refused, status=409)
    show_next(request, made)
    return redirect("organise-worlds", slug=campaign.slug)


def _organise(
    request: HttpRequest,
    campaign: Campaign,
    organiser: Organiser,
    *,
    form: OrganisersKioskForm,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    page, at = page_number(request), clock.now()
    listed = list(queries.kiosks_of(campaign)[(page - 1) * PAGE : page * PAGE + 1])
    if page > 1 and not listed:
        raise Http404
    waiting = list(queries.brought(campaign)[: BROUGHT_SHOWN + 1])
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "form": form,
        "refused": refused,
        "usual_acts": ACTS_PER_DAY,
        "fewer_acts": FEWER_ACTS,
        "kiosks": queries.kiosk_rows(campaign, listed[:PAGE], at=at),
        "missions": queries.mission_rows(campaign),
        "brought": [(done, _mission_name(campaign, done)) for done in waiting[:BROUGHT_SHOWN]],
        "more_brought": len(waiting) > BROUGHT_SHOWN,
        "overtaken": "overtaken" in request.GET,
        "page": page,
        "has_next": len(listed) > PAGE,
        **shown_once(request, campaign),
    }
    return private_render(request, "organise_worlds.html", context, status=status)


def _review(request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
    done = WorldAct.objects.filter(
        campaign_id=campaign.pk, pk=number_of(request.POST.get("done", ""))
    ).first()
    if done is None:
        raise Http404
    reason = " ".join(request.POST.get("reason", "").split())[:REASON_LENGTH]
    accepted = request.POST.get("act") == "accept"
    decided = review(done=done, accepted=accepted, reason=reason, at_us=clock.now_us())
    answer = redirect("organise-worlds", slug=campaign.slug)
    if not decided:
        answer["Location"] += "?overtaken"
    answer["Location"] += "#brought"
    return answer


def _mission_name(campaign: Campaign, done: WorldAct) -> str:
    names = {entry.key: entry.name for entry in campaign.file.missions}
    return names[done.mission].in_language(get_language() or "en") if done.mission in names else done.mission


@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def kiosk(request: HttpRequest, campaign: Campaign, organiser: Organiser, pk: int) -> HttpResponseBase:
    """One kiosk: where it is, what it caused, how far it is trusted; POST does what `act` says."""
    found = queries.kiosks_of(campaign).filter(pk=pk).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        return _kiosk(request, campaign, organiser, found)
    act = request.POST.get("act", "")
    if act in ("edit", "code", "announce") and found.revoked_at is not None:  # the page says so
        return _kiosk(request, campaign, organiser, found, status=409)
    try:
        if answers := _ANSWERS.get(act):
            return answers(request, campaign, organiser, found)
        return _act_on(request, campaign, found, act)
    except Kiosk.DoesNotExist as deleted:  # this very moment
        raise Http404 from deleted


def _trust(request: HttpRequest, campaign: Campaign, organiser: Organiser, found: Kiosk) -> HttpResponseBase:
    form = TrustForm(request.POST)
    if not form.is_valid():
        return _kiosk(request, campaign, organiser, found, form=form, status=422)
    trust(kiosk=found, **form.cleaned_data)
    return redirect(f"{reverse('organise-kiosk', args=[campaign.slug, found.pk])}?kept")


def _edit(request: HttpRequest, campaign: Campaign, organiser: Organiser, found: Kiosk) -> HttpResponseBase:
    place = PlaceForm(request.POST)
    if not place.is_valid():
        return _kiosk(request, campaign, organiser, found, place=place, status=422)
    keep_place(found, place, at=clock.now())
    return redirect(f"{reverse('organise-kiosk', args=[campaign.slug, found.pk])}?kept")


def _delete(request: HttpRequest, campaign: Campaign, organiser: Organiser, found: Kiosk) -> HttpResponseBase:
    if not delete(kiosk=found, by=None):
        found.refresh_from_db()
        return _kiosk(request, campaign, organiser, found, refused=str(STAYS), status=409)
    return redirect("organise-worlds", slug=campaign.slug)


def _restore(
    request: HttpRequest, campaign: Campaign, organiser: Organiser, found: Kiosk
) -> HttpResponseBase:
    if why := restore(kiosk=found):
        refused = words_for_organisers(why, of_fans=found.fan_id is not None)
        return _kiosk(request, campaign, organiser, found, refused=refused, status=409)
    return redirect("organise-kiosk", slug=campaign.slug, pk=found.pk)


_ANSWERS = {"trust": _trust, "edit": _edit, "delete": _delete, "restore": _restore}


def _act_on(request: HttpRequest, campaign: Campaign, found: Kiosk, act: str) -> HttpResponseBase:
    at = clock.now()
    if act == "code":
        show_next(request, (found, new_code(kiosk=found, at=at)))
    elif act == "announce":
        wanted = request.POST.get("mission", "")
        concert = next((entry for entry in _concerts(campaign, at) if entry.key == wanted), None)
        if concert is None:
            raise Http404
        until = min(at + ANNOUNCED_FOR, campaign.file.mission_closes_at(concert))
        announce(kiosk=found, mission=wanted, until=until, at=at)
    elif act == "over":
        end_announcement(kiosk=found, at=at)
    elif act == "revoke":
        revoke(kiosk=found, at=at, by_organiser=True)
    else:
        raise Http404
    return redirect("organise-kiosk", slug=campaign.slug, pk=found.pk)


def _kiosk(
    request: HttpRequest,
    campaign: Campaign,
    organiser: Organiser,
    found: Kiosk,
    *,
    form: TrustForm | None = None,
    place: PlaceForm | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    at = clock.now()
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "days": queries.acts_by_day(campaign, found, at=at),
        "form": form or TrustForm(initial={"acts_per_day": found.acts_per_day, "vouched": found.vouched}),
        "refused": refused,
        "here": is_here(found, at=at),
        "concerts": _concerts(campaign, at),
        "minutes": int(ANNOUNCED_FOR.total_seconds() // 60),
        **one_kiosk(request, campaign, found, by=None, place=place, at=at),
    }
    return private_render(request, "organise_kiosk.html", context, status=status)


def _concerts(campaign: Campaign, at: dt.datetime) -> list[MissionEntry]:
    """The missions of being at a concert in a world that pay now."""
    return [
        entry
        for entry in queries.world_missions(campaign)
        if entry.act == "concert" and is_open(campaign, entry, at=at)
    ]
