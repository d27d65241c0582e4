"""What whoever supplies a prize types, checked. Errors say what to do."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from vteam.prizes.suppliers import Said
from vteam.web.forms import PlaceField

SUPPLIER_LENGTH = 80


class SupplierForm(forms.Form):
    """What whoever supplies a prize says of it, who says so, and the words they read (`seen`: their hash)."""

    said = forms.ChoiceField(choices=[(said, said) for said in Said])
    seen = forms.CharField(max_length=64)
    name = PlaceField(
        required=False,
        max_length=SUPPLIER_LENGTH,
        error_messages={"max_length": _("This name is too long: at most %(limit_value)s characters.")},
    )

    def clean(self) -> dict[str, Any]:
        """A yes has a name to it."""
        told: dict[str, Any] = super().clean() or {}
        if told.get("said") == Said.YES and not told.get("name") and "name" not in self.errors:
            self.add_error("name", _("Write who says so: the house’s name is enough."))
        return told
