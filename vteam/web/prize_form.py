"""What an organiser types about a prize. Errors say what to do.

A field of a prize is called as the campaign file calls it. One more takes a line in `PrizeForm`, its name in `GROUPS`,
and, where only some kinds of prize have it, one in `OF_KIND`. What the form does not know stays as it is in force.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from vteam.campaigns.file import OF_CONCERT, PLACES_MAX, CampaignFile, PrizeEntry
from vteam.campaigns.writing import table_of
from vteam.prizes.keeping import Promise
from vteam.rules.drawrecords import DRAWN_MAX
from vteam.web.contest_forms import (
    EXPLANATION_LENGTH,
    NAME_LENGTH,
    NO_KEYS,
    CountriesField,
    VersionForm,
    initial_words,
    typed_words,
    without_empty,
)
from vteam.web.forms import SubjectField, TextField, names_of_countries
from vteam.web.templatetags.vteam import number

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
    (_("Places at a concert"), ("concert", "places", "given_on")),
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
    concert = forms.TypedChoiceField(
        empty_value=None,
        required=False,
        label=_("Does it let its winner into a concert?"),
        help_text=_("Then each winner has tickets, with the name you ask them for."),
        error_messages={"invalid_choice": _("There is no such concert.")},
    )
    places = _number(1, PLACES_MAX, _("How many places does each winner get?"), _("Empty: one."))
    given_on = forms.BooleanField(
        required=False,
        label=_("A winner may give a ticket to somebody else"),
        help_text=_("Otherwise it is theirs alone, and the door may ask for a name."),
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
        self._offer_concerts(file)
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

    def _offer_concerts(self, file: CampaignFile) -> None:
        field = self.fields["concert"]
        assert isinstance(field, forms.TypedChoiceField), "a concert is chosen"
        here = get_language() or file.languages[0]
        named = [(each.key, f"{each.name.in_language(here)} · {each.place}") for each in file.concerts]
        field.choices = [("", _("No")), *named]

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
        said["places"] = said.get("places") or 1
        if said.get("concert"):
            said["needs"] = "name"
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
        without = {*self._without_meaning(kind), *(() if self.cleaned_data["concert"] else OF_CONCERT)}
        names = set(self.base_fields) - {*NO_KEYS, *without}
        said = dict.fromkeys(without) | {name: self.cleaned_data[name] for name in names}
        said |= {name: typed_words(self, name, self.entry) for name in WORDS}
        return without_empty(table, said)

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
        **initial_words(entry, WORDS, languages),
    }
