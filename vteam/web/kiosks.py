"""What the pages of kiosks share: forms read, a code shown once, why there is no other kiosk."""

import datetime as dt

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from vteam.campaigns.models import Campaign
from vteam.channels.worlds import queries
from vteam.channels.worlds.enrolling import NotOpened, Spot, edit, made_in_a_day, may_delete
from vteam.channels.worlds.lines import line_of
from vteam.channels.worlds.models import Kiosk, World
from vteam.people.models import Fan
from vteam.web.addresses import for_programs, site_base
from vteam.web.kiosk_forms import KioskForm, PlaceForm

NEXT = "kiosk code"
STAYS = _("This kiosk can no longer be deleted.")


def show_next(request: HttpRequest, made: tuple[Kiosk, str]) -> None:
    """The next page of kiosks shows this code: the one that made it is left at once, lest reloading make another."""
    request.session[NEXT] = [made[0].pk, made[1]]


def shown_once(request: HttpRequest, campaign: Campaign) -> dict[str, object]:
    """The code of a kiosk that was just made, and the address its object speaks to."""
    pk, code = request.session.pop(NEXT, (0, ""))
    found = Kiosk.objects.filter(pk=pk, campaign_id=campaign.pk).first()
    return {"made": found, "code": f"{code[:4]} {code[4:]}", "base": for_programs(site_base(request))}


def spot_of(form: KioskForm) -> Spot:
    """Where a kiosk shall stand; its line is in the language of whoever puts it up."""
    data = form.cleaned_data
    return Spot(
        world=World(data["world"]),
        grid=data["grid"],
        place=data["place"],
        room=data["room"],
        language=data["language"] or get_language() or "en",
    )


def one_kiosk(
    request: HttpRequest,
    campaign: Campaign,
    kiosk: Kiosk,
    *,
    by: Fan | None,
    place: PlaceForm | None,
    at: dt.datetime,
) -> dict[str, object]:
    """What the page of one kiosk says, whoever reads it: the fan who hosts it, or an organiser (`by` None). `place`:
    what was said anew of it and is not taken yet.
    """
    as_it_is = {"place": kiosk.place, "room": kiosk.room, "language": kiosk.language}
    return {
        "row": queries.kiosk_rows(campaign, [kiosk], at=at)[0],
        "line": line_of(kiosk, at=at, campaign=campaign),
        "place": place or PlaceForm(initial=as_it_is),
        "may_delete": may_delete(kiosk, by=by),
        **shown_once(request, campaign),
    }


def keep_place(kiosk: Kiosk, form: PlaceForm, *, at: dt.datetime) -> None:
    """What a valid form says; where it names no language, the kiosk keeps its own."""
    data = form.cleaned_data
    edit(
        kiosk=kiosk,
        place=data["place"],
        room=data["room"],
        language=data["language"] or kiosk.language,
        at=at,
    )


def words_for_fans(why: NotOpened) -> str:
    """Why a fan has no other kiosk, and what to do."""
    most = {
        NotOpened.MADE_ENOUGH: made_in_a_day(),
        NotOpened.CAMPAIGN_FULL: settings.KIOSKS_PER_CAMPAIGN,
    }
    return str(_FOR_FANS[why] % {"n": most.get(why, settings.KIOSKS_PER_FAN)})


def words_for_organisers(why: NotOpened, *, of_fans: bool) -> str:
    """Why an organiser cannot open another of their own, or of their fans'; and what to do."""
    assert why is NotOpened.CAMPAIGN_FULL, "an organiser is bounded by nothing else"
    return str((_FULL_OF_FANS if of_fans else _FULL) % {"n": settings.KIOSKS_PER_CAMPAIGN})


_FULL = ngettext_lazy(
    "You can have %(n)s kiosk, beside those of fans. Close it if it is not needed any more.",
    "You can have %(n)s kiosks, beside those of fans. Close one that is not needed any more.",
    "n",
)
_FULL_OF_FANS = ngettext_lazy(
    "Fans can host %(n)s kiosk altogether. Close one of theirs first.",
    "Fans can host %(n)s kiosks altogether. Close one of theirs first.",
    "n",
)
_FOR_FANS = {
    NotOpened.FANS_HOST_NONE: _("Only organisers put up kiosks here. Ask them if you would like one."),
    NotOpened.HOSTS_ENOUGH: ngettext_lazy(
        "One fan can host %(n)s kiosk. Close the one you have, or ask an organiser.",
        "One fan can host %(n)s kiosks. Close one of yours, or ask an organiser.",
        "n",
    ),
    NotOpened.CLOSED_COUNT: ngettext_lazy(
        "One fan can host %(n)s kiosk, and one that an organiser closed counts. Ask them to open it again.",
        "One fan can host %(n)s kiosks, and those that an organiser closed count. Ask them to open one again.",
        "n",
    ),
    NotOpened.MADE_ENOUGH: ngettext_lazy(
        "You made %(n)s kiosk today: a fan can make no more in a day. Come back tomorrow.",
        "You made %(n)s kiosks today: a fan can make no more in a day. Come back tomorrow.",
        "n",
    ),
    NotOpened.CAMPAIGN_FULL: ngettext_lazy(
        "Fans host %(n)s kiosk, as many as this campaign can have. Come back when it is closed.",
        "Fans host %(n)s kiosks, as many as this campaign can have. Come back when one is closed.",
        "n",
    ),
    NotOpened.BARRED: _("An organiser closed this kiosk. Ask them to open it again."),
}
