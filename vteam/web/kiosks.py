"""What the pages of kiosks share: a form read, a code shown once, the files of objects."""

from django.http import HttpRequest
from django.utils.translation import get_language

from vteam.campaigns.models import Campaign
from vteam.channels.worlds.enrolling import Spot
from vteam.channels.worlds.models import Kiosk, World
from vteam.web.addresses import for_programs, site_base
from vteam.web.kiosk_forms import KioskForm

NEXT = "kiosk code"


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
