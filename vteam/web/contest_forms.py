"""What an organiser types about the contest: a prize, and what the rules say besides. Errors say what to do.

A field of a prize is called as the campaign file calls it. One more takes a line in `PrizeForm`, its name in `GROUPS`,
and, where only some kinds of prize have it, one in `OF_KIND`. What a form does not know stays as it is in force.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.findings import Finding
from vteam.campaigns.values import Words
from vteam.campaigns.writing import table_of
from vteam.prizes.keeping import Promise
from vteam.rules.drawrecords import DRAWN_MAX
from vteam.web.forms import PlaceField, SubjectField, TextField, bare, names_of_countries
from vteam.web.templatetags.vteam import number

NAME_LENGTH, EXPLANATION_LENGTH, MORE_LENGTH = 80, 600, 4_000
VERSION_MAX: Final = 2**31 - 1
NO_KEYS = ("seen",)
"""Fields of a form that no campaign file has."""
OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "first": ("ranking",),
    "milestone": ("milestone",),
    "qualify": ("draw",),
    "weighted": ("draw",),
}
"""Fields that say something for some kinds of prize only."""
NEEDED_BY_KIND: Final[Mapping[str, str]] = {
    "ranking": "first",
    "milestone": "milestone",
    "draw": "how_many",
    "first-come": "how_many",
}
GROUPS: Final = (
    (_("Who gets it"), ("kind", "first", "milestone", "qualify", "weighted", "how_many")),
    (_("Who may win it"), ("minimum_age", "countries")),
    (_("Giving it"), ("supplied_by", "confirmed", "needs", "claim_days")),
)
WORDS: Final = {"name": NAME_LENGTH, "explanation": EXPLANATION_LENGTH, "value": NAME_LENGTH}
"""Texts given once per language, and how long each may be."""
WORDS_NEEDED: Final = {
    "name": _("It needs a name."),
    "explanation": _("Say in a sentence or two what it is."),
}


# Fields ------------------------------------------------------------------------------------------------------------
def _number(
    least: int, most: int, label: Any, help_text: Any = "", *, required: bool = False
) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=least,
        max_value=most,
        required=required,
        label=label,
        help_text=help_text,
        error_messages={
            "required": _("A number is needed here."),
            "invalid": _("Type a whole number, in figures."),
            "min_value": _("At least %(limit_value)s."),
            "max_value": _("At most %(limit_value)s."),
        },
    )


def _choice(
    choices: Sequence[tuple[str, Any]], label: Any, help_text: Any = "", **others: Any
) -> forms.ChoiceField:
    messages = {"required": _("Please choose one."), "invalid_choice": _("Please choose one.")}
    return forms.ChoiceField(
        choices=choices,
        label=label,
        help_text=help_text,
        widget=forms.RadioSelect,
        error_messages=messages,
        **others,
    )


class CountriesField(PlaceField):
    """Countries by name or by their two letters, with commas between them; becomes their codes."""

    def to_python(self, value: Any) -> Any:
        """The codes, each once, in the order typed."""
        typed = [name.strip() for name in super().to_python(value).split(",")]
        return list(dict.fromkeys(self._code(name) for name in typed if name))

    def _code(self, typed: str) -> str:
        names = names_of_countries()
        if typed.upper() in names:
            return typed.upper()
        for code, name in names.items():
            if bare(name) == bare(typed):
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


# A prize -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A field as the page asks for it. `kinds`: of prize, where others do not have it."""

    field: forms.BoundField
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that belong together, and what they are about."""

    legend: Any
    rows: list[Row]


class PrizeForm(VersionForm):
    """A prize: a new one, or `entry` changed. What was promised of it (`promise`) can be seen and not changed."""

    kind = _choice(
        (
            ("ranking", _("The first of the ranking, when the season is over")),
            ("milestone", _("Who reaches a milestone, in the order they get there")),
            ("draw", _("Whoever is drawn by lot, so that anybody can check it")),
            ("first-come", _("Who presses the button first")),
        ),
        _("Who is it for?"),
    )
    first = _number(1, 10_000, _("For the first how many?"))
    milestone = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        label=_("Which milestone?"),
        error_messages={"invalid_choice": _("There is no such milestone.")},
    )
    qualify = _number(
        0,
        10_000_000,
        _("From how many points on does one take part?"),
        _("Empty: from the first point. 0: every fan. Who enters without missions takes part in any case."),
    )
    weighted = forms.TypedChoiceField(
        choices=(("no", _("The same for everybody")), ("yes", _("More points, more chances"))),
        coerce=lambda chosen: chosen == "yes",
        empty_value=None,
        required=False,
        label=_("What are the chances?"),
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Please choose one.")},
    )
    how_many = _number(
        1,
        1_000_000,
        _("How many are there in all?"),
        _("For the ranking or a milestone it may stay empty: as many as there are winners."),
    )
    supplied_by = SubjectField(
        limit=NAME_LENGTH,
        label=_("Who gives it?"),
        error_messages={"required": _("Fans read who gives it: a name is needed.")},
    )
    confirmed = forms.BooleanField(
        required=False,
        label=_("It is certain: whoever gives it has said yes"),
        help_text=_("Until then the page says that it is not certain yet, and nobody is offered it."),
    )
    needs = _choice(
        (
            ("nothing", _("Nothing")),
            ("name", _("Their name, for a guest list")),
            ("address", _("Their address, to post it")),
        ),
        _("What do you have to know of a winner?"),
    )
    claim_days = _number(
        1,
        90,
        _("How many days are there to claim it?"),
        _("Then the next in line is offered it."),
        required=True,
    )
    minimum_age = _number(13, 21, _("From which age on?"), _("Empty: as in the whole campaign."))
    countries = CountriesField(
        required=False,
        label=_("In which countries?"),
        help_text=_("Names with commas between them. Empty: everywhere."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        file: CampaignFile,
        entry: PrizeEntry | None = None,
        promise: Promise | None = None,
        seen: int,
    ) -> None:
        super().__init__(data, initial={"seen": seen, **_initial(entry, file.languages)})
        self.entry, self.promise, self.languages = entry, promise, file.languages
        self._offer_milestones(file)
        self._ask_for_words()
        for name in promise.fields if promise else ():
            # A browser sends nothing of a field that is only shown; what is sent all the same is compared in `clean`.
            self.fields[name].disabled = data is None or name not in data

    def _offer_milestones(self, file: CampaignFile) -> None:
        field = self.fields["milestone"]
        assert isinstance(field, forms.TypedChoiceField), "a milestone is chosen"
        here = get_language() or file.languages[0]
        named = {each.points: each.name.in_language(here) for each in file.milestones}
        field.choices = [
            ("", ""),
            *((points, f"{number(points)} · {name}") for points, name in named.items()),
        ]

    def _ask_for_words(self) -> None:
        for name, limit in WORDS.items():
            for code in self.languages:
                messages = {"required": WORDS_NEEDED.get(name, "")}
                field = TextField if name == "explanation" else SubjectField
                self.fields[f"{name}_{code}"] = field(
                    limit=limit, required=name in WORDS_NEEDED, error_messages=messages
                )

    # Checking --------------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        """What one field says of another; what the prize's kind does not have is passed over."""
        said: dict[str, Any] = super().clean() or {}
        kind, said["weighted"] = said.get("kind", ""), bool(said.get("weighted"))
        for name in self._without_meaning(kind):
            self.errors.pop(name, None)
        needed = NEEDED_BY_KIND.get(kind)
        if needed and needed not in self.errors and said.get(needed) is None:
            choose = _("Please choose one.") if needed == "milestone" else _("A number is needed here.")
            self.add_error(needed, choose)
        self._check_how_many(said)
        self.check_languages("value", said)
        self._check_promise(said)
        return said

    def _without_meaning(self, kind: str) -> Iterator[str]:
        return (name for name, kinds in OF_KIND.items() if kind not in kinds)

    def _check_how_many(self, said: Mapping[str, Any]) -> None:
        first, how_many = said.get("first"), said.get("how_many")
        if how_many and said.get("kind") == "draw" and how_many > DRAWN_MAX:
            most = _("Of more than %(most)s a draw takes too long to be done again by everybody.")
            self.add_error("how_many", most % {"most": DRAWN_MAX})
        if said.get("kind") == "ranking" and first and how_many and how_many < first:
            self.add_error(
                "how_many",
                _("That is fewer than you promise to the first ones: leave it empty, or write more."),
            )

    def _check_promise(self, said: Mapping[str, Any]) -> None:
        if self.promise is None or self.entry is None:
            return
        for name in self.promise.fields:
            if name in said and name not in self.errors and self._changes(name, said):
                self.refuse(name, announced=self.promise.announced)

    def _changes(self, name: str, said: Mapping[str, Any]) -> bool:
        has_meaning = name not in self._without_meaning(said.get("kind", ""))
        value = said[name] if has_meaning or name == "weighted" else None
        return bool(getattr(self.entry, name) != value)

    # What came of it -------------------------------------------------------------------------------------------
    def table(self) -> dict[str, Any]:
        """The prize as a table of the campaign file, without a key where it is new: `entry`, with what was typed."""
        table = table_of(self.entry) if self.entry else {}
        kind = self.cleaned_data["kind"]
        names = set(self.base_fields) - {*NO_KEYS, *self._without_meaning(kind)}
        said = dict.fromkeys(self._without_meaning(kind)) | {name: self.cleaned_data[name] for name in names}
        said |= {name: _typed_words(self, name, self.entry) for name in WORDS}
        return _with(table, said)

    # How it is asked -------------------------------------------------------------------------------------------
    @property
    def groups(self) -> list[Group]:
        """The fields that are no texts, as the page shows them."""
        return [
            Group(legend=legend, rows=[Row(field=self[name], kinds=OF_KIND.get(name, ())) for name in names])
            for legend, names in GROUPS
        ]


