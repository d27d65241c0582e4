"""What a new campaign file changes, in plain sentences, and which of it takes something away from somebody.

Pure. Every difference between two files gives at least one sentence, and equal files give none: fields
are compared one by one from the models themselves, so a field added later cannot be forgotten. When in
doubt a change takes away: a promise in other words, a rule that pays for something else, one more
signature a title needs.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from vteam.campaigns.file import CampaignFile, Season
from vteam.campaigns.values import Words, begins_at, hold_seconds, over_at

Judge = Callable[[Any, Any], bool]
"""From the old and the new value: does the change take something away?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that will be different. `takes_away`: ask before doing it."""

    text: str
    takes_away: bool


def changes(old: CampaignFile | None, new: CampaignFile) -> list[Change]:
    """What applying `new` changes in the campaign `old` (None: there is none yet), in the file's order."""
    if old is None:
        return list(_all_new(new))
    return [
        *_fields("The campaign", old, new, OF_THE_CAMPAIGN, elsewhere=PARTS),
        *_languages(old, new),
        *_season(old, new),
        *_fields("The theme", old.theme, new.theme, {}),
        *_rules(old, new),
        *(
            change
            for name, kind in LISTS.items()
            for change in _list(kind, getattr(old, name), getattr(new, name))
        ),
        *_agreements(old, new),
        *_order(old, new),
    ]


# Judges ------------------------------------------------------------
def _never(old: Any, new: Any) -> bool:
    return False


def _always(old: Any, new: Any) -> bool:
    return True


def _lower(old: Any, new: Any) -> bool:
    return bool(new < old)


def _higher(old: Any, new: Any) -> bool:
    return bool(new > old)


def _higher_or_new(old: int | None, new: int | None) -> bool:
    """What has to be reached, None: the usual."""
    return (new or 0) > (old or 0)


def _tighter(old: int | None, new: int | None) -> bool:
    """A limit or a number of prizes, None: as many as it takes."""
    return new is not None and (old is None or new < old)


def _later(old: dt.date | None, new: dt.date | None) -> bool:
    """When a mission opens, None: with the season."""
    return new is not None and (old is None or begins_at(new, "UTC") > begins_at(old, "UTC"))


def _earlier(old: dt.date | None, new: dt.date | None) -> bool:
    """When a mission closes, None: with the season."""
    return new is not None and (old is None or over_at(new, "UTC") < over_at(old, "UTC"))


def _fewer(old: Sequence[str] | None, new: Sequence[str] | None) -> bool:
    """The kinds of evidence that are paid, None: every kind. One for another pays the old one no more."""
    return new is not None and (old is None or not set(old) <= set(new))


def _longer(old: str, new: str) -> bool:
    return hold_seconds(new) > hold_seconds(old)


def _becomes_true(old: bool, new: bool) -> bool:
    return new


def _becomes_false(old: bool, new: bool) -> bool:
    return not new


OF_THE_CAMPAIGN: Final[Mapping[str, Judge]] = {"slug": _always, "minimum_age": _higher}
PARTS: Final = frozenset(
    {
        "languages",
        "season",
        "theme",
        "rules",
        "links",
        "titles",
        "holders",
        "missions",
        "milestones",
        "prizes",
        "concerts",
    }
)
"""Fields of the campaign which have sentences of their own."""


# Lists of tables ------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a list's entries are recognised and called, and which of their fields take away."""

    key: Callable[[Any], object]
    called: Callable[[Any], str]
    judges: Mapping[str, Judge]
    removal_takes_away: bool = True
    adding_takes_away: bool = False


def _words(words: Words) -> str:
    return words.in_language("en")


