"""What people type, checked. Errors say what to do."""

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator, validate_email
from django.utils.translation import get_language, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from vteam.campaigns import values
from vteam.campaigns.file import PrizeEntry
from vteam.people.vault import ADDRESS_LENGTH, plain_address
from vteam.prizes.claims import LONGEST, OPTIONAL, fields_of
from vteam.rules.codes import DIGITS, typed_digits
from vteam.rules.drawrecords import CONTRIBUTORS_MAX
from vteam.rules.prizes import State

NAME_LENGTH = 40
CONTRIBUTORS_MIN = 2
ADULT_AGE = 18
PLACE_LENGTH = 60
SUBJECT_LENGTH = 100
TEXT_LENGTH = 4_000
# Characters that hide, reverse or imitate: a name is shown to others.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# Unicode calls these letters or signs, but they print nothing: Hangul and Khmer fillers, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_JOINER = "\u200d"


def _plain(text: str) -> str:
    """One line of visible text in NFC."""
    kept = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    seen = (c for c in kept if unicodedata.category(c) not in _UNSEEN and c not in _BLANK)
    return " ".join("".join(seen).split())


def _prose(text: str) -> str:
    """Paragraphs of visible text in NFC, an empty line between two. What joins the parts of one emoji stays."""
    lines = re.split(r"\r\n?|\n", unicodedata.normalize("NFC", text))
    kept = ("".join(filter(_is_prose, line.replace("\t", " "))).rstrip() for line in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _is_prose(character: str) -> bool:
    return character == _JOINER or (
        unicodedata.category(character) not in _UNSEEN and character not in _BLANK
    )


def bare_name(name: str) -> str:
    """A name's letters and numbers alone, without case and accents: names that read alike are equal."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(character for character in parts if character.isalnum())


class PlaceField(forms.CharField):
    """What a fan calls a place: one line of visible characters."""

    def to_python(self, value: Any) -> str:
        """The typed text without what cannot be seen."""
        return _plain(super().to_python(value) or "")


class NameField(PlaceField):
    """A name others see: one line with a letter or a number in it, and not the band's own name.

    `band`: whose name nobody else may bear, once the campaign is known.
    """

    band = ""

    def validate(self, value: str) -> None:
        """Django's hook; an empty name is refused where one is required."""
        super().validate(value)
        if value and not any(unicodedata.category(character)[0] in "LN" for character in value):
            raise forms.ValidationError(_("A name needs a letter or a number."))
        if value and bare_name(value) == bare_name(self.band):
            raise forms.ValidationError(_("This is the band’s name. Which is yours?"))


def name_field() -> NameField:
    """The name a fan chooses to show."""
    return NameField(
        max_length=NAME_LENGTH,
        error_messages={
            "required": _("Which name shall others see? A first name is fine."),
            "max_length": _("This name is too long: at most %(limit_value)s characters."),
        },
    )


def _check_address(typed: str) -> None:
    """Refuse what has no plain spelling: the address looked up and the one written to must be the same."""
    validate_email(typed)
    if plain_address(typed) is None:
        raise forms.ValidationError("", code="invalid")


class AddressField(forms.EmailField):
    """A mail address with one plain spelling (`vault.plain_address`)."""

    default_validators = [_check_address]


def address_field() -> forms.EmailField:
    """A mail address; how it is spelled is checked, whether it exists is not asked."""
    return AddressField(
        max_length=ADDRESS_LENGTH,
        error_messages={
            "required": _("Type your mail address: we send a code to it, nothing else."),
            "invalid": _("This does not look like a mail address. It should read like name@example.org."),
        },
    )


class NamedForm(forms.Form):
    """A form with the name others see in a campaign of `band`'s."""

    name = name_field()

    def __init__(self, *args: Any, band: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["name"]
        assert isinstance(field, NameField), "the name is a name"
        field.band = band


class RenameForm(NamedForm):
    """Another name to show in one campaign."""


class MemberForm(NamedForm):
    """Joining a vTeam with an address proven before. `via` and `arrival` are signed fields a landing page gave.

    `after`: the page of ours they came from, and go on to.
    """

    OLD_ENOUGH, YOUNGER = "yes", "no"

    age = forms.ChoiceField(
        choices=[(OLD_ENOUGH, "yes"), (YOUNGER, "no")],
        error_messages={
            "required": _("Please say how old you are."),
            "invalid_choice": _("Please choose one."),
        },
    )
    via = forms.CharField(required=False, max_length=200)
    arrival = forms.CharField(required=False, max_length=400)
    after = forms.CharField(required=False, max_length=200)


class JoinForm(MemberForm):
    """Joining a vTeam with an address still to be proven."""

    address = address_field()


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

    place = PlaceField(
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
    at_most = forms.IntegerField(required=False, min_value=1, max_value=10_000_000)
    until = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        """The one choice that answers three ways can only be agreed to."""
        said: dict[str, Any] = super().clean() or {}
        if said.get("way") == "keep" and said.get("act") != "agreed":
            raise forms.ValidationError(_("This can only be agreed to."))
        return said


class WrittenField(forms.CharField):
    """Something an organiser wrote, with a limit. What is too long stays in its field, and is told by how much."""

    def __init__(self, *, limit: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def validate(self, value: str) -> None:
        """Django's hook."""
        super().validate(value)
        over = len(value) - self.limit
        if over > 0:
            message = ngettext_lazy(
                "This is %(over)s character too long: at most %(limit)s.",
                "This is %(over)s characters too long: at most %(limit)s.",
                "over",
            )
            raise forms.ValidationError(message, params={"over": over, "limit": self.limit})


class SubjectField(WrittenField):
    """One line of visible characters."""

    def to_python(self, value: Any) -> str:
        """The typed text without what cannot be seen."""
        return _plain(super().to_python(value) or "")


class TextField(WrittenField):
    """Plain paragraphs."""

    def to_python(self, value: Any) -> str:
        """The typed text without what cannot be seen."""
        return _prose(super().to_python(value) or "")


class NewsForm(forms.Form):
    """News in a campaign's languages: `subject_en`, `text_en`, … `seen`: the state of it its writer saw.

    `whole`: it is published, so that no language may be emptied; a draft needs a word somewhere.
    """

    seen = forms.CharField(required=False, max_length=64)

    def __init__(self, *args: Any, languages: Sequence[str], whole: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.languages = tuple(languages)
        for code in languages:
            self.fields[f"subject_{code}"] = SubjectField(
                required=whole,
                limit=SUBJECT_LENGTH,
                error_messages={"required": _("Published news needs a subject.")},
            )
            self.fields[f"text_{code}"] = TextField(
                required=whole,
                limit=TEXT_LENGTH,
                error_messages={"required": _("Published news needs a text.")},
            )

    def clean(self) -> dict[str, Any]:
        """Nothing at all is no draft."""
        said: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(said[name] for name in self.fields if name != "seen"):
            self.add_error(f"subject_{self.languages[0]}", _("Write a few words first."))
        return said


class ClaimForm(forms.Form):
    """What a winner tells so that they can be given their prize: only what this prize needs."""

    shows_name = forms.BooleanField(required=False)

    def __init__(self, *args: Any, prize: PrizeEntry, minimum_age: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = fields_of(prize)
        ages = {"adult": _("I am %(age)d or over") % {"age": max(minimum_age, ADULT_AGE)}}
        if minimum_age < ADULT_AGE:
            ages["minor"] = _("I am %(age)d to 17: a parent has to agree") % {"age": minimum_age}
        messages = {"required": _("Say how old you are.")}
        self.fields["age"] = forms.ChoiceField(choices=list(ages.items()), error_messages=messages)
        for name in self.asked:
            self.fields[name] = _country_field(prize) if name == "country" else _detail_field(name)

    def details(self) -> dict[str, str]:
        """What was told, by name; what was left empty is not in it."""
        return {name: self.cleaned_data[name] for name in self.asked if self.cleaned_data[name]}

    @property
    def rows(self) -> list[tuple[forms.BoundField, str, str]]:
        """Each field with what it is called and what a browser may fill it with."""
        return [(self[name], *_DETAILS[name]) for name in self.asked]


_DETAILS: dict[str, tuple[Any, str]] = {
    "name": (_("Name"), "name"),
    "street": (_("Street and number"), "address-line1"),
    "more": (_("More of the address (building, care of…), if there is any"), "address-line2"),
    "postcode": (_("Postcode"), "postal-code"),
    "town": (_("Town"), "address-level2"),
    "country": (_("Country"), "country"),
}


def detail_name(name: str) -> str:
    """What a claim's detail is called."""
    return str(_DETAILS[name][0])


def _detail_field(name: str) -> forms.Field:
    messages = {"required": _("Without it we cannot give it to you."), "max_length": _("This is too long.")}
    return PlaceField(max_length=LONGEST, required=name not in OPTIONAL, error_messages=messages)


def names_of_countries() -> dict[str, str]:
    """Every country by its code (ISO 3166), as the page's language calls it."""
    return values.names_of_countries(get_language() or "en")


def _country_field(prize: PrizeEntry) -> forms.Field:
    names = names_of_countries()
    codes = prize.countries or names
    choices = sorted(((code, names.get(code, code)) for code in codes), key=lambda each: each[1])
    messages = {"required": _("Choose one."), "invalid_choice": _("It cannot be won there.")}
    return forms.ChoiceField(choices=[("", ""), *choices], error_messages=messages)


class AnnounceForm(forms.Form):
    """Where a draw's randomness will come from: a round of a public beacon, or what several people committed to."""

    source = forms.ChoiceField(choices=[("beacon", ""), ("commitments", "")])
    hours = forms.IntegerField(
        min_value=1,
        max_value=24 * 30,
        error_messages={
            "required": _("In how many hours is it drawn?"),
            "invalid": _("A whole number of hours."),
            "min_value": _("At least one hour, so that everybody can note the hash."),
            "max_value": _("Within thirty days."),
        },
    )
    commitments = forms.CharField(required=False, max_length=10_000)
    at_least = forms.IntegerField(required=False, min_value=1, max_value=CONTRIBUTORS_MAX)

    def clean(self) -> dict[str, Any]:
        """Each line a name and a commitment; as many must reveal as are named where nothing else is said."""
        data = super().clean() or {}
        if data.get("source") != "commitments":
            return data
        found: dict[str, str] = {}
        for line in filter(None, map(str.strip, (data.get("commitments") or "").splitlines())):
            typed, _space, commitment = line.rpartition(" ")
            name = _plain(typed)
            if not name or not re.fullmatch("[0-9a-f]{64}", commitment) or name in found:
                self.add_error(
                    "commitments",
                    _("Each line: a name, a space, the 64 letters and digits of the commitment."),
                )
                return data
            found[name] = commitment
        if not CONTRIBUTORS_MIN <= len(found) <= CONTRIBUTORS_MAX:
            self.add_error("commitments", _("Two people at least have to commit: one line for each."))
        data["named"] = found
        data["at_least"] = min(data.get("at_least") or len(found), len(found))
        return data


class RandomnessForm(forms.Form):
    """The randomness of a draw as it came: a round's signature, or the beacon's answer; or a name and secret a line."""

    came = forms.CharField(required=False, max_length=20_000)

    def signature(self) -> dict[str, Any]:
        """The signature typed, or the one in the beacon's own answer."""
        typed = self.cleaned_data["came"].strip()
        try:
            answer = json.loads(typed)
        except (ValueError, RecursionError):  # no JSON, or none a beacon would send
            answer = None
        told = answer.get("signature", "") if isinstance(answer, dict) else typed
        return {"signature": str(told).lower()}

    def revealed(self) -> dict[str, Any]:
        """The secrets by name."""
        lines = filter(None, map(str.strip, self.cleaned_data["came"].splitlines()))
        pairs = (line.rpartition(" ") for line in lines)
        return {"revealed": {_plain(name): secret.lower() for name, _space, secret in pairs}}


class GivenOnForm(forms.Form):
    """Whose a place at a concert is from now on."""

    name = _detail_field("name")


class DoorForm(forms.Form):
    """A new door of a concert: what those who stand there call it."""

    name = PlaceField(
        max_length=NAME_LENGTH,
        error_messages={
            "required": _("Give the door a name: “main entrance”."),
            "max_length": _("This name is too long: at most %(limit_value)s characters."),
        },
    )


class GivingForm(forms.Form):
    """What an organiser does with an offer: which one, as they saw it, what, and why."""

    offer = forms.IntegerField()
    step = forms.IntegerField(min_value=0)
    to = forms.ChoiceField(choices=[(state, state) for state in State])
    note = forms.CharField(required=False, max_length=300)
