"""What a new campaign file changes: every difference is told, and what takes something away is known as such."""

# ruff: noqa: E501  (tables of cases, one a line)

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from vteam.campaigns.changes import changes
from vteam.campaigns.file import CampaignFile

TABLES = tomllib.loads((Path(__file__).parents[2] / "demo" / "campaign.toml").read_text())
OLD = CampaignFile.model_validate(TABLES)


def with_change(path: str, value: Any) -> CampaignFile:
    """The demo with the value at `path` (`missions.0.points`) changed; None takes it out, "+" before adds a table."""
    tables = copy.deepcopy(TABLES)
    *way, last = path.split(".")
    holder: Any = tables
    for step in way:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if last == "+":
        holder.append(value)
    elif value is None:
        del holder[int(last) if isinstance(holder, list) else last]
    else:
        holder[int(last) if isinstance(holder, list) else last] = value
    return CampaignFile.model_validate(tables)


SONG = {"key": "new", "name": "New", "file": "titles/new.mp3"}
CONCERT = {**TABLES["concerts"][1], "key": "nantes-2", "name": "A second evening"}
CONDITIONS = TABLES["rules"]["conditions"]
PRIZE = {**TABLES["prizes"][3], "key": "another"}


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("missions.0.points", 600, "The mission “Bring someone in”: points changes from 500 to 600."),
        ("missions.0.per_fan_per_day", 20, "The mission “Bring someone in”: per fan per day changes from 10 to 20."),
        ("missions.0.per_fan_per_day", None, "The mission “Bring someone in”: per fan per day is no longer 10."),
        ("missions.3.full_per_fan_per_day", 30, "The mission “Pass it on”: full per fan per day changes from 20 to 30."),
        ("missions.3.unknown_per_fan_per_day", 11, "The mission “Pass it on”: unknown per fan per day changes from 10 to 11."),
        ("missions.3.evidence", ["witnessed", "relayed", "receipted"], "The mission “Pass it on”: evidence changes from “relayed”, “receipted”, “witnessed” to “witnessed”, “relayed”, “receipted”."),
        ("minimum_age", 14, "The campaign: minimum age changes from 15 to 14."),
        ("season.ends", TABLES["season"]["ends"].replace(month=2), "The season: ends changes from 2027-01-10 to 2027-02-10."),
        ("season.settled", TABLES["season"]["settled"].replace(month=2), "The season: settled changes from 2027-01-24 to 2027-02-24."),
        ("season.release", TABLES["season"]["release"].replace(day=19), "The season: release changes from 2026-12-18 to 2026-12-19."),
        ("titles.+", SONG, "The title “New” is added."),
        ("prizes.+", PRIZE, "The prize “An afternoon at the soundcheck” is added."),
        ("prizes.3.confirmed", True, "The prize “An afternoon at the soundcheck”: confirmed changes from no to yes."),
        ("prizes.3.how_many", 4, "The prize “An afternoon at the soundcheck”: how many changes from 3 to 4."),
        ("concerts.+", CONCERT, "The concert “A second evening” is added."),
        ("concerts.1.tickets", None, "The concert “The release concert”: tickets is no longer “https://lune-noire.example/nantes”."),
        ("concerts.0.explanation", None, "The concert “Four songs, no amplifiers”: explanation is worded differently (en, fr)."),
        ("links.1", None, "The link “The band's letter, once a month” is taken out."),
        ("pitch.en", "Three songs.", "The campaign: pitch is worded differently (en)."),
        ("description", None, "The campaign: description is worded differently (en, fr)."),
        ("team", "The crew", "The campaign: team changes from “La vTeam” to “The crew”."),
        ("languages", ["en", "fr"], "The first language is now “en”."),
        ("theme.colours", ["#000000", "#1f6f78"], "The theme: colours changes from “#ff5a3c”, “#1f6f78” to “#000000”, “#1f6f78”."),
    ],
)  # fmt: skip
def test_what_takes_nothing_away_is_told_and_not_asked(path: str, value: Any, sentence: str) -> None:
    assert [(change.text, change.takes_away) for change in changes(OLD, with_change(path, value))] == [
        (sentence, False)
    ]


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("missions.0.points", 499, "The mission “Bring someone in”: points changes from 500 to 499."),
        ("missions.0.per_fan_per_day", 9, "The mission “Bring someone in”: per fan per day changes from 10 to 9."),
        ("missions.2.per_fan_per_day", 9, "The mission “Take a song home”: per fan per day is now 9."),
        ("missions.0.hold", "24h", "The mission “Bring someone in”: hold changes from “0” to “24h”."),
        ("missions.0.coming", True, "The mission “Bring someone in”: coming changes from no to yes."),
        ("missions.3.full_per_fan_per_day", 19, "The mission “Pass it on”: full per fan per day changes from 20 to 19."),
        ("missions.3.unknown_per_fan_per_day", 9, "The mission “Pass it on”: unknown per fan per day changes from 10 to 9."),
        ("missions.3.evidence", ["relayed", "witnessed"], "The mission “Pass it on”: evidence changes from “relayed”, “receipted”, “witnessed” to “relayed”, “witnessed”."),
        ("missions.0.opens", TABLES["season"]["release"], "The mission “Bring someone in”: opens is now 2026-12-18."),
        ("missions.0.closes", TABLES["season"]["release"], "The mission “Bring someone in”: closes is now 2026-12-18."),
        ("missions.0.kind", "spread", "The mission “Bring someone in”: kind changes from “recruit” to “spread”."),
        ("missions.0", None, "The mission “Bring someone in” is taken out."),
        ("minimum_age", 16, "The campaign: minimum age changes from 15 to 16."),
        ("season.ends", TABLES["season"]["release"], "The season: ends changes from 2027-01-10 to 2026-12-18."),
        ("season.settled", TABLES["season"]["settled"].replace(day=20), "The season: settled changes from 2027-01-24 to 2027-01-20."),
        ("season.starts", TABLES["season"]["release"], "The season: starts changes from 2026-11-16 to 2026-12-18."),
        ("season.time_zone", "America/Montreal", "The season: time zone changes from “Europe/Paris” to “America/Montreal”."),
        ("languages", ["fr"], "The pages are no longer in “en”."),
        ("titles.0", None, "The title “Les digues” is taken out."),
        ("titles.0.file", "titles/other.mp3", "The title “Les digues”: file changes from “titles/les-digues.mp3” to “titles/other.mp3”."),
        ("prizes.0", None, "The prize “Two places for the last night of the tour” is taken out."),
        ("prizes.0.how_many", 4, "The prize “Two places for the last night of the tour”: how many changes from 5 to 4."),
        ("prizes.0.confirmed", False, "The prize “Two places for the last night of the tour”: confirmed changes from yes to no."),
        ("prizes.0.name.en", "A sticker", "The prize “Two places for the last night of the tour”: name is worded differently (en)."),
        ("concerts.0", None, "The concert “Four songs, no amplifiers” is taken out."),
        ("concerts.0.at", TABLES["season"]["release"], "The concert “Four songs, no amplifiers”: at changes from 2026-12-05 to 2026-12-18."),
        ("concerts.1.place", "Le Hangar, Rennes", "The concert “The release concert”: place changes from “La Cale sèche, Nantes” to “Le Hangar, Rennes”."),
        ("concerts.1.time_zone", "Europe/London", "The concert “The release concert”: time zone is now “Europe/London”."),
        ("milestones.1", None, "The milestone at 500 points is taken out."),
        ("rules.answers", "Lune Noire", "The rules: answers changes from “Petit Large, 3 rue du Port, Port-Lierre” to “Lune Noire”."),
        ("rules.more", "No claims in court.", "The rules: more is worded differently (en, fr)."),
        ("rules.conditions.0.text.en", "It is on you.", "What holds for CH: text is worded differently (en)."),
        ("rules.conditions.0", None, "What holds for CH is taken out."),
        ("rules.conditions.0.country", "BE", "What holds for BE is added."),
        ("rules.conditions.+", {"country": "BE", "text": "x"}, "What holds for BE is added."),
        ("rules", None, "The rules name nobody who answers for them any more."),
        ("prizes.3.qualify", 500, "The prize “An afternoon at the soundcheck”: qualify is now 500."),
        ("prizes.1.claim_days", 7, "The prize “Marée haute on vinyl, signed”: claim days changes from 14 to 7."),
        ("prizes.1.minimum_age", 18, "The prize “Marée haute on vinyl, signed”: minimum age is now 18."),
        ("slug", "maree-basse", "The campaign: slug changes from “maree-haute” to “maree-basse”."),
    ],
)  # fmt: skip
def test_what_takes_something_away_is_told_and_asked(path: str, value: Any, sentence: str) -> None:
    assert (sentence, True) in [
        (change.text, change.takes_away) for change in changes(OLD, with_change(path, value))
    ]


