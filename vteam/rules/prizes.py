"""Prizes as rules see them: who is offered one, in which order, and what may become of an offer.

Whoever is offered a prize claims it, or declines, or lets the time pass; then the next in line is offered it. What was
done is undone by adding. Pure: values in, values out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class PrizeKind(StrEnum):
    """How a prize finds its winners."""

    RANKING = "ranking"
    MILESTONE = "milestone"
    DRAW = "draw"
    FIRST_COME = "first-come"


class State(StrEnum):
    """How an offer stands."""

    OFFERED = "offered"
    CLAIMED = "claimed"
    SENT = "sent"
    RECEIVED = "received"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Who(StrEnum):
    """Who moved an offer."""

    FAN = "fan"
    ORGANISER = "organiser"
    DOOR = "door"
    TIME = "time"


HOLDS = frozenset({State.OFFERED, State.CLAIMED, State.SENT, State.RECEIVED})
"""While an offer stands so, one prize of the stock is its own."""
MOVES: Mapping[State, Mapping[State, frozenset[Who]]] = {
    State.OFFERED: {
        State.CLAIMED: frozenset({Who.FAN}),
        State.DECLINED: frozenset({Who.FAN}),
        State.EXPIRED: frozenset({Who.TIME}),
        State.WITHDRAWN: frozenset({Who.ORGANISER, Who.TIME}),
    },
    State.CLAIMED: {
        State.SENT: frozenset({Who.ORGANISER}),
        State.RECEIVED: frozenset({Who.DOOR, Who.FAN}),  # they are in, or have downloaded it
        State.DECLINED: frozenset({Who.FAN}),
        State.WITHDRAWN: frozenset({Who.ORGANISER, Who.TIME}),
    },
    State.SENT: {
        State.RECEIVED: frozenset({Who.FAN, Who.ORGANISER}),
        State.CLAIMED: frozenset({Who.ORGANISER}),  # it was not sent after all
    },
    State.RECEIVED: {
        State.SENT: frozenset({Who.FAN, Who.ORGANISER}),  # it had not come after all
        State.CLAIMED: frozenset({Who.DOOR}),  # it was somebody else's ticket
    },
    # Back into an offer, where one of the stock is still free.
    State.DECLINED: {State.OFFERED: frozenset({Who.FAN, Who.ORGANISER})},
    State.EXPIRED: {State.OFFERED: frozenset({Who.ORGANISER})},
    State.WITHDRAWN: {State.OFFERED: frozenset({Who.ORGANISER})},
}
"""From one state into which others, and who may do it."""


def may_move(state: State, to: State, by: Who) -> bool:
    """Whether an offer in a state may be moved into another one by somebody."""
    return by in MOVES[state].get(to, ())


def needs_stock(state: State, to: State) -> bool:
    """Whether a move takes one of the stock that the offer does not hold already."""
    return to in HOLDS and state not in HOLDS


class Placed(NamedTuple):
    """A fan of a final ranking. `reached`: the number of the decision that brought them to their points."""

    fan: int
    points: int
    reached: int


def in_order(placed: Iterable[Placed]) -> list[Placed]:
    """The order in which a ranking's prizes are offered: more points first; of equal ones, who had them first."""
    return sorted(placed, key=lambda one: (-one.points, one.reached, one.fan))


class Moved(NamedTuple):
    """What a decision did to a fan's points that count; `seq`: its number, the only order."""

    seq: int
    fan: int
    points: int


def reached_in_order(moved: Iterable[Moved], milestone: int) -> list[tuple[int, int]]:
    """Fans in the order in which they first had the milestone's points, each with the decision that brought it.

    `moved` in order.
    """
    totals: dict[int, int] = {}
    reached: dict[int, int] = {}
    for seq, fan, points in moved:
        totals[fan] = totals.get(fan, 0) + points
        if totals[fan] >= milestone:
            reached.setdefault(fan, seq)
    return list(reached.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What a fan brings to a draw. `points`: those that count; `free`: they entered without missions."""

    fan: int
    points: int
    free: bool


def weights(chances: Iterable[Chance], *, qualify: int, weighted: bool, most: int) -> dict[int, int]:
    """Who takes part in a draw, and with which weight.

    Whoever has `qualify` points takes part, and whoever entered without missions. Everybody weighs the same; where the
    draw is weighted by points, whoever entered without missions weighs what those with points weigh on average (rounded
    up), or their own points if those are more. `most`: no weight is greater.
    """
    everybody = list(chances)
    earned = {one.fan: min(one.points, most) for one in everybody if one.points >= max(qualify, 1)}
    free = [one.fan for one in everybody if one.free or qualify == 0]
    if not weighted:
        return dict.fromkeys([*earned, *free], 1)
    average = -(-sum(earned.values()) // len(earned)) if earned else 1
    return {**earned, **{fan: max(average, earned.get(fan, 1)) for fan in free}}
