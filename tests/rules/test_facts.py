"""The key that makes each fact one, and the shapes that let nothing unreadable into the journal."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import cast
from tests.cast import AT_US, MISSIONS, PASS_ON, SEASON, SPREAD
from vteam.rules import facts
from vteam.rules.canonical import canonical
from vteam.rules.facts import Fact, Kind, NewFact
from vteam.rules.missions import mission_of, season_of
from vteam.rules.shapes import problem_with, read_object

# What a mission had not before copies paid: a fact of then has none of it and is read as if it did not matter.
LATER = {"evidence", "full_per_fan_per_day", "unknown_per_fan_per_day"}
EVERY_KIND = [
    cast.season_fact(),
    *(cast.mission_fact(mission) for mission in MISSIONS),
    cast.joined(1),
    cast.joined(2, recruiter=1),
    cast.arrival(10, 1),
    cast.arrival(10, 1, by=2, day="2026-11-21"),
    facts.title_downloaded(fan=1, title=2, at_us=AT_US),
    cast.served(1, title=2, listener="phone"),
    cast.mission_fact(replace(PASS_ON, evidence=("relayed", "witnessed"))),
    cast.acted(1, act=facts.Act.ANSWER, right=True),
    cast.acted(1, mission="made", act=facts.Act.BRING),
    facts.right_changed(agreed=True, event=1, title=2, way="download", holder=3, is_open=True, at_us=AT_US),
    facts.right_changed(agreed=False, event=2, title=2, way="pass-on", holder=3, is_open=False, at_us=AT_US),
    facts.hold_ended(decision=4, at_us=AT_US),
    facts.review_decided(decision=5, accepted=False, reason="one person, two phones", at_us=AT_US),
    facts.award_reversed(decision=6, reason="asked for by the fan", at_us=AT_US),
    facts.prize_moved(prize="poster", number=1, step=0, fan=7, state="offered", by="time", at_us=AT_US),
    facts.draw_announced(prize="poster", number=1, announced="ab" * 32, entries=9, at_us=AT_US),
    facts.draw_done(prize="poster", number=1, announced="ab" * 32, record="", at_us=AT_US),
    facts.result_frozen(season_ends_at_us=AT_US, at_us=AT_US),
]


@pytest.mark.parametrize("fact", EVERY_KIND, ids=lambda fact: fact.key)
def test_every_fact_the_services_make_has_the_shape_the_journal_asks_for(fact: NewFact) -> None:
    assert problem_with(fact.kind, read_object(canonical(fact.body))) is None


def test_there_is_a_fact_of_every_kind_among_them() -> None:
    assert {fact.kind for fact in EVERY_KIND} == set(Kind)


def test_no_two_of_them_share_a_key() -> None:
    assert len({fact.key for fact in EVERY_KIND}) == len(EVERY_KIND)


@pytest.mark.parametrize("fact", EVERY_KIND, ids=lambda fact: fact.key)
def test_a_fact_that_lacks_what_judging_reads_is_refused_with_the_name_of_it(fact: NewFact) -> None:
    unread = (
        {"file_sha256", "networks", "act", "share"}
        if fact.kind == Kind.FAN_CONFIRMED
        else set()
        if fact.kind == Kind.WORLD_ACTED
        else {"networks", "act"}
    )
    for field in fact.body.keys() - unread - _has_a_default(fact):
        less = {name: value for name, value in fact.body.items() if name != field}
        problem = problem_with(fact.kind, read_object(canonical(less)))
        assert problem is not None, field
        assert field in problem
        assert problem_with(fact.kind, read_object(json.dumps({**fact.body, field: [1]}))) is not None, field


def _has_a_default(fact: NewFact) -> set[str]:
    if fact.kind != Kind.MISSION_VERSIONED:
        return set()
    return {"hold_us", "per_fan", "per_fan_per_day", "per_network_per_day", "withdrawn"} | LATER


def test_a_mission_of_before_copies_paid_is_read_as_it_was() -> None:
    before = {name: value for name, value in SPREAD.body().items() if name not in LATER}
    assert problem_with(Kind.MISSION_VERSIONED, before) is None
    assert mission_of(before) == SPREAD


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Nonsense", "{}"),
        (Kind.HOLD_ENDED, ""),
        (Kind.HOLD_ENDED, "not json"),
        (Kind.HOLD_ENDED, "[]"),
        (Kind.HOLD_ENDED, "4"),
        (Kind.HOLD_ENDED, "[" * 100_000),
        (Kind.HOLD_ENDED, '{"decision":"4"}'),
        (Kind.HOLD_ENDED, '{"decision":true}'),
        (Kind.HOLD_ENDED, '{"decision":4.0}'),
        (Kind.HOLD_ENDED, '{"decision":1' + "0" * 30 + "}"),
        (Kind.TITLE_DOWNLOADED, '{"fan":null,"title":1}'),
        (Kind.TITLE_DOWNLOADED, '{"fan":1,"title":9223372036854775808}'),
        (Kind.REVIEW_DECIDED, '{"accepted":1,"decision":4,"reason":""}'),
    ],
)
def test_what_nobody_can_read_is_refused(kind: str, body: str) -> None:
    assert problem_with(kind, read_object(body)) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "nonsense"},
        {"points": 0},
        {"points": -5},
        {"points": True},
        {"hold_us": -1},
        {"hold_us": "1"},
        {"per_fan": "many"},
        {"withdrawn": 1},
        {"surprise": 1},
        {"evidence": "relayed"},
        {"evidence": ["announced"]},
        {"full_per_fan_per_day": 0},
        {"unknown_per_fan_per_day": -1},
        {"key": "k" * 200},
        {"opens_at_us": 10**40},
    ],
    ids=str,
)
def test_a_mission_the_rules_could_not_judge_by_is_refused(change: dict[str, Any]) -> None:
    assert (
        problem_with(Kind.MISSION_VERSIONED, read_object(json.dumps({**SPREAD.body(), **change}))) is not None
    )


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": ""},
        {"starts_at_us": "1"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_season_without_days_is_refused(change: dict[str, Any]) -> None:
    body = dict(cast.season_fact().body)
    assert problem_with(
        Kind.CAMPAIGN_VERSIONED, read_object(json.dumps({**body, "season": {**body["season"], **change}}))
    )


@pytest.mark.parametrize("network", ["n" * 500, "n\x00n"])
def test_a_network_no_counter_could_be_named_after_is_refused(network: str) -> None:
    body = {**cast.arrival(1, 2).body, "network": network}
    assert problem_with(Kind.ARRIVAL_CONFIRMED, read_object(json.dumps(body))) is not None


@given(st.sampled_from(Kind), st.text(max_size=60))
def test_no_body_whatever_makes_the_door_stumble(kind: Kind, body: str) -> None:
    assert problem_with(kind, read_object(body)) is not None


def test_the_same_thing_seen_twice_is_one_fact_and_other_things_are_others() -> None:
    assert cast.arrival(1, 2).key == cast.arrival(1, 2, by=3, at_us=AT_US + 5).key
    assert len({
        cast.arrival(1, 2).key,
        cast.arrival(2, 2).key,
        cast.arrival(1, 2, near="elsewhere").key,
        cast.arrival(1, 2, day="2026-11-21").key,
    }) == 4  # fmt: skip


def test_seasons_and_missions_come_back_from_their_facts_as_they_went_in() -> None:
    new = cast.season_fact()
    fact = Fact(campaign_id=1, seq=1, kind=new.kind, key=new.key, seen_at_us=new.seen_at_us, body=new.body)
    assert season_of(fact) == SEASON
    assert [mission_of(mission.body()) for mission in MISSIONS] == list(MISSIONS)
