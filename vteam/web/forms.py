"""What people type, checked. Errors say what to do."""

import unicodedata
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from vteam.rules.codes import DIGITS, typed_digits

NAME_LENGTH = 40
PLACE_LENGTH = 60
ADDRESS_LENGTH = 254
# Characters that hide, reverse or imitate: a name is shown to others.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _plain(text: str) -> str:
    """One line of visible text in NFC."""
    kept = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in _UNSEEN).split())


class NameField(forms.CharField):
    """A name to show, or a place's name: one line of visible characters."""

    def to_python(self, value: Any) -> str:
        """The typed text without what cannot be seen."""
        return _plain(super().to_python(value) or "")


def address_field() -> forms.EmailField:
    """A mail address; how it is spelled is checked, whether it exists is not asked."""
    return forms.EmailField(
        max_length=ADDRESS_LENGTH,
        error_messages={
            "required": _("Type your mail address: we send a code to it, nothing else."),
            "invalid": _("This does not look like a mail address. It should read like name@example.org."),
        },
    )


class JoinForm(forms.Form):
    """Joining a vTeam. `via` and `arrival` are signed fields a landing page gave along."""

    OLD_ENOUGH, YOUNGER = "yes", "no"

    address = address_field()
    name = NameField(
        max_length=NAME_LENGTH,
        error_messages={
            "required": _("Which name shall others see? A first name is fine."),
            "max_length": _("This name is too long: at most %(limit_value)s characters."),
        },
    )
    age = forms.ChoiceField(
        choices=[(OLD_ENOUGH, "yes"), (YOUNGER, "no")],
        error_messages={
            "required": _("Please say how old you are."),
            "invalid_choice": _("Please choose one."),
        },
    )
    via = forms.CharField(required=False, max_length=200)
    arrival = forms.CharField(required=False, max_length=400)


class SignInForm(forms.Form):
    """Coming back."""

    address = address_field()
    after = forms.CharField(required=False, max_length=200)


class CodeForm(forms.Form):
    """The digits from the mail."""

    code = forms.CharField(
        max_length=20,
        error_messages={"required": _("Type the six digits from the mail.")},
    )

    def clean_code(self) -> str:
        """The digits, without the spaces people add."""
        digits = typed_digits(self.cleaned_data["code"])
        if len(digits) != DIGITS:
            raise forms.ValidationError(_("The code has six digits."))
        return digits


class LinkForm(forms.Form):
    """The button of the page the mail's link opens; a joiner may still correct the name to show."""

    k = forms.CharField(max_length=80)
    name = NameField(required=False, max_length=NAME_LENGTH)


class ShareForm(forms.Form):
    """A new link: where will it go?"""

    place = NameField(
        max_length=PLACE_LENGTH,
        error_messages={
            "required": _("Name the place, so that you can tell your links apart."),
            "max_length": _("This name is too long: at most %(limit_value)s characters."),
        },
    )


class HolderForm(forms.Form):
    """A holder speaks about one way of circulating one title."""

    title = forms.IntegerField(min_value=1, max_value=2**53)
    way = forms.CharField(validators=[RegexValidator(r"^(listen|download|pass-on|worlds|keep)$")])
    act = forms.CharField(validators=[RegexValidator(r"^(agreed|refused|withdrawn)$")])
    words = forms.CharField(required=False, max_length=500)
    why = forms.CharField(required=False, max_length=500)
