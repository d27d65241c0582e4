"""Every outcome of the one judgement, its reasons in their order, limits, and days in the campaign's own zone."""

import datetime as dt
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import cast
from tests.cast import AT_US, DAY_US, DOWNLOAD, HOUR_US, PASS_ON, RECRUIT, SEASON, SPREAD
from vteam import clock
from vteam.ledger.counters import place_of
from vteam.ledger.models import Counter
from vteam.rules.decisions import (
    COUNTING,
    Decision,
    Earned,
    Outcome,
    after_hold,
    after_reversal,
    after_review,
    beneficiary,
    decide,
    keys_for,
    worth,
)
from vteam.rules.facts import Doubt, Fact, NewFact, title_downloaded
from vteam.rules.missions import Mission, Season, in_force
from vteam.rules.shapes import NAME_LENGTH_MAX, NUMBER_MAX

ANA, BO, CY = 1, 2, 3
NOTHING_YET = Earned()


def journaled(new: NewFact, seq: int = 1) -> Fact:
    return Fact(
        campaign_id=7, seq=seq, kind=new.kind, key=new.key, seen_at_us=new.seen_at_us, body=dict(new.body)
    )


ARRIVED = journaled(cast.arrival(30, BO))
RECRUITED = journaled(cast.joined(CY, recruiter=BO))
DOWNLOADED = journaled(title_downloaded(fan=BO, title=5, at_us=AT_US))
SERVED = journaled(cast.served(BO, title=5, listener="phone"))


def at(fact: Fact, at_us: int) -> Fact:
    return fact._replace(seen_at_us=at_us)


def changed(fact: Fact, **body: object) -> Fact:
    return fact._replace(body={**fact.body, **body})


def outcome(fact: Fact, mission: Mission, earned: Earned = NOTHING_YET, season: Season = SEASON) -> Outcome:
    decision = decide(fact, mission, season, earned)
    assert decision is not None
    return decision.outcome


# What pays ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fact", "mission"), [(RECRUITED, RECRUIT), (ARRIVED, SPREAD), (DOWNLOADED, DOWNLOAD), (SERVED, PASS_ON)]
)
def test_what_a_mission_pays_for_is_awarded_to_the_fan_who_did_it(fact: Fact, mission: Mission) -> None:
    decision = decide(fact, mission, SEASON, NOTHING_YET)
    assert decision == Decision(fan=BO, outcome=Outcome.AWARDED, points=mission.points)


def test_an_award_with_a_hold_waits_until_the_hold_is_over() -> None:
    mission = replace(RECRUIT, hold_us=DAY_US)
    decision = decide(RECRUITED, mission, SEASON, NOTHING_YET)
    assert decision == Decision(
        fan=BO, outcome=Outcome.HELD_UNTIL, points=500, due_at_us=RECRUITED.seen_at_us + DAY_US
    )
    assert after_hold(decision) == Decision(fan=BO, outcome=Outcome.AWARDED, points=500)


def test_whoever_joined_by_themselves_pays_nobody() -> None:
    alone = journaled(cast.joined(CY))
    assert beneficiary(alone) is None
    assert decide(alone, RECRUIT, SEASON, NOTHING_YET) is None


def test_the_network_beyond_its_daily_number_goes_to_a_person_and_keeps_its_points_waiting() -> None:
    mission = replace(SPREAD, per_network_per_day=5, hold_us=HOUR_US)
    assert outcome(ARRIVED, mission, Earned(from_network_today=4)) is Outcome.HELD_UNTIL
    review = decide(ARRIVED, mission, SEASON, Earned(from_network_today=5))
    assert review == Decision(fan=BO, outcome=Outcome.NEEDS_REVIEW, points=50)
    assert after_review(review, accepted=True) == Decision(fan=BO, outcome=Outcome.AWARDED, points=50)
    assert after_review(review, accepted=False) == Decision(fan=BO, outcome=Outcome.REFUSED, points=50)


def test_an_award_taken_back_names_the_points_it_takes() -> None:
    award = Decision(fan=BO, outcome=Outcome.AWARDED, points=50)
    assert after_reversal(award) == Decision(fan=BO, outcome=Outcome.REVERSED, points=50)


