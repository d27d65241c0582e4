"""What an organiser types about the contest: the rules' own words here, a prize in `prize_form`. Errors say what to do.

What a form does not know stays as it is in force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vteam.campaigns.file import CampaignFile, ConditionsEntry
from vteam.campaigns.findings import Finding
from vteam.campaigns.values import Words
from vteam.campaigns.writing import table_of
from vteam.web.forms import PlaceField, SubjectField, TextField, bare_name, names_of_countries

NAME_LENGTH, EXPLANATION_LENGTH, MORE_LENGTH = 80, 600, 4_000
VERSION_MAX: Final = 2**31 - 1
NO_KEYS = ("seen",)
"""Fields of a form that no campaign file has."""


# Fields ------------------------------------------------------------------------------------------------------------
class CountryField(PlaceField):
    """A country by name or by its two letters; becomes its code."""

    def to_python(self, value: Any) -> Any:
        """The code; empty where nothing was typed."""
        typed = super().to_python(value)
        return code_of_country(typed) if typed else ""


class CountriesField(PlaceField):
    """Countries by name or by their two letters, with commas between them; becomes their codes."""

    def to_python(self, value: Any) -> Any:
        """The codes, each once, in the order typed."""
        typed = [name.strip() for name in super().to_python(value).split(",")]
        return list(dict.fromkeys(code_of_country(name) for name in typed if name))


def code_of_country(typed: str) -> str:
    """The code of a country somebody typed. ValidationError where there is none."""
    names = names_of_countries()
    if typed.upper() in names:
        return typed.upper()
    for code, name in names.items():
        if bare_name(name) == bare_name(typed):
            return code
    raise forms.ValidationError(_("We know no country called “%(name)s”."), params={"name": typed[:60]})


class VersionForm(forms.Form):
    """A form about the campaign in force. `seen`: the version its writer saw."""

    seen = forms.IntegerField(min_value=0, max_value=VERSION_MAX)
    languages: Sequence[str] = ()

    def check_languages(self, name: str, said: Mapping[str, Any]) -> None:
        """What one language of the campaign says, the others say too."""
        names = [f"{name}_{code}" for code in self.languages]
        if any(said.get(each) for each in names):
            for empty in (each for each in names if each in said and not said[each]):
                self.add_error(empty, _("Say it in this language too, or in none."))

    def tell(self, finding: Finding, found_at: tuple[str | int, ...]) -> None:
        """Say what the file's own checks found beside its field, or at the top. `found_at`: where its table stands."""
        why = {"why": f"{finding.wrong} → {finding.instead}"}
        if finding.path[: len(found_at)] != found_at:
            first = gettext("Something else in the campaign has to be put right first: %(why)s")
            self.add_error(None, first % why)
            return
        path = (*finding.path[len(found_at) :], *((finding.missing,) if finding.missing else ()))
        self.add_error(self._field_at(path), gettext("This cannot be kept: %(why)s") % why)

    def refuse(self, name: str | None, *, announced: bool) -> None:
        """Say at a field, or at the top, that what was promised stays."""
        drawn = _("This stays as it is: the draw is announced.")
        offered = _("This stays as it is: somebody has been offered this prize.")
        self.add_error(name if name in self.fields else None, drawn if announced else offered)

    def _field_at(self, path: Sequence[str | int]) -> str | None:
        names = ["_".join(map(str, path)), str(path[0]) if path else ""]
        named = [*names, *(name for name in self.fields if name.startswith(f"{names[1]}_"))]
        return next((name for name in named if name in self.fields), None)


# Texts in several languages -----------------------------------------------------------------------------------------
def initial_words(entry: object, names: Any, languages: Sequence[str]) -> dict[str, str]:
    """What the fields of an entry's texts hold before anybody types, language by language."""
    return {
        f"{name}_{code}": getattr(words, code) or ""
        for name in names
        for code in languages
        if (words := getattr(entry, name))
    }


def typed_words(form: VersionForm, name: str, entry: object) -> dict[str, str] | None:
    """A text in the campaign's languages as typed; in others as it was, unless it was written once for all."""
    languages = form.languages
    typed = {code: text for code in languages if (text := form.cleaned_data[f"{name}_{code}"])}
    before: Words | None = getattr(entry, name, None)
    if not typed or before is None:
        return typed or None
    first = before.in_language(languages[0])
    others = {code: getattr(before, code) for code in Words.model_fields if code not in languages}
    return {**{code: text for code, text in others.items() if text and text != first}, **typed}


