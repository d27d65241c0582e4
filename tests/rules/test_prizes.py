"""Who is offered a prize, in which order, and what may become of an offer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.prizes import (
    HOLDS,
    MOVES,
    Chance,
    Moved,
    Placed,
    State,
    Who,
    in_order,
    may_move,
    needs_stock,
    reached_in_order,
    weights,
)


def test_more_points_come_first_and_of_equal_ones_who_had_them_first() -> None:
    found = in_order([Placed(1, 500, 90), Placed(2, 900, 99), Placed(3, 500, 20), Placed(4, 500, 90)])
    assert [one.fan for one in found] == [2, 3, 1, 4]


@given(st.permutations([Placed(fan, fan % 3 * 100, fan % 4) for fan in range(1, 12)]))
def test_the_order_does_not_depend_on_how_it_was_asked(placed: list[Placed]) -> None:
    assert in_order(placed) == in_order(reversed(placed))


def test_a_milestone_is_reached_when_the_points_are_there_for_the_first_time() -> None:
    moved = [Moved(1, 7, 400), Moved(2, 8, 500), Moved(3, 7, 100), Moved(4, 8, -500), Moved(5, 8, 500)]
    assert reached_in_order(moved, 500) == [(8, 2), (7, 3)]
    assert reached_in_order(moved, 501) == []


def test_everybody_weighs_the_same_unless_points_are_to_weigh() -> None:
    chances = [Chance(fan=1, points=900, free=False), Chance(fan=2, points=0, free=True),
               Chance(fan=3, points=0, free=False), Chance(fan=4, points=100, free=False),
               Chance(fan=5, points=901, free=True)]  # fmt: skip
    assert weights(chances, qualify=1, weighted=False, most=10**6) == {1: 1, 2: 1, 4: 1, 5: 1}
    assert weights(chances, qualify=200, weighted=False, most=10**6) == {1: 1, 2: 1, 5: 1}
    # 900, 100 and 901 are 634 on average, rounded up.
    assert weights(chances, qualify=1, weighted=True, most=10**6) == {1: 900, 2: 634, 4: 100, 5: 901}
    assert weights(chances, qualify=1, weighted=True, most=500) == {1: 500, 2: 367, 4: 100, 5: 500}


def test_where_nothing_has_to_be_earned_every_fan_takes_part() -> None:
    chances = [Chance(fan=1, points=0, free=False), Chance(fan=2, points=3, free=False)]
    assert weights(chances, qualify=0, weighted=False, most=10) == {1: 1, 2: 1}
    assert weights([chances[0]], qualify=0, weighted=True, most=10) == {1: 1}
    assert weights([], qualify=1, weighted=True, most=10) == {}


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.booleans()), max_size=30),
    st.integers(0, 100),
    st.booleans(),
)
def test_who_entered_without_missions_has_the_chances_of_an_average_entry_at_least(
    given_: list[tuple[int, bool]], qualify: int, weighted: bool
) -> None:
    chances = [Chance(fan=fan, points=points, free=free) for fan, (points, free) in enumerate(given_)]
    found = weights(chances, qualify=qualify, weighted=weighted, most=2**31)
    assert all(weight >= 1 for weight in found.values())
    earned = [one.points for one in chances if one.points >= max(qualify, 1)]
    for one in chances:
        if one.free and weighted:
            assert found[one.fan] * len(earned) >= sum(earned)
        elif one.free:
            assert found[one.fan] == max(found.values())


@pytest.mark.parametrize("state", list(State))
def test_a_fan_never_sends_and_an_organiser_never_claims(state: State) -> None:
    assert not may_move(state, State.SENT, Who.FAN) or state is State.RECEIVED
    assert not may_move(state, State.CLAIMED, Who.ORGANISER) or state is State.SENT
    assert not may_move(state, state, Who.FAN)


def test_every_state_but_none_is_the_end() -> None:
    """What was done is undone by adding: there is a way back from everywhere."""
    for state in State:
        assert MOVES[state], state
    assert needs_stock(State.EXPIRED, State.OFFERED)
    assert not needs_stock(State.OFFERED, State.CLAIMED)
    assert not needs_stock(State.CLAIMED, State.DECLINED)
    assert frozenset({State.DECLINED, State.EXPIRED, State.WITHDRAWN}) == set(State) - HOLDS
