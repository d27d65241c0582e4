"""The one judgement: (fact, mission version, what was already earned) -> decision with a reason a fan can read.

Nothing is dropped silently: what earns nothing gets a decision too. Points move only as the decision's
`movement` says, and every movement can be undone by a later one.
"""

from enum import StrEnum
from typing import NamedTuple

from vteam.rules.facts import Act, Doubt, Fact, Kind
from vteam.rules.missions import Mission, Season
from vteam.rules.rights import Way


class Outcome(StrEnum):
    """What became of a fact. The fan's page words each of them (vteam/web/stories.py)."""

    AWARDED = "awarded"
    HELD_UNTIL = "held_until"
    NEEDS_REVIEW = "needs_review"
    REVIEW_OF_UNKNOWN = "review_of_unknown"
    REVIEW_OF_DOUBT = "review_of_doubt"
    REVIEW_OF_MADE = "review_of_made"
    ALREADY_COUNTED = "already_counted"
    ALREADY_WAITS = "already_waits"
    OVER_DAILY_LIMIT = "over_daily_limit"
    OVER_LIMIT = "over_limit"
    OUTSIDE_SEASON = "outside_season"
    OUTSIDE_MISSION = "outside_mission"
    SAME_PERSON = "same_person"
    RIGHTS_WITHDRAWN = "rights_withdrawn"
    EVIDENCE_UNPAID = "evidence_unpaid"
    NOT_SEEN = "not_seen"
    WRONG_ANSWER = "wrong_answer"
    RESULT_FINAL = "result_final"
    REFUSED = "refused"
    REVERSED = "reversed"


IN_REVIEW = frozenset(
    {Outcome.NEEDS_REVIEW, Outcome.REVIEW_OF_UNKNOWN, Outcome.REVIEW_OF_DOUBT, Outcome.REVIEW_OF_MADE}
)
WAITING = IN_REVIEW | {Outcome.HELD_UNTIL}
SAME, WAITS = "same:", "waits:"
# These doubts leave nothing to look at; with the others a person decides.
NOTHING_SEEN = frozenset({Doubt.UNSEEN, Doubt.SPOILED})
COUNTING = frozenset({Outcome.AWARDED, *WAITING})


class Earned(NamedTuple):
    """What the books already hold that bears on one fact and mission; the counts are of earlier awards."""

    the_same: int = 0
    waiting: int = 0
    by_fan: int = 0
    by_fan_today: int = 0
    from_network_today: int = 0
    to_unknown_today: int = 0
    closed_since_us: int = 0


class Keys(NamedTuple):
    """The counters one fact and mission ask for, by name.

    `the_same`: of what may pay only once. `counted` are those an award raises by one and its undoing lowers again,
    `the_same` among them. An award that waits for a review raises none of them until it is accepted: whoever sends
    a crowd to somebody else's share must not use up what honest visitors would have earned there. Only `waiting`
    is raised while it waits, where the same could otherwise be brought again and again.
    """

    the_same: tuple[str, ...]
    waiting: tuple[str, ...]
    by_fan: str
    by_fan_today: str
    from_network_today: str
    to_unknown_today: str
    closed_since: str
    counted: tuple[str, ...]


class Decision(NamedTuple):
    """A judgement. `points` is what it moves (0 when nothing); `due_at_us` when a held award will count."""

    fan: int
    outcome: Outcome
    points: int = 0
    due_at_us: int | None = None


def beneficiary(fact: Fact) -> int | None:
    """The fan a fact may pay; None where nobody is to be paid (a fan who joined by themselves)."""
    if fact.kind == Kind.FAN_CONFIRMED:
        recruiter: int | None = fact.body["recruiter"]
        return recruiter
    fan: int = fact.body["fan"]
    return fan