# Why nothing is paid --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("at_us", "expected"),
    [
        (SEASON.starts_at_us - 1, Outcome.OUTSIDE_SEASON),
        (SEASON.starts_at_us, Outcome.AWARDED),
        (SEASON.ends_at_us - 1, Outcome.AWARDED),
        (SEASON.ends_at_us, Outcome.OUTSIDE_SEASON),
    ],
)
def test_the_season_begins_with_its_first_microsecond_and_ends_before_its_last(
    at_us: int, expected: Outcome
) -> None:
    assert outcome(at(ARRIVED, at_us), SPREAD) is expected


@pytest.mark.parametrize(
    ("moved_us", "expected"),
    [(-1, Outcome.OUTSIDE_MISSION), (0, Outcome.AWARDED), (HOUR_US, Outcome.OUTSIDE_MISSION)],
)
def test_a_mission_has_dates_of_its_own_inside_the_season(moved_us: int, expected: Outcome) -> None:
    mission = replace(SPREAD, opens_at_us=AT_US, closes_at_us=AT_US + HOUR_US)
    assert outcome(at(ARRIVED, AT_US + moved_us), mission) is expected


@pytest.mark.parametrize(
    ("fact", "mission"),
    [
        (changed(ARRIVED, by=BO), SPREAD),
        (changed(RECRUITED, same_session=True), RECRUIT),
        (changed(RECRUITED, fan=BO), RECRUIT),
    ],
    ids=["own link", "same session", "own recruit"],
)
def test_nobody_earns_from_themselves(fact: Fact, mission: Mission) -> None:
    assert outcome(fact, mission) is Outcome.SAME_PERSON


def test_another_fan_of_the_same_vteam_may_come_through_a_link() -> None:
    assert outcome(changed(ARRIVED, by=CY), SPREAD) is Outcome.AWARDED


@pytest.mark.parametrize(
    ("since_us", "expected"),
    [
        (0, Outcome.AWARDED),
        (AT_US + 1, Outcome.AWARDED),
        (AT_US, Outcome.RIGHTS_WITHDRAWN),
        (AT_US - DAY_US, Outcome.RIGHTS_WITHDRAWN),
    ],
    ids=["open", "closed later", "closed at that moment", "closed before"],
)
def test_a_title_whose_right_was_withdrawn_before_earns_nothing(since_us: int, expected: Outcome) -> None:
    assert outcome(DOWNLOADED, DOWNLOAD, Earned(closed_since_us=since_us)) is expected


def test_the_same_thing_pays_once() -> None:
    assert outcome(DOWNLOADED, DOWNLOAD, Earned(the_same=1)) is Outcome.ALREADY_COUNTED


@pytest.mark.parametrize(("by_fan", "expected"), [(9, Outcome.AWARDED), (10, Outcome.OVER_LIMIT)])
def test_a_limit_in_all_counts_what_the_fan_earned_before(by_fan: int, expected: Outcome) -> None:
    assert outcome(ARRIVED, replace(SPREAD, per_fan=10), Earned(by_fan=by_fan)) is expected


@pytest.mark.parametrize(("today", "expected"), [(2, Outcome.AWARDED), (3, Outcome.OVER_DAILY_LIMIT)])
def test_a_limit_per_day_counts_what_the_fan_earned_that_day(today: int, expected: Outcome) -> None:
    assert outcome(ARRIVED, replace(SPREAD, per_fan_per_day=3), Earned(by_fan_today=today)) is expected


def test_without_limits_nothing_is_too_much() -> None:
    much = Earned(by_fan=10**6, by_fan_today=10**6, from_network_today=10**6)
    assert outcome(ARRIVED, SPREAD, much) is Outcome.AWARDED


# The most telling reason is the one that is said; each step removes the reason found before.
REASONS = [
    Outcome.OUTSIDE_SEASON,
    Outcome.OUTSIDE_MISSION,
    Outcome.SAME_PERSON,
    Outcome.RIGHTS_WITHDRAWN,
    Outcome.EVIDENCE_UNPAID,
    Outcome.NOT_SEEN,
    Outcome.ALREADY_COUNTED,
    Outcome.ALREADY_WAITS,
    Outcome.OVER_LIMIT,
    Outcome.OVER_DAILY_LIMIT,
    Outcome.REVIEW_OF_DOUBT,
    Outcome.NEEDS_REVIEW,
    Outcome.REVIEW_OF_UNKNOWN,
    Outcome.HELD_UNTIL,
    Outcome.AWARDED,
]


