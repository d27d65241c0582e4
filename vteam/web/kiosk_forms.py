"""What is typed of kiosks in virtual worlds: where one shall stand, and how far it is trusted."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from vteam.channels.worlds.models import World
from vteam.web.forms import PLACE_LENGTH, PlaceField


class PlaceForm(forms.Form):
    """What can be said anew of a kiosk: the place, where to listen there, and the language of the line above it."""

    place = PlaceField(
        max_length=PLACE_LENGTH,
        error_messages={
            "required": _("Where does it stand? The club, the square, your own land."),
            "max_length": _("This name is too long: at most %(limit_value)s characters."),
        },
    )
    room = PlaceField(
        required=False,
        max_length=120,
        error_messages={"max_length": _("This is too long: at most %(limit_value)s characters.")},
    )
    language = forms.ChoiceField(
        choices=[(code, code) for code in ("en", "fr")],
        required=False,
        error_messages={"invalid_choice": _("Choose English or French.")},
    )


class KioskForm(PlaceForm):
    """Where a kiosk shall stand: besides, which world, and which grid of it."""

    world = forms.ChoiceField(
        choices=[(world, world) for world in World],
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose one of these worlds.")),
    )
    grid = PlaceField(
        required=False,
        max_length=60,
        error_messages={"max_length": _("This name is too long: at most %(limit_value)s characters.")},
    )

    def clean(self) -> dict[str, Any]:
        """A world that is one grid needs no name of one; each of the others does."""
        data = super().clean() or {}
        if data.get("world") == World.SECOND_LIFE:
            data["grid"] = World.SECOND_LIFE.label
        elif not data.get("grid") and "grid" not in self.errors:
            self.add_error("grid", _("Which grid or server is it on? The name its residents know."))
        return data


class ActsField(forms.IntegerField):
    """How much a kiosk may cause in a day."""

    def __init__(self, *, required: bool = True) -> None:
        wrong = dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Write a whole number from 0 to 100,000.")
        )
        super().__init__(required=required, min_value=0, max_value=100_000, error_messages=wrong)


class OrganisersKioskForm(KioskForm):
    """Besides, how far its object is trusted: left empty, as far as one of that world usually is."""

    acts_per_day = ActsField(required=False)


class TrustForm(forms.Form):
    """How much a kiosk may cause in a day; and of a fan's, whether whoever hosts it is known (`vouched`)."""

    acts_per_day = ActsField()
    vouched = forms.BooleanField(required=False)