def keys_for(fact: Fact, mission: Mission, season: Season) -> Keys:
    """The counters that bear on a fact under a mission."""
    body, whose = fact.body, f"{mission.key}:{beneficiary(fact)}"
    day = season.day_of(fact.seen_at_us)
    is_copy = fact.kind == Kind.COPY_SERVED
    waits = is_copy or _is_made(fact)
    subjects = _subjects(fact)
    the_same = tuple([f"{SAME}{whose}:{subject}" for subject in subjects])
    by_fan, by_fan_today = f"fan:{whose}", f"day:{whose}:{day}"
    counted = (*the_same, by_fan, by_fan_today)
    from_network_today = to_unknown_today = closed_since = ""
    if network := body.get("network"):
        from_network_today = f"net:{mission.key}:{network}:{day}"
        counted += (from_network_today,)
    if is_copy and body["by"] is None:
        to_unknown_today = f"unknown:{whose}:{day}"
        counted += (to_unknown_today,)
    if (way := _WAYS.get(fact.kind)) and (title := body.get("title")):
        closed_since = closed_key(title, way)
    return Keys(
        the_same=the_same,
        waiting=tuple([f"{WAITS}{whose}:{subject}" for subject in subjects]) if waits else (),
        by_fan=by_fan,
        by_fan_today=by_fan_today,
        from_network_today=from_network_today,
        to_unknown_today=to_unknown_today,
        closed_since=closed_since,
        counted=counted,
    )


def closed_key(title: int, way: str) -> str:
    """The counter that holds since when (µs) a way of circulating a title is closed; 0 while open."""
    return f"closed:{title}:{way}"


def _subjects(fact: Fact) -> list[str]:
    """What may pay only once: the recruit, the share, the title; a title to the same browser and to the same fan;
    a mission in a world, however many avatars a fan has.
    """
    if fact.kind == Kind.COPY_SERVED:
        title, by = f"title:{fact.body['title']}", fact.body["by"]
        browser = f"{title}:listener:{fact.body['listener']}"
        return [browser] if by is None else [browser, f"{title}:fan:{by}"]
    field = _SUBJECTS[fact.kind]
    return [f"{field}:{fact.body[field]}"]


_SUBJECTS: dict[str, str] = {
    Kind.FAN_CONFIRMED: "fan",
    Kind.ARRIVAL_CONFIRMED: "share",
    Kind.TITLE_DOWNLOADED: "title",
    Kind.WORLD_ACTED: "mission",
}
_WAYS: dict[str, str] = {Kind.TITLE_DOWNLOADED: Way.DOWNLOAD, Kind.COPY_SERVED: Way.PASS_ON}


def decide(fact: Fact, mission: Mission, season: Season, earned: Earned) -> Decision | None:
    """The first decision on a fact under a mission; None where the fact can pay nobody."""
    fan = beneficiary(fact)
    if fan is None:
        return None
    refusal = _refusal(fact, mission, season, earned, fan)
    if refusal is not None:
        return Decision(fan=fan, outcome=refusal)
    points = worth(mission, earned.by_fan_today)
    review = _review(fact, mission, earned)
    if review is not None:
        return Decision(fan=fan, outcome=review, points=points)
    if mission.hold_us:
        due = fact.seen_at_us + mission.hold_us
        return Decision(fan=fan, outcome=Outcome.HELD_UNTIL, points=points, due_at_us=due)
    return Decision(fan=fan, outcome=Outcome.AWARDED, points=points)


def after_result(decision: Decision) -> Decision:
    """The decision where the result is final already: what would have counted, or waited, comes too late."""
    return Decision(fan=decision.fan, outcome=Outcome.RESULT_FINAL) if decision.points else decision


