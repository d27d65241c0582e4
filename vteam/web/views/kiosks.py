"""A fan's pages of virtual worlds: where kiosks stand, those they host, their avatars, and linking one.

GET shows, POST acts. A kiosk's code is shown once, when it is made.
"""

import typing
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds import queries
from vteam.channels.worlds.avatars import name_of
from vteam.channels.worlds.enrolling import (
    NotOpened,
    delete,
    new_code,
    put_up,
    reopen,
    revoke,
)
from vteam.channels.worlds.linking import link_avatar, link_with, unlink_avatar
from vteam.channels.worlds.lsl import World as LindenWorld
from vteam.channels.worlds.lsl import kiosk_script
from vteam.channels.worlds.luanti import mod_archive
from vteam.channels.worlds.models import Kiosk
from vteam.people.models import Fan
from vteam.web.addresses import for_programs, site_base
from vteam.web.answers import attachment, campaign_or_404, for_fans, number_of, private, private_render
from vteam.web.kiosk_forms import KioskForm, PlaceForm
from vteam.web.kiosks import STAYS, keep_place, one_kiosk, show_next, shown_once, spot_of, words_for_fans
from vteam.web.views.campaign import page_number
from vteam.web.views.fans import mission_cards
from vteam.web.visitors import person_of

PAGE = 10
"""Of each list: there are three of them, and what is the fan's own comes last."""
ACTS_PER_DAY = 20
"""What a fan's kiosk may cause in a day, until an organiser says otherwise."""
Row = TypeVar("Row", bound=Model)


@for_fans
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """Where kiosks stand, the fan's avatars, and the kiosks they host; POST does what `act` says."""
    if request.method != "POST":
        return _mine(request, campaign, fan, form=KioskForm())
    act = request.POST.get("act", "")
    if act == "put-up":
        return _put_up(request, campaign, fan)
    if act != "unlink":
        raise Http404
    avatar = queries.avatars_of(fan).filter(pk=number_of(request.POST.get("avatar", ""))).first()
    if avatar is None:
        raise Http404
    unlink_avatar(avatar=avatar)
    return redirect("kiosks", slug=campaign.slug)