def test_one_kind_of_evidence_for_another_takes_the_first_away_and_one_more_takes_nothing() -> None:
    relayed, witnessed, both = (
        with_change("missions.3.evidence", kinds)
        for kinds in (["relayed"], ["witnessed"], ["relayed", "witnessed"])
    )
    assert [change.takes_away for change in changes(relayed, witnessed)] == [True]
    assert [change.takes_away for change in changes(relayed, both)] == [False]


def test_one_more_signature_closes_the_titles_it_is_for_and_one_less_takes_a_word_away() -> None:
    piano = {"key": "zoe", "name": "Zoé Le Bris", "role": "performer", "titles": ["sel"]}
    more = with_change("holders.+", piano)
    said = {change.text: change.takes_away for change in changes(OLD, more)}
    assert said == {
        "The holder Zoé Le Bris is added.": False,
        "“Sel” also needs Zoé Le Bris's agreement: it is offered again once they agree.": True,
    }
    assert {change.text: change.takes_away for change in changes(more, OLD)} == {
        "The holder Zoé Le Bris is taken out.": False,
        "“Sel” no longer needs Zoé Le Bris's agreement.": True,
    }


def test_a_new_campaign_is_told_whole_and_takes_nothing_away() -> None:
    found = changes(None, OLD)
    assert found[0].text == "The campaign “Marée haute” of Lune Noire is created, at /maree-haute."
    parts = sum(
        len(TABLES[name])
        for name in ("links", "titles", "holders", "missions", "milestones", "prizes", "concerts")
    )
    assert len(found) == 1 + parts
    assert not any(change.takes_away for change in found)