def worth(mission: Mission, counted_today: int) -> int:
    """The points of a fan's next award of the day: halved each time the full-value number is used up again."""
    if mission.full_per_fan_per_day is None:
        return mission.points
    return mission.points >> min(counted_today // mission.full_per_fan_per_day, mission.points.bit_length())


def _refusal(fact: Fact, mission: Mission, season: Season, earned: Earned, fan: int) -> Outcome | None:
    """Why a fact earns nothing, the most telling reason first; None when it may earn."""
    return (
        _outside(fact, mission, season)
        or _does_not_count(fact, mission, earned, fan)
        or _limit_reached(mission, earned)
    )


def _outside(fact: Fact, mission: Mission, season: Season) -> Outcome | None:
    if not season.includes(fact.seen_at_us):
        return Outcome.OUTSIDE_SEASON
    if not mission.opens_at_us <= fact.seen_at_us < mission.closes_at_us:
        return Outcome.OUTSIDE_MISSION
    return None


def _does_not_count(fact: Fact, mission: Mission, earned: Earned, fan: int) -> Outcome | None:
    if _by_the_same_person(fact, fan):
        return Outcome.SAME_PERSON
    if 0 < earned.closed_since_us <= fact.seen_at_us:
        return Outcome.RIGHTS_WITHDRAWN
    if mission.evidence and fact.body.get("evidence") not in mission.evidence:
        return Outcome.EVIDENCE_UNPAID
    if fact.body.get("doubt") in NOTHING_SEEN:
        return Outcome.NOT_SEEN
    if fact.body.get("right") is False:
        return Outcome.WRONG_ANSWER
    return _before(earned)


def _before(earned: Earned) -> Outcome | None:
    if earned.the_same > 0:
        return Outcome.ALREADY_COUNTED
    return Outcome.ALREADY_WAITS if earned.waiting > 0 else None


def _limit_reached(mission: Mission, earned: Earned) -> Outcome | None:
    if _over(mission.per_fan, earned.by_fan):
        return Outcome.OVER_LIMIT
    if _over(mission.per_fan_per_day, earned.by_fan_today) or not worth(mission, earned.by_fan_today):
        return Outcome.OVER_DAILY_LIMIT
    return None


def _review(fact: Fact, mission: Mission, earned: Earned) -> Outcome | None:
    """Why a person looks at a fact before it counts; None where nobody has to."""
    if fact.body.get("doubt"):
        return Outcome.REVIEW_OF_DOUBT
    if _is_made(fact):
        return Outcome.REVIEW_OF_MADE
    if _over(mission.per_network_per_day, earned.from_network_today):
        return Outcome.NEEDS_REVIEW
    if _over(mission.unknown_per_fan_per_day, earned.to_unknown_today):
        return Outcome.REVIEW_OF_UNKNOWN
    return None


def _is_made(fact: Fact) -> bool:
    """Whether a fact is something somebody made and brought: it always waits for a person to look at it."""
    return fact.kind == Kind.WORLD_ACTED and fact.body["act"] == Act.BRING


def _by_the_same_person(fact: Fact, fan: int) -> bool:
    if fact.kind == Kind.FAN_CONFIRMED:
        return bool(fact.body["fan"] == fan or fact.body["same_session"])
    if fact.kind == Kind.COPY_SERVED:
        return bool(fact.body["by"] == fan or fact.body["same_person"])
    return fact.kind == Kind.ARRIVAL_CONFIRMED and fact.body["by"] == fan


def _over(limit: int | None, counted: int) -> bool:
    return limit is not None and counted >= limit


def after_hold(waiting: Decision) -> Decision:
    """The decision on a held award whose time has come: it counts."""
    return Decision(fan=waiting.fan, outcome=Outcome.AWARDED, points=waiting.points)


def after_review(waiting: Decision, *, accepted: bool, counted_meanwhile: bool = False) -> Decision:
    """The decision a review leads to: the award counts, or its points go back.

    `counted_meanwhile`: the same thing has counted by another fact since; it does not count twice.
    """
    outcome = Outcome.REFUSED
    if accepted:
        outcome = Outcome.ALREADY_COUNTED if counted_meanwhile else Outcome.AWARDED
    return Decision(fan=waiting.fan, outcome=outcome, points=waiting.points)


def after_reversal(award: Decision) -> Decision:
    """The decision that takes a counted award back, by adding."""
    return Decision(fan=award.fan, outcome=Outcome.REVERSED, points=award.points)