def _put_up(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    form = KioskForm(request.POST)
    if not form.is_valid():
        return _mine(request, campaign, fan, form=form, status=422)
    made = put_up(campaign=campaign, spot=spot_of(form), fan=fan, acts_per_day=ACTS_PER_DAY, at=clock.now())
    if isinstance(made, NotOpened):
        return _mine(request, campaign, fan, form=form, refused=words_for_fans(made), status=409)
    show_next(request, made)
    return redirect("kiosks", slug=campaign.slug)


def _mine(
    request: HttpRequest,
    campaign: Campaign,
    fan: Fan,
    *,
    form: KioskForm,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    at = clock.now()
    theirs = _listed(request, "mine", queries.kiosks_of(campaign, fan=fan))
    linked = _listed(request, "avatars", queries.avatars_of(fan))
    context = {
        "campaign": campaign,
        "fan": fan,
        "form": form,
        "refused": refused,
        "open": _listed(request, "open", queries.open_kiosks(campaign, at=at)),
        "mine": theirs,
        "kiosks": queries.kiosk_rows(campaign, theirs.rows, at=at),
        "missions": [card for card in mission_cards(campaign, fan) if card.kind == "world"],
        "linked": linked,
        "avatars": [(avatar, name_of(avatar)) for avatar in linked.rows],
        **shown_once(request, campaign),
    }
    return private_render(request, "kiosks.html", context, status=status)


@dataclass(frozen=True, slots=True)
class _Listed(Generic[Row]):
    """A page of one of several lists."""

    rows: list[Row]
    page: int
    has_next: bool


def _listed(request: HttpRequest, name: str, rows: "QuerySet[Row]") -> _Listed[Row]:
    """The page of this list that is asked for by `name`, 404 behind its end; the first one where something is done."""
    page = 1 if request.method == "POST" else page_number(request, name)
    found = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    if page > 1 and not found:
        raise Http404
    return _Listed(found[:PAGE], page, len(found) > PAGE)


# One that they host -------------------------------------------------------------------------------------------------
@for_fans
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest, campaign: Campaign, fan: Fan, pk: int) -> HttpResponseBase:
    """A kiosk the fan hosts; POST does what `act` says. 404 for anybody else's."""
    found = queries.kiosks_of(campaign, fan=fan).filter(pk=pk).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        return _own(request, campaign, fan, found)
    act = request.POST.get("act", "")
    if act in ("edit", "code", "revoke") and found.revoked_at is not None:  # the page says so
        return _own(request, campaign, fan, found, status=409)
    try:
        if answers := _ANSWERS.get(act):
            return answers(request, campaign, fan, found)
        return _act_on(request, campaign, found, act)
    except Kiosk.DoesNotExist as deleted:  # this very moment
        raise Http404 from deleted


def _edit(request: HttpRequest, campaign: Campaign, fan: Fan, found: Kiosk) -> HttpResponseBase:
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _own(request, campaign, fan, found, form=form, status=422)
    keep_place(found, form, at=clock.now())
    return redirect(f"{reverse('own-kiosk', args=[campaign.slug, found.pk])}?kept")


def _delete(request: HttpRequest, campaign: Campaign, fan: Fan, found: Kiosk) -> HttpResponseBase:
    if not delete(kiosk=found, by=fan):
        found.refresh_from_db()
        return _own(request, campaign, fan, found, refused=str(STAYS), status=409)
    return redirect("kiosks", slug=campaign.slug)


def _reopen(request: HttpRequest, campaign: Campaign, fan: Fan, found: Kiosk) -> HttpResponseBase:
    if why := reopen(kiosk=found):
        return _own(request, campaign, fan, found, refused=words_for_fans(why), status=409)
    return redirect("own-kiosk", slug=campaign.slug, pk=found.pk)


_ANSWERS = {"edit": _edit, "delete": _delete, "reopen": _reopen}


def _act_on(request: HttpRequest, campaign: Campaign, found: Kiosk, act: str) -> HttpResponseBase:
    at = clock.now()
    if act == "code":
        show_next(request, (found, new_code(kiosk=found, at=at)))
    elif act == "revoke":
        revoke(kiosk=found, at=at, by_organiser=False)
    else:
        raise Http404
    return redirect("own-kiosk", slug=campaign.slug, pk=found.pk)


def _own(
    request: HttpRequest,
    campaign: Campaign,
    fan: Fan,
    found: Kiosk,
    *,
    form: PlaceForm | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    one = one_kiosk(request, campaign, found, by=fan, place=form, at=clock.now())
    context = {"campaign": campaign, "fan": fan, "refused": refused, **one}
    return private_render(request, "own_kiosk.html", context, status=status)


# What stands there -------------------------------------------------------------------------------------------------
@require_safe
def object_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """What is put into a world. It carries no secret: what an object may do, the code says that is typed there."""
    campaign = campaign_or_404(slug)
    if name == "vteam-luanti.zip":
        return attachment(mod_archive(), name, "application/zip")
    world, _dot, ending = name.partition(".")
    if ending != "lsl" or world not in typing.get_args(LindenWorld):
        raise Http404
    script = kiosk_script(
        world=cast(LindenWorld, world), address=for_programs(site_base(request)), band=campaign.file.artist
    )
    return private(attachment(script.encode(), f"vteam-{name}", "text/plain; charset=utf-8"))


# Linking ------------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The address an avatar was shown: whoever is signed in says that the avatar is theirs."""
    at, person = clock.now(), person_of(request)
    found = link_with(secret, at=at)
    if found is None:
        return private_render(request, "avatar_link.html", {"gone": True}, status=410)
    campaign = Campaign.objects.get(pk=found.avatar.campaign_id)
    fan = (
        Fan.objects.select_related("person").filter(campaign_id=campaign.pk, person=person).first()
        if person
        else None
    )
    taken = found.avatar.fan_id is not None
    if request.method == "POST" and fan is not None:
        if link_avatar(secret=secret, fan=fan, at=at):
            return redirect(f"{reverse('kiosks', args=[campaign.slug])}?linked")
        return private_render(request, "avatar_link.html", {"gone": True, "campaign": campaign}, status=409)
    context = {
        "campaign": campaign,
        "fan": fan,
        "person": person,
        "link": found,
        "taken": taken,
        "waiting": found.avatar.acts.filter(waits_until__gt=at).exists(),
        "after": request.path,
    }
    return private_render(request, "avatar_link.html", context)