LINKS: Final = Kind(
    key=lambda link: link.address,
    called=lambda link: f"The link “{_words(link.name)}”",
    judges={},
    removal_takes_away=False,
)
TITLES: Final = Kind(
    key=lambda title: title.key,
    called=lambda title: f"The title “{title.name}”",
    judges={"file": _always},
)
HOLDERS: Final = Kind(
    key=lambda holder: holder.key,
    called=lambda holder: f"The holder {holder.name}",
    judges={"name": _always, "role": _always},
    removal_takes_away=False,  # what it means for each title has a sentence of its own
)
MISSIONS: Final = Kind(
    key=lambda mission: mission.key,
    called=lambda mission: f"The mission “{_words(mission.name)}”",
    judges={
        "kind": _always,
        "points": _lower,
        "per_fan_per_day": _tighter,
        "per_fan": _tighter,
        "per_network_per_day": _tighter,
        "hold": _longer,
        "evidence": _fewer,
        "full_per_fan_per_day": _tighter,
        "unknown_per_fan_per_day": _tighter,
        "act": _always,
        "question": _always,
        "choices": _always,
        "answer": _always,
        "coming": _becomes_true,
        "opens": _later,
        "closes": _earlier,
    },
)
MILESTONES: Final = Kind(
    key=lambda milestone: milestone.points,
    called=lambda milestone: f"The milestone at {_shown(milestone.points)} points",
    judges={"name": _always, "explanation": _always},
)
PRIZES: Final = Kind(
    key=lambda prize: prize.key,
    called=lambda prize: f"The prize “{_words(prize.name)}”",
    judges={
        "kind": _always,
        "name": _always,
        "explanation": _always,
        "first": _tighter,
        "milestone": _always,
        "how_many": _tighter,
        "confirmed": _becomes_false,
        "value": _always,
        "qualify": _higher_or_new,
        "weighted": _always,
        "claim_days": _lower,
        "minimum_age": _higher_or_new,
        "countries": _always,
        "concert": _always,
        "places": _tighter,
        "given_on": _becomes_false,
        "file": _always,
    },
)

CONCERTS: Final = Kind(
    key=lambda concert: concert.key,
    called=lambda concert: f"The concert “{_words(concert.name)}”",
    judges={"at": _always, "place": _always, "time_zone": _always},
)

CONDITIONS: Final = Kind(
    key=lambda each: each.country,
    called=lambda each: f"What holds for {each.country}",
    judges={"text": _always},
    adding_takes_away=True,
)


def _list(kind: Kind, old: Sequence[BaseModel], new: Sequence[BaseModel]) -> Iterator[Change]:
    """Entries gone, entries come, and what is different in those that stay."""
    before = {kind.key(entry): entry for entry in old}
    after = {kind.key(entry): entry for entry in new}
    for key, entry in before.items():
        if key not in after:
            yield Change(text=f"{kind.called(entry)} is taken out.", takes_away=kind.removal_takes_away)
    for key, entry in after.items():
        if key in before:
            yield from _fields(kind.called(before[key]), before[key], entry, kind.judges)
        else:
            yield Change(text=f"{kind.called(entry)} is added.", takes_away=kind.adding_takes_away)


def _fields(
    called: str,
    old: BaseModel,
    new: BaseModel,
    judges: Mapping[str, Judge],
    elsewhere: frozenset[str] = frozenset(),
) -> Iterator[Change]:
    """A sentence for every field that is different. `elsewhere`: fields spoken of in other sentences."""
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before != after and name not in elsewhere:
            text = f"{called}: {name.replace('_', ' ')} {_from_to(before, after)}."
            yield Change(text=text, takes_away=judges.get(name, _never)(before, after))


def _from_to(before: Any, after: Any) -> str:
    if isinstance(before, Words) or isinstance(after, Words):
        return _from_to_words(before, after)
    if before is None:
        return f"is now {_shown(after)}"
    if after is None:
        return f"is no longer {_shown(before)}"
    return f"changes from {_shown(before)} to {_shown(after)}"


def _from_to_words(before: Words | None, after: Words | None) -> str:
    """Long texts are not shown whole: in which languages they change."""
    changed = [
        code for code in Words.model_fields if getattr(before, code, None) != getattr(after, code, None)
    ]
    return f"is worded differently ({', '.join(changed)})"