def _initial(entry: PrizeEntry | None, languages: Sequence[str]) -> dict[str, Any]:
    """What the fields of a prize hold before anybody types."""
    if entry is None:
        return {"claim_days": 14, "needs": "nothing", "weighted": "no"}
    names = names_of_countries()
    return {
        **{name: getattr(entry, name) for name in PrizeEntry.model_fields if name not in WORDS},
        "weighted": "yes" if entry.weighted else "no",
        "countries": ", ".join(names.get(code, code) for code in entry.countries),
        **_initial_words(entry, WORDS, languages),
    }


def _initial_words(entry: object, names: Any, languages: Sequence[str]) -> dict[str, str]:
    return {
        f"{name}_{code}": getattr(words, code) or ""
        for name in names
        for code in languages
        if (words := getattr(entry, name))
    }


def _typed_words(form: VersionForm, name: str, entry: object) -> dict[str, str] | None:
    """A text in the campaign's languages as typed; in others as it was, unless it was written once for all."""
    languages = form.languages
    typed = {code: text for code in languages if (text := form.cleaned_data[f"{name}_{code}"])}
    before: Words | None = getattr(entry, name, None)
    if not typed or before is None:
        return typed or None
    first = before.in_language(languages[0])
    others = {code: getattr(before, code) for code in Words.model_fields if code not in languages}
    return {**{code: text for code, text in others.items() if text and text != first}, **typed}


def _with(table: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
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
            initial |= {"answers": file.rules.answers, **_initial_words(file.rules, ["more"], file.languages)}
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
        more = _typed_words(self, "more", self.entry)
        found = _with(table, {"answers": self.cleaned_data["answers"], "more": more})
        return found if found.get("answers") else {}
