"""A fan's pages of virtual worlds: where kiosks stand, those they host, their avatars, and linking one.

GET shows, POST acts. A kiosk's code is shown once, when it is made.
"""

import typing
from typing import TypeVar, cast

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds import queries
from vteam.channels.worlds.avatars import name_of
from vteam.channels.worlds.enrolling import new_code, put_up, reopen, revoke
from vteam.channels.worlds.linking import link_avatar, link_with, unlink_avatar
from vteam.channels.worlds.lsl import World as LindenWorld
from vteam.channels.worlds.lsl import kiosk_script
from vteam.channels.worlds.luanti import mod_archive
from vteam.people.models import Fan
from vteam.web.addresses import for_programs, site_base
from vteam.web.answers import attachment, campaign_or_404, for_fans, number_of, private, private_render
from vteam.web.kiosk_forms import KioskForm
from vteam.web.kiosks import show_next, shown_once, spot_of
from vteam.web.views.fans import mission_cards
from vteam.web.visitors import person_of

SHOWN = 50
ACTS_PER_DAY = 20
"""What a fan's kiosk may cause in a day, until an organiser says otherwise."""
Row = TypeVar("Row", bound=Model)


@for_fans
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """Where kiosks stand, the fan's avatars, and the kiosks they host; POST does what `act` says."""
    if request.method != "POST":
        return _page(request, campaign, fan, form=KioskForm())
    act = request.POST.get("act", "")
    if act == "put-up":
        return _put_up(request, campaign, fan)
    if act == "unlink":
        unlink_avatar(avatar=_own(queries.avatars_of(fan), request.POST.get("avatar", "")))
        return redirect("kiosks", slug=campaign.slug)
    found = _own(queries.kiosks_of(campaign, fan=fan), request.POST.get("kiosk", ""))
    if act == "reopen":
        if not reopen(kiosk=found):
            return _page(request, campaign, fan, form=KioskForm(), refused=True, status=409)
    elif act == "code" and found.revoked_at is None:
        show_next(request, (found, new_code(kiosk=found, at=clock.now())))
    elif act == "revoke" and found.revoked_at is None:
        revoke(kiosk=found, at=clock.now(), by_organiser=False)
    else:
        raise Http404
    return redirect("kiosks", slug=campaign.slug)


def _put_up(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    form = KioskForm(request.POST)
    if not form.is_valid():
        return _page(request, campaign, fan, form=form, status=422)
    made = put_up(campaign=campaign, spot=spot_of(form), fan=fan, acts_per_day=ACTS_PER_DAY, at=clock.now())
    if made is None:
        return _page(request, campaign, fan, form=form, refused=True, status=409)
    show_next(request, made)
    return redirect("kiosks", slug=campaign.slug)


def _own(rows: "QuerySet[Row]", typed: str) -> Row:
    """The row of a fan's own with a number; 404 for anybody else's."""
    found = rows.filter(pk=number_of(typed)).first()
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest,
    campaign: Campaign,
    fan: Fan,
    *,
    form: KioskForm,
    refused: bool = False,
    status: int = 200,
) -> HttpResponse:
    at = clock.now()
    context = {
        "campaign": campaign,
        "fan": fan,
        "form": form,
        "refused": refused,
        "most": settings.KIOSKS_PER_FAN,
        "open": queries.open_kiosks(campaign, at=at)[:SHOWN],
        "kiosks": queries.kiosk_rows(campaign, queries.kiosks_of(campaign, fan=fan)[:SHOWN], at=at),
        "missions": [card for card in mission_cards(campaign, fan) if card.kind == "world"],
        "avatars": [(avatar, name_of(avatar)) for avatar in queries.avatars_of(fan)[:SHOWN]],
        **shown_once(request, campaign),
    }
    return private_render(request, "kiosks.html", context, status=status)


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
    found, at, person = link_with(secret, at=clock.now()), clock.now(), person_of(request)
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