def test_conditions_in_another_order_are_the_same() -> None:
    more = {"country": "BE", "text": "x"}
    rules = [{**TABLES["rules"], "conditions": order} for order in ([more, *CONDITIONS], [*CONDITIONS, more])]
    one, other = (CampaignFile.model_validate(copy.deepcopy(TABLES) | {"rules": each}) for each in rules)
    assert (changes(one, other), one.canonical()) == ([], other.canonical())


def test_another_order_is_a_change() -> None:
    turned = OLD.model_copy(update={"titles": OLD.titles[::-1]})
    assert [change.text for change in changes(OLD, turned)] == ["The titles stand in another order."]


def fields(model: BaseModel, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every field of every table there is, in the demo."""
    found: list[tuple[str | int, ...]] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        found.append((*path, name))
        if isinstance(value, BaseModel):
            found += fields(value, (*path, name))
        elif isinstance(value, tuple):
            parts = [(at, part) for at, part in enumerate(value) if isinstance(part, BaseModel)]
            found += [way for at, part in parts for way in fields(part, (*path, name, at))]
    return found


OTHER = st.sampled_from(
    [None, True, False, 1, 7, 500, 99_999, "x", "a-key", "24h", "0", "2d", "recruit", "draw", "author", "UTC", "en", "fr",
     "2026-11-17", "2026-12-01T20:00:00", "#123456", "a.mp3", "https://a.example", {"en": "A", "fr": "B"}, {"en": "A"},
     ["fr"], ["en"], ["sel"], ["relayed"], ["witnessed", "relayed"], ["les-digues", "phare-eteint", "sel"], ["#000000", "#ffffff"], []]
)  # fmt: skip


@given(way=st.sampled_from(fields(OLD)), value=OTHER)
def test_every_difference_is_told_and_no_other(way: tuple[str | int, ...], value: Any) -> None:
    content = json.loads(OLD.canonical())
    holder: Any = content
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = value
    try:
        new = CampaignFile.model_validate_json(json.dumps(content))
    except ValidationError:
        assume(False)
    for before, after in ((OLD, new), (new, OLD)):
        assert bool(changes(before, after)) == (before.canonical() != after.canonical())
    assert changes(new, new) == []


@pytest.mark.parametrize("name", ["titles", "holders", "missions", "milestones", "prizes", "concerts"])
def test_taking_any_table_out_of_a_list_asks_first(name: str) -> None:
    listed = getattr(OLD, name)
    for at in range(len(listed)):
        new = OLD.model_copy(update={name: listed[:at] + listed[at + 1 :]})
        assert any(change.takes_away for change in changes(OLD, new))