def test_of_several_reasons_the_most_telling_is_given() -> None:
    for chosen in itertools.product([False, True], repeat=len(REASONS) - 1):
        assert_the_most_telling_is_given(
            {reason for reason, applies in zip(REASONS, chosen, strict=False) if applies}
        )


def assert_the_most_telling_is_given(reasons: set[Outcome]) -> None:
    season = replace(SEASON, ends_at_us=AT_US) if Outcome.OUTSIDE_SEASON in reasons else SEASON
    mission = replace(
        PASS_ON,
        evidence=("witnessed",) if Outcome.EVIDENCE_UNPAID in reasons else (),
        closes_at_us=AT_US if Outcome.OUTSIDE_MISSION in reasons else SEASON.ends_at_us,
        hold_us=DAY_US if Outcome.HELD_UNTIL in reasons else 0,
        per_fan=2,
        per_fan_per_day=2,
        per_network_per_day=2,
        unknown_per_fan_per_day=2,
    )
    earned = Earned(
        the_same=int(Outcome.ALREADY_COUNTED in reasons),
        waiting=int(Outcome.ALREADY_WAITS in reasons),
        by_fan=2 * (Outcome.OVER_LIMIT in reasons),
        by_fan_today=2 * (Outcome.OVER_DAILY_LIMIT in reasons),
        from_network_today=2 * (Outcome.NEEDS_REVIEW in reasons),
        to_unknown_today=2 * (Outcome.REVIEW_OF_UNKNOWN in reasons),
        closed_since_us=AT_US * (Outcome.RIGHTS_WITHDRAWN in reasons),
    )
    fact = changed(SERVED, same_person=Outcome.SAME_PERSON in reasons)
    if Outcome.NOT_SEEN in reasons or Outcome.REVIEW_OF_DOUBT in reasons:
        doubt = Doubt.SPOILED if Outcome.NOT_SEEN in reasons else Doubt.GAP
        fact = changed(fact, doubt=str(doubt))
    decision = decide(fact, mission, season, earned)
    assert decision is not None
    assert decision.outcome is next(
        reason for reason in REASONS if reason in reasons or reason is REASONS[-1]
    )
    assert (decision.points > 0) == (decision.outcome in COUNTING)


# Passing on -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "end", [{"by": BO}, {"same_person": True}], ids=["signed in as the fan", "in the fan's own session"]
)
def test_a_fan_who_takes_their_own_copy_earns_nothing(end: dict[str, object]) -> None:
    assert outcome(changed(SERVED, **end), PASS_ON) is Outcome.SAME_PERSON


@pytest.mark.parametrize(
    ("today", "points"), [(0, 500), (19, 500), (20, 250), (39, 250), (40, 125), (179, 1)]
)
def test_beyond_the_full_value_each_copy_of_a_day_is_worth_half_and_half_again(
    today: int, points: int
) -> None:
    decision = decide(SERVED, PASS_ON, SEASON, Earned(by_fan_today=today))
    assert decision == Decision(fan=BO, outcome=Outcome.AWARDED, points=points)


@pytest.mark.parametrize("today", [180, 10**6])
def test_what_is_worth_nothing_any_more_is_over_the_days_limit(today: int) -> None:
    assert outcome(SERVED, PASS_ON, Earned(by_fan_today=today)) is Outcome.OVER_DAILY_LIMIT


@given(full=st.integers(1, 200), points=st.integers(1, 100_000))
def test_a_day_is_worth_less_than_twice_its_full_value(full: int, points: int) -> None:
    mission = replace(PASS_ON, full_per_fan_per_day=full, points=points)
    day = sum(worth(mission, counted) for counted in range(full * 20))
    assert full * points <= day < 2 * full * points


