"""A campaign file: what it means, and that its page tells organisers all of it."""

import copy
import datetime as dt
import json
import tomllib
import typing
from typing import Any

import pytest
from pydantic import BaseModel

from tests.rules.demofile import DEMO, SOURCE, TABLES, Check, campaign
from vteam.campaigns.check import check_campaign
from vteam.campaigns.file import CampaignFile, EvidenceKind, MissionEntry, MissionKind, WorldAct
from vteam.campaigns.missions import new_versions
from vteam.campaigns.values import Words, hold_seconds
from vteam.rules import missions
from vteam.rules.facts import Act, Evidence


def test_the_demo_has_nothing_wrong_with_it(check: Check) -> None:
    assert check() == []


def test_the_demos_own_files_are_good() -> None:
    result = check_campaign(DEMO)
    assert [str(problem) for problem in result.problems] == []
    assert list(result.audio) == ["les-digues", "phare-eteint", "sel"]


def test_a_campaign_is_the_same_after_its_canonical_text() -> None:
    first = campaign()
    again = CampaignFile.model_validate_json(first.canonical())
    assert again == first
    assert again.canonical() == first.canonical()
    assert "Marée" in first.canonical()


def test_the_canonical_text_does_not_depend_on_how_the_file_is_written() -> None:
    turned = {key: TABLES[key] for key in reversed(TABLES)} | {"minimum_age": 15}
    mission = {**TABLES["missions"][1], "hold": 0, "per_network_per_day": 5, "coming": False}
    turned["missions"] = [TABLES["missions"][0], mission, *TABLES["missions"][2:]]
    assert CampaignFile.model_validate(turned).canonical() == campaign().canonical()


def test_days_are_whole_in_the_seasons_zone() -> None:
    season = campaign().season
    assert season.starts_at == dt.datetime(2026, 11, 15, 23, tzinfo=dt.UTC)
    assert season.ends_at == dt.datetime(2027, 1, 10, 23, tzinfo=dt.UTC)


def test_hours_are_local_summer_or_winter() -> None:
    source = SOURCE.replace("starts = 2026-11-16", "starts = 2026-10-24T20:00:00")
    season = CampaignFile.model_validate(tomllib.loads(source)).season
    assert season.starts_at == dt.datetime(2026, 10, 24, 18, tzinfo=dt.UTC)
    assert CampaignFile.model_validate_json(campaign().canonical()).season.starts == dt.date(2026, 11, 16)


def test_a_mission_runs_with_the_season_unless_it_has_days_of_its_own() -> None:
    file = campaign()
    mission = file.missions[0].model_copy(update={"closes": dt.date(2026, 12, 24)})
    assert file.mission_opens_at(mission) == file.season.starts_at
    assert file.mission_closes_at(mission) == dt.datetime(2026, 12, 24, 23, tzinfo=dt.UTC)


def test_a_shifted_campaign_keeps_its_lengths() -> None:
    missions = copy.deepcopy(TABLES["missions"])
    evening = dt.datetime.fromisoformat("2026-12-01T18:00:00")
    missions[0] |= {"opens": dt.date(2026, 11, 20), "closes": evening}
    shifted = campaign(missions=missions).shifted(-7)
    assert (shifted.season.starts, shifted.season.ends) == (dt.date(2026, 11, 9), dt.date(2027, 1, 3))
    assert shifted.season.release == dt.date(2026, 12, 11)
    assert shifted.missions[0].opens == dt.date(2026, 11, 13)
    assert shifted.missions[0].closes == evening - dt.timedelta(days=7)
    assert shifted.missions[1].opens is None
    evening = dt.datetime.fromisoformat("2026-12-12T20:30:00")
    assert [concert.at for concert in shifted.concerts[:2]] == [dt.date(2026, 11, 28), evening]


def test_concerts_ahead_stand_in_the_order_of_their_days_until_the_day_is_over_where_they_are_played() -> (
    None
):
    nantes = TABLES["concerts"][1]
    montreal = {**nantes, "key": "montreal", "time_zone": "America/Montreal"}
    file = campaign(concerts=[montreal, *reversed(TABLES["concerts"][:2])], prizes=[])
    at = dt.datetime(2026, 12, 5, 22, 59, tzinfo=dt.UTC)
    assert [each.key for each in file.concerts_ahead(at)] == ["chez-gaby", "nantes", "montreal"]
    assert [each.key for each in file.concerts_ahead(at + dt.timedelta(minutes=1))] == ["nantes", "montreal"]
    midnight_in_paris = dt.datetime(2026, 12, 19, 23, tzinfo=dt.UTC)
    assert [each.key for each in file.concerts_ahead(midnight_in_paris)] == ["montreal"]
    assert file.concerts_ahead(midnight_in_paris + dt.timedelta(hours=6)) == ()


def test_a_campaign_kept_before_there_were_concerts_has_none() -> None:
    kept = json.loads(campaign().canonical())
    del kept["concerts"]
    assert CampaignFile.model_validate_json(json.dumps(kept)).concerts == ()