def _shown(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, tuple):
        return ", ".join(_shown(part) for part in value) or "all"
    if isinstance(value, Words):
        return f"“{_words(value)}”"
    return f"“{value}”" if isinstance(value, str) else str(value)


# What needs more than one field ------------------------------------------------------------
def _languages(old: CampaignFile, new: CampaignFile) -> Iterator[Change]:
    for code in dict.fromkeys((*old.languages, *new.languages)):
        if code not in new.languages:
            yield Change(text=f"The pages are no longer in “{code}”.", takes_away=True)
        elif code not in old.languages:
            yield Change(text=f"The pages are also in “{code}”.", takes_away=False)
    if set(old.languages) == set(new.languages) and old.languages != new.languages:
        yield Change(text=f"The first language is now “{new.languages[0]}”.", takes_away=False)


def _season(old: CampaignFile, new: CampaignFile) -> Iterator[Change]:
    """A season that starts later or ends earlier takes days away, whichever field moved it."""
    shorter = new.season.starts_at > old.season.starts_at or new.season.ends_at < old.season.ends_at
    for name in Season.model_fields:
        before, after = getattr(old.season, name), getattr(new.season, name)
        if before != after:
            text = f"The season: {name.replace('_', ' ')} {_from_to(before, after)}."
            sooner = name == "settled" and new.season.settled_at < old.season.settled_at
            yield Change(text=text, takes_away=sooner or (shorter and name not in ("release", "settled")))


def _rules(old: CampaignFile, new: CampaignFile) -> Iterator[Change]:
    """What the contest's rules say besides: a rule that goes, or another, may take something away."""
    if old.rules and new.rules:
        judges, apart = {"answers": _always, "more": _always}, frozenset({"conditions"})
        yield from _fields("The rules", old.rules, new.rules, judges, elsewhere=apart)
        yield from _list(CONDITIONS, old.rules.conditions, new.rules.conditions)
    elif old.rules != new.rules:
        text = f"The rules name {'who answers for them' if new.rules else 'nobody who answers for them any more'}."
        yield Change(text=text, takes_away=new.rules is None)


def _agreements(old: CampaignFile, new: CampaignFile) -> Iterator[Change]:
    """Who decides about a title that stays: one signature more closes it, one less takes a word away."""
    there = {title.key for title in old.titles}
    for title in new.titles:
        if title.key not in there:
            continue
        before = {holder.key: holder.name for holder in old.holders_of(title.key)}
        after = {holder.key: holder.name for holder in new.holders_of(title.key)}
        for key in [key for key in after if key not in before]:
            text = f"“{title.name}” also needs {after[key]}'s agreement: it is offered again once they agree."
            yield Change(text=text, takes_away=True)
        for key in [key for key in before if key not in after]:
            text = f"“{title.name}” no longer needs {before[key]}'s agreement."
            yield Change(text=text, takes_away=True)


def _order(old: CampaignFile, new: CampaignFile) -> Iterator[Change]:
    """The same entries, shown one after the other in another way."""
    for name, kind in LISTS.items():
        before = [kind.key(entry) for entry in getattr(old, name)]
        after = [kind.key(entry) for entry in getattr(new, name)]
        staying = [key for key in before if key in after]
        if staying != [key for key in after if key in before]:
            yield Change(text=f"The {name} stand in another order.", takes_away=False)


def _all_new(new: CampaignFile) -> Iterator[Change]:
    text = f"The campaign “{new.name}” of {new.artist} is created, at /{new.slug}."
    yield Change(text=text, takes_away=False)
    for name, kind in LISTS.items():
        yield from _list(kind, (), getattr(new, name))


LISTS: Final[Mapping[str, Kind]] = {
    "links": LINKS,
    "titles": TITLES,
    "holders": HOLDERS,
    "missions": MISSIONS,
    "milestones": MILESTONES,
    "prizes": PRIZES,
    "concerts": CONCERTS,
}