def test_beyond_so_many_listeners_nobody_knows_a_person_looks_while_fans_still_count() -> None:
    ten = Earned(to_unknown_today=10)
    assert outcome(SERVED, PASS_ON, ten) is Outcome.REVIEW_OF_UNKNOWN
    known = changed(SERVED, by=CY)
    assert keys_for(known, PASS_ON, SEASON).to_unknown_today == ""
    assert outcome(known, PASS_ON) is Outcome.AWARDED


def test_a_title_counts_once_a_browser_and_once_a_fan() -> None:
    def subjects(**body: object) -> set[str]:
        return set(keys_for(changed(SERVED, **body), PASS_ON, SEASON).the_same)

    signed_out, signed_in = subjects(), subjects(by=CY)
    assert signed_out < signed_in, "signing in makes nobody another listener"
    assert subjects(by=CY, listener="another browser") & signed_in
    assert not subjects(listener="another phone") & signed_in
    assert not subjects(title=6, by=CY) & signed_in


def test_a_field_of_another_kind_asks_for_no_right() -> None:
    assert keys_for(changed(ARRIVED, title=5), SPREAD, SEASON).closed_since == ""


def test_every_counter_fits_its_column_at_the_limits_of_what_a_fact_may_hold() -> None:
    """PostgreSQL would refuse a longer one, and with it everything behind it."""
    most, text = NUMBER_MAX - 1, "m" * NAME_LENGTH_MAX
    bodies = dict.fromkeys(("fan", "share", "title", "recruiter", "by"), most)
    longest = {**bodies, "network": text, "listener": "f" * 32, "same_person": False, "act": text}
    size = Counter._meta.get_field("key").max_length
    for fact in (ARRIVED, RECRUITED, DOWNLOADED, SERVED):
        keys = keys_for(changed(fact, **longest), replace(PASS_ON, key=text), SEASON)
        for key in (*keys.counted, *keys.waiting, keys.closed_since):
            assert len(place_of(key)) <= size, key


# What is counted ------------------------------------------------------------------------------------------------
def test_counters_tell_fans_missions_days_networks_and_things_apart() -> None:
    keys = keys_for(ARRIVED, SPREAD, SEASON)
    others = [
        keys_for(changed(ARRIVED, fan=CY), SPREAD, SEASON).by_fan,
        keys_for(ARRIVED, replace(SPREAD, key="spread-2"), SEASON).by_fan,
        keys_for(at(ARRIVED, AT_US + DAY_US), SPREAD, SEASON).by_fan_today,
        keys_for(changed(ARRIVED, network="other"), SPREAD, SEASON).from_network_today,
        *keys_for(changed(ARRIVED, share=31), SPREAD, SEASON).the_same,
    ]
    assert len({*keys.counted, *others}) == len(keys.counted) + len(others)


def test_a_new_version_of_a_mission_goes_on_counting_where_the_old_one_stood() -> None:
    newer = replace(SPREAD, version=2, points=80)
    assert keys_for(ARRIVED, newer, SEASON) == keys_for(ARRIVED, SPREAD, SEASON)


def test_a_fact_from_no_known_network_counts_for_no_network() -> None:
    keys = keys_for(changed(RECRUITED, network=""), RECRUIT, SEASON)
    assert keys.from_network_today == ""
    assert len(keys.counted) == 3


def test_only_titles_ask_whether_their_right_is_open() -> None:
    assert keys_for(DOWNLOADED, DOWNLOAD, SEASON).closed_since == "closed:5:download"
    assert keys_for(SERVED, PASS_ON, SEASON).closed_since == "closed:5:pass-on"
    assert keys_for(ARRIVED, SPREAD, SEASON).closed_since == ""


# Days -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("utc", "zone", "day"),
    [
        ("2026-11-20T22:59:59.999999", "Europe/Paris", "2026-11-20"),
        ("2026-11-20T23:00:00", "Europe/Paris", "2026-11-21"),
        ("2026-07-01T21:59:59", "Europe/Paris", "2026-07-01"),
        ("2026-07-01T22:00:00", "Europe/Paris", "2026-07-02"),
        ("2026-11-20T04:59:59", "America/Montreal", "2026-11-19"),
        ("2026-11-20T05:00:00", "America/Montreal", "2026-11-20"),
        ("2026-11-20T10:00:00", "Pacific/Kiritimati", "2026-11-21"),
        ("2026-11-20T18:15:00", "Asia/Kathmandu", "2026-11-21"),
    ],
)
def test_a_day_is_the_campaigns_own(utc: str, zone: str, day: str) -> None:
    at_us = clock.to_us(dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC))
    assert replace(SEASON, time_zone=zone).day_of(at_us) == day


