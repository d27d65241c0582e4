"""What an organiser types about the contest: the rules' own words here, a prize in `prize_form`. Errors say what to do.

What a form does not know stays as it is in force.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vteam.campaigns.file import CampaignFile
from vteam.campaigns.findings import Finding
from vteam.campaigns.values import Words
from vteam.campaigns.writing import table_of
from vteam.web.forms import SubjectField, TextField

NAME_LENGTH, EXPLANATION_LENGTH, MORE_LENGTH = 80, 600, 4_000
VERSION_MAX: Final = 2**31 - 1
NO_KEYS = ("seen",)
"""Fields of a form that no campaign file has."""


# Fields ------------------------------------------------------------------------------------------------------------
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
class RulesForm(VersionForm):
    """What the rules of the contest say besides what follows from the campaign; everything empty: nothing."""

    answers = SubjectField(limit=NAME_LENGTH, required=False)

    def __init__(self, data: Any = None, *, file: CampaignFile, seen: int) -> None:
        self.entry, self.languages = file.rules, file.languages
        initial: dict[str, Any] = {"seen": seen}
        if file.rules:
            initial |= {"answers": file.rules.answers, **initial_words(file.rules, ["more"], file.languages)}
        super().__init__(data, initial=initial)
        for code in file.languages:
            self.fields[f"more_{code}"] = TextField(limit=MORE_LENGTH, required=False)

    def clean(self) -> dict[str, Any]:
        """Who says more is answered for; what one language says, the others say too."""
        said: dict[str, Any] = super().clean() or {}
        is_more = any(said.get(f"more_{code}") for code in self.languages)
        if is_more and "answers" in said and not said["answers"]:
            self.add_error("answers", _("Say who answers for it: a name and an address."))
        self.check_languages("more", said)
        return said

    def table(self) -> dict[str, Any]:
        """What was typed as the table of the campaign file; empty where nothing was."""
        table = table_of(self.entry) if self.entry else {}
        more = typed_words(self, "more", self.entry)
        found = without_empty(table, {"answers": self.cleaned_data["answers"], "more": more})
        return found if found.get("answers") else {}