def without_empty(table: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The table with what was said; what was left empty is taken out of it."""
    table = table | dict(said)
    return {name: value for name, value in table.items() if value not in ("", None, [])}


# The rules ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What holds in one country, as the page asks for it: the country, and the text language by language."""

    country: forms.BoundField
    texts: list[tuple[str, forms.BoundField]]


class RulesForm(VersionForm):
    """What the rules of the contest say besides what follows from the campaign; everything empty: nothing.

    Conditions country by country: `country_N` and `text_N_en`, … for those there are and for one more.
    """

    answers = SubjectField(limit=NAME_LENGTH, required=False)

    def __init__(self, data: Any = None, *, file: CampaignFile, seen: int) -> None:
        self.entry, self.languages = file.rules, file.languages
        there = file.rules.conditions if file.rules else ()
        initial: dict[str, Any] = {"seen": seen}
        if file.rules:
            initial |= {"answers": file.rules.answers, **initial_words(file.rules, ["more"], file.languages)}
        for at, condition in enumerate(there):
            initial |= _initial_condition(at, condition, file.languages)
        super().__init__(data, initial=initial)
        for code in file.languages:
            self.fields[f"more_{code}"] = TextField(limit=MORE_LENGTH, required=False)
        self.places = range(len(there) + 1)
        for at in self.places:
            self.fields[f"country_{at}"] = CountryField(max_length=NAME_LENGTH, required=False)
            for code in file.languages:
                self.fields[f"text_{at}_{code}"] = TextField(limit=MORE_LENGTH, required=False)

    def clean(self) -> dict[str, Any]:
        """Who says more is answered for; what one language says, the others say too."""
        said: dict[str, Any] = super().clean() or {}
        is_more = any(text for name, text in said.items() if name.startswith(("more_", "text_")))
        if is_more and "answers" in said and not said["answers"]:
            self.add_error("answers", _("Say who answers for it: a name and an address."))
        self.check_languages("more", said)
        self._check_conditions(said)
        return said

    def _check_conditions(self, said: Mapping[str, Any]) -> None:
        named: set[str] = set()
        for at in self.places:
            self.check_languages(f"text_{at}", said)
            country = said.get(f"country_{at}", "")
            is_text = any(said.get(f"text_{at}_{code}") for code in self.languages)
            if country in named:
                self.add_error(f"country_{at}", _("This country stands here twice: write both in one text."))
            elif is_text and not country and f"country_{at}" not in self.errors:
                self.add_error(f"country_{at}", _("In which country does this hold?"))
            elif country and not is_text and not self._is_wrong(at):
                self.add_error(f"text_{at}_{self.languages[0]}", _("Say what holds there."))
            named |= {country} if country else set()

    def _is_wrong(self, at: int) -> bool:
        return any(f"text_{at}_{code}" in self.errors for code in self.languages)

    @property
    def conditions(self) -> list[Condition]:
        """Those there are, and an empty one."""
        return [
            Condition(
                country=self[f"country_{at}"],
                texts=[(code, self[f"text_{at}_{code}"]) for code in self.languages],
            )
            for at in self.places
        ]

    def table(self) -> dict[str, Any]:
        """What was typed as the table of the campaign file; empty where nothing was."""
        table = table_of(self.entry) if self.entry else {}
        conditions = [
            {"country": country, "text": typed_words(self, f"text_{at}", None)}
            for at in self.places
            if (country := self.cleaned_data[f"country_{at}"])
        ]
        more = typed_words(self, "more", self.entry)
        said = {"answers": self.cleaned_data["answers"], "more": more, "conditions": conditions}
        found = without_empty(table, said)
        return found if found.get("answers") else {}


def _initial_condition(at: int, condition: ConditionsEntry, languages: Sequence[str]) -> dict[str, str]:
    country = names_of_countries().get(condition.country, condition.country)
    texts = {f"text_{at}_{code}": getattr(condition.text, code) or "" for code in languages}
    return {f"country_{at}": country, **texts}