@pytest.mark.parametrize(
    ("begins", "day", "hours"),
    [
        ("2026-03-28T23:00:00", "2026-03-29", 23),
        ("2026-10-24T22:00:00", "2026-10-25", 25),
        ("2026-11-19T23:00:00", "2026-11-20", 24),
    ],
    ids=["clocks go forward", "clocks go back", "an ordinary day"],
)
def test_the_day_the_clocks_change_is_one_day(begins: str, day: str, hours: int) -> None:
    first_us = clock.to_us(dt.datetime.fromisoformat(begins).replace(tzinfo=dt.UTC))
    after_us = first_us + hours * HOUR_US
    assert SEASON.day_of(first_us - 1) < day == SEASON.day_of(first_us)
    assert SEASON.day_of(after_us - 1) == day < SEASON.day_of(after_us)


@given(
    st.integers(min_value=0, max_value=4_102_444_800_000_000), st.integers(min_value=0, max_value=DAY_US * 3)
)
def test_days_never_run_backwards(at_us: int, later_us: int) -> None:
    assert SEASON.day_of(at_us) <= SEASON.day_of(at_us + later_us)


# Versions in force ----------------------------------------------------------------------------------------------
def keys_and_versions(versions: list[Mission], fact: Fact) -> list[tuple[str, int]]:
    return [(mission.key, mission.version) for mission in in_force(versions, fact)]


def test_a_fact_is_judged_by_the_version_in_force_when_it_was_seen() -> None:
    versions = [
        SPREAD,
        replace(SPREAD, version=2, from_us=AT_US),
        replace(SPREAD, version=3, from_us=AT_US + 9),
    ]
    assert keys_and_versions(versions, at(ARRIVED, AT_US - 1)) == [("spread", 1)]
    assert keys_and_versions(versions, at(ARRIVED, AT_US)) == [("spread", 2)]
    assert keys_and_versions(versions, at(ARRIVED, AT_US + 9)) == [("spread", 3)]


def test_before_its_first_version_a_mission_judges_nothing() -> None:
    assert in_force([replace(SPREAD, from_us=AT_US + 1)], ARRIVED) == []


def test_several_missions_judge_a_fact_in_the_order_of_their_keys() -> None:
    versions = [replace(SPREAD, key="b"), replace(SPREAD, key="c"), replace(SPREAD, key="a"), RECRUIT]
    assert keys_and_versions(versions, ARRIVED) == [("a", 1), ("b", 1), ("c", 1)]


def test_a_withdrawn_mission_pays_nothing_more_and_may_come_back() -> None:
    gone = replace(SPREAD, version=2, from_us=AT_US, withdrawn=True)
    back = replace(SPREAD, version=3, from_us=AT_US + 10)
    assert keys_and_versions([SPREAD, gone, back], at(ARRIVED, AT_US - 1)) == [("spread", 1)]
    assert keys_and_versions([SPREAD, gone, back], at(ARRIVED, AT_US + 1)) == []
    assert keys_and_versions([SPREAD, gone, back], at(ARRIVED, AT_US + 10)) == [("spread", 3)]


def test_a_mission_that_became_another_kind_no_longer_pays_for_the_old_one() -> None:
    versions = [replace(RECRUIT, key="bonus"), replace(SPREAD, key="bonus", version=2, from_us=AT_US)]
    assert keys_and_versions(versions, at(RECRUITED, AT_US - 1)) == [("bonus", 1)]
    assert keys_and_versions(versions, at(RECRUITED, AT_US)) == []
    assert keys_and_versions(versions, at(ARRIVED, AT_US)) == [("bonus", 2)]


def test_passing_on_pays_for_copies_served_and_for_nothing_else() -> None:
    assert keys_and_versions([PASS_ON], SERVED) == [("pass-on", 1)]
    for other in (ARRIVED, RECRUITED, DOWNLOADED):
        assert in_force([PASS_ON], other) == []
