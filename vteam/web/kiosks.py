"""What the pages of kiosks share: a form read, a code shown once, the files of objects."""

import re

from django.http import HttpRequest
from django.utils.translation import get_language

from vteam.channels.worlds.enrolling import Spot
from vteam.channels.worlds.models import Kiosk, World
from vteam.web.addresses import site_base
from vteam.web.forms import KioskForm

NUMBER = re.compile("[1-9][0-9]{0,17}")


def shown_once(request: HttpRequest, made: tuple[Kiosk, str] | None) -> dict[str, object]:
    """The code of a kiosk that was just made, and the address its object speaks to."""
    if made is None:
        return {"made": None, "base": site_base(request)}
    found, code = made
    return {"made": found, "code": f"{code[:4]} {code[4:]}", "base": site_base(request)}


def spot_of(form: KioskForm) -> Spot:
    """Where a kiosk shall stand; its line is in the language of whoever puts it up."""
    data = form.cleaned_data
    return Spot(
        world=World(data["world"]),
        grid=data["grid"],
        place=data["place"],
        room=data["room"],
        language=get_language() or "en",
    )


def number_of(typed: str) -> int:
    """A row's number; 0, which none has, where it is none."""
    return int(typed) if NUMBER.fullmatch(typed) else 0
