"""What was done in a virtual world is judged under its own mission alone, once for each fan."""

import pytest

from tests import cast
from tests.cast import QUIZ, RECRUIT, SEASON
from vteam.rules.decisions import (
    COUNTING,
    IN_REVIEW,
    SAME,
    WAITS,
    Decision,
    Earned,
    Outcome,
    decide,
    keys_for,
)
from vteam.rules.facts import Act, Fact, NewFact
from vteam.rules.missions import in_force

BO = 2
NOTHING_YET = Earned()


def journaled(new: NewFact) -> Fact:
    return Fact(
        campaign_id=7, seq=1, kind=new.kind, key=new.key, seen_at_us=new.seen_at_us, body=dict(new.body)
    )


VOTED = journaled(cast.acted(BO))
BROUGHT = journaled(cast.acted(BO, act=Act.BRING))


def outcome(fact: Fact, earned: Earned = NOTHING_YET) -> Outcome:
    decision = decide(fact, QUIZ, SEASON, earned)
    assert decision is not None
    return decision.outcome


@pytest.mark.parametrize(
    ("act", "right", "expected"),
    [
        (Act.ANSWER, True, Outcome.AWARDED),
        (Act.ANSWER, False, Outcome.WRONG_ANSWER),
        (Act.VOTE, None, Outcome.AWARDED),
        (Act.CONCERT, None, Outcome.AWARDED),
        (Act.BRING, None, Outcome.REVIEW_OF_MADE),
    ],
)
def test_each_act_leads_to_its_decision(act: Act, right: bool | None, expected: Outcome) -> None:
    assert outcome(journaled(cast.acted(BO, act=act, right=right))) == expected


def test_a_wrong_answer_is_worth_nothing_and_a_brought_thing_waits_with_its_points() -> None:
    wrong = decide(journaled(cast.acted(BO, act=Act.ANSWER, right=False)), QUIZ, SEASON, NOTHING_YET)
    assert wrong == Decision(fan=BO, outcome=Outcome.WRONG_ANSWER)
    assert decide(BROUGHT, QUIZ, SEASON, NOTHING_YET) == Decision(
        fan=BO, outcome=Outcome.REVIEW_OF_MADE, points=QUIZ.points
    )
    assert Outcome.REVIEW_OF_MADE in IN_REVIEW
    assert Outcome.WRONG_ANSWER not in COUNTING


def test_it_is_judged_under_its_own_mission_and_no_other() -> None:
    other = journaled(cast.acted(BO, mission="another"))
    assert in_force([RECRUIT, QUIZ], VOTED) == [QUIZ]
    assert in_force([RECRUIT, QUIZ], other) == []


def test_a_fan_counts_once_however_many_avatars_they_have() -> None:
    first, second = (keys_for(journaled(cast.acted(BO, avatar=n)), QUIZ, SEASON) for n in (1, 2))
    assert first.the_same == second.the_same == (f"{SAME}quiz:{BO}:mission:quiz",)
    assert outcome(VOTED, Earned(the_same=1)) == Outcome.ALREADY_COUNTED


def test_only_what_was_brought_is_counted_while_it_waits() -> None:
    assert keys_for(BROUGHT, QUIZ, SEASON).waiting == (f"{WAITS}quiz:{BO}:mission:quiz",)
    assert keys_for(VOTED, QUIZ, SEASON).waiting == ()
    assert outcome(BROUGHT, Earned(waiting=1)) == Outcome.ALREADY_WAITS


def test_one_result_for_each_mission_and_avatar() -> None:
    keys = {cast.acted(BO, mission=mission, avatar=n).key for mission in ("quiz", "vote") for n in (1, 2)}
    assert len(keys) == 4
    assert cast.acted(BO, right=True).key == cast.acted(3, right=False).key


def test_the_moment_that_counts_is_when_it_was_done() -> None:
    before = journaled(cast.acted(BO, at_us=SEASON.starts_at_us - 1))
    assert outcome(before) == Outcome.OUTSIDE_SEASON