@pytest.mark.parametrize(
    ("kind", "hold_s", "per_network"),
    [("recruit", 86_400, 5), ("spread", 0, 5), ("download", 0, None), ("pass-on", 172_800, 5)],
)
def test_each_kind_of_mission_has_its_defaults(kind: str, hold_s: int, per_network: int | None) -> None:
    mission = mission_of(kind=kind)
    assert (mission.hold_seconds, mission.per_network_per_day) == (hold_s, per_network)
    assert not mission.coming


def test_a_pass_on_mission_writes_its_limits_out_and_no_other_has_any() -> None:
    limits = {"evidence", "full_per_fan_per_day", "unknown_per_fan_per_day"}
    written = mission_of(kind="pass-on").model_dump(mode="json", include=limits)
    assert written == {
        "evidence": ["relayed", "receipted", "witnessed"],
        "full_per_fan_per_day": 20,
        "unknown_per_fan_per_day": 10,
    }
    for kind in ("recruit", "spread", "download"):
        assert set(mission_of(kind=kind).model_dump(include=limits).values()) == {None}


def test_the_words_to_choose_from_are_those_the_rules_know() -> None:
    assert typing.get_args(MissionKind) == tuple(missions.MissionKind)
    assert typing.get_args(EvidenceKind) == tuple(Evidence)
    assert typing.get_args(WorldAct) == tuple(Act)


def test_the_limits_of_passing_on_reach_the_rules() -> None:
    written = TABLES["missions"][3] | {
        "evidence": ["witnessed"],
        "full_per_fan_per_day": 7,
        "unknown_per_fan_per_day": 3,
    }
    file = campaign(missions=[*TABLES["missions"][:3], written])
    *others, judged = new_versions(file, [], at_us=0)
    assert judged.evidence == ("witnessed",)
    assert (judged.full_per_fan_per_day, judged.unknown_per_fan_per_day) == (7, 3)
    assert not judged.withdrawn
    for other in others:
        assert (other.evidence, other.full_per_fan_per_day, other.unknown_per_fan_per_day) == ((), None, None)


def test_a_mission_that_is_coming_pays_nothing_yet() -> None:
    file = campaign(missions=[entry | {"coming": True} for entry in TABLES["missions"]])
    assert all(mission.withdrawn for mission in new_versions(file, [], at_us=0))


@pytest.mark.parametrize(
    ("written", "seconds"), [("0", 0), ("30m", 1_800), ("24h", 86_400), ("2d", 172_800), ("30d", 2_592_000)]
)
def test_a_hold_is_a_length_of_time(written: str, seconds: int) -> None:
    assert hold_seconds(written) == seconds


def test_a_text_comes_in_the_language_asked_for_or_in_one_there_is() -> None:
    both = Words.model_validate({"en": "Sea", "fr": "Mer"})
    assert (both.in_language("fr"), both.in_language("en"), both.in_language("br")) == ("Mer", "Sea", "Sea")
    assert Words.model_validate({"fr": "Mer"}).in_language("en") == "Mer"
    assert Words.model_validate("Sel").in_language("fr") == "Sel"


def test_holders_without_titles_speak_for_all_of_them() -> None:
    file = campaign()
    assert [holder.key for holder in file.holders_of("sel")] == ["lune-noire", "malo-kerrien", "petit-large"]
    assert file.titles_of(file.holders[0]) == ("les-digues", "phare-eteint", "sel")
    assert file.titles_of(file.holders[1]) == ("les-digues", "phare-eteint")


def test_a_keen_fan_can_pass_twenty_thousand_points_in_a_first_week() -> None:
    """Bringing in half of what the limit allows, with the honest rest."""
    by_kind = {mission.kind: mission for mission in campaign().missions}
    recruits, places = by_kind["recruit"].per_fan_per_day, by_kind["spread"].per_fan_per_day
    assert recruits and places
    a_day = recruits // 2 * by_kind["recruit"].points + min(8, places) * by_kind["spread"].points
    assert 7 * a_day + len(campaign().titles) * by_kind["download"].points > 20_000


def test_the_page_for_organisers_names_every_key_and_every_word_to_choose_from() -> None:
    page = (DEMO.parents[1] / "docs" / "campaign-file.md").read_text()
    tables: list[type[BaseModel]] = [CampaignFile]
    while tables:
        table = tables.pop()
        for name, field in table.model_fields.items():
            assert f"`{name}`" in page or f"[{name}]" in page, f"{table.__name__}.{name}"
            tables += [
                part for part in parts(field.annotation) if isinstance(part, type) and part is not Words
            ]
            for word in (part for part in parts(field.annotation) if isinstance(part, str)):
                assert f'`"{word}"`' in page, word


def mission_of(**said: Any) -> MissionEntry:
    """A mission of which no more is said than must be."""
    least = {"key": "m", "points": 1, "name": "M", "explanation": "Do it."}
    return MissionEntry.model_validate({**least, **said})


def parts(annotation: Any) -> list[Any]:
    """The tables and the words to choose from inside an annotation."""
    if isinstance(annotation, str) or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in parts(part)]
