"""What each kind of fact must contain: checked once, at the journal's door, so that judging never stumbles."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from vteam.rules.facts import Act, Doubt, Evidence, Kind
from vteam.rules.missions import MissionKind
from vteam.rules.prizes import State, Who
from vteam.rules.rights import Way

Test = Callable[[Any], bool]
NUMBER_MAX = 2**62  # the databases' whole numbers, with room to add two
MOMENT_US_MAX = 7_258_118_400_000_000  # the year 2200: everything before it has a calendar day
NAME_LENGTH_MAX = 60
ABSENT = object()
_HEX = frozenset("0123456789abcdef")


def _number(value: Any) -> bool:
    return type(value) is int and 0 <= value < NUMBER_MAX


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= NAME_LENGTH_MAX and value.isprintable()


def _hash_of(digits: int) -> Test:
    return lambda value: isinstance(value, str) and len(value) == digits and set(value) <= _HEX


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _way(value: Any) -> bool:
    return value in list(Way)


def _mission_kind(value: Any) -> bool:
    return value in list(MissionKind)


def _time_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and ZoneInfo(value) is not None
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False


def _evidence(value: Any) -> bool:
    return value in list(Evidence)


def _doubt(value: Any) -> bool:
    return value in list(Doubt)


def _act(value: Any) -> bool:
    return value in list(Act)


def _prize_state(value: Any) -> bool:
    return value in list(State)


def _who(value: Any) -> bool:
    return value in list(Who)


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _or_absent(test: Test) -> Test:
    """For what facts of earlier versions do not have."""
    return lambda value: value is ABSENT or test(value)


def _several(test: Test) -> Test:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _season(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == _SEASON.keys() and _first_wrong(value, _SEASON) is None


_SEASON: dict[str, Test] = {"starts_at_us": _number, "ends_at_us": _number, "time_zone": _time_zone}
_MISSION: dict[str, Test] = {
    "key": _name,
    "version": _positive,
    "kind": _mission_kind,
    "points": _positive,
    "from_us": _number,
    "opens_at_us": _number,
    "closes_at_us": _number,
    "hold_us": _number,
    "per_fan": _or_none(_number),
    "per_fan_per_day": _or_none(_number),
    "per_network_per_day": _or_none(_number),
    "withdrawn": _truth,
    "evidence": _or_absent(_several(_evidence)),
    "full_per_fan_per_day": _or_absent(_or_none(_positive)),
    "unknown_per_fan_per_day": _or_absent(_or_none(_number)),
}
_RIGHT: dict[str, Test] = {"title": _number, "way": _way, "holder": _number, "open": _truth}
_SHAPES: dict[str, dict[str, Test]] = {
    Kind.CAMPAIGN_VERSIONED: {"version": _positive, "season": _season, "file_sha256": _text},
    Kind.MISSION_VERSIONED: _MISSION,
    Kind.FAN_CONFIRMED: {
        "fan": _number,
        "recruiter": _or_none(_number),
        "share": _or_none(_number),
        "network": _name,
        "same_session": _truth,
    },
    Kind.ARRIVAL_CONFIRMED: {"share": _number, "fan": _number, "network": _name, "by": _or_none(_number)},
    Kind.TITLE_DOWNLOADED: {"fan": _number, "title": _number},
    Kind.COPY_SERVED: {
        "fan": _number,
        "title": _number,
        "listener": _hash_of(32),
        "by": _or_none(_number),
        "same_person": _truth,
        "network": _name,
        "evidence": _evidence,
        "proof": _hash_of(64),
        "doubt": _or_absent(_doubt),
    },
    Kind.WORLD_ACTED: {
        "fan": _number,
        "avatar": _number,
        "mission": _name,
        "act": _act,
        "kiosk": _or_none(_number),
        "choice": _or_none(_positive),
        "right": _or_none(_truth),
        "proof": _or_none(_hash_of(64)),
    },
    Kind.RIGHT_AGREED: _RIGHT,
    Kind.RIGHT_WITHDRAWN: _RIGHT,
    Kind.HOLD_ENDED: {"decision": _number},
    Kind.REVIEW_DECIDED: {"decision": _number, "accepted": _truth, "reason": _text},
    Kind.PRIZE_MOVED: {
        "prize": _name,
        "number": _positive,
        "fan": _or_none(_number),
        "state": _prize_state,
        "by": _who,
    },
    Kind.DRAW_ANNOUNCED: {
        "prize": _name,
        "number": _positive,
        "announced": _hash_of(64),
        "entries": _positive,
    },
    Kind.DRAW_DONE: {"prize": _name, "number": _positive, "announced": _hash_of(64), "record": _text},
    Kind.RESULT_FROZEN: {"season_ends_at_us": _number},
    Kind.AWARD_REVERSED: {"decision": _number, "reason": _text},
}
# A mission is read whole: what it does not know it would stumble over.
_CLOSED: frozenset[str] = frozenset({Kind.MISSION_VERSIONED})


def problem_with(kind: str, content: Mapping[str, Any] | None) -> str | None:
    """Why a row cannot be a fact, in a few words; None when it can. `content`: its body, as `read_object` gave it."""
    shape = _SHAPES.get(kind)
    if shape is None:
        return f"unknown kind of fact: {kind[:40]}"
    if content is None:
        return "the body is not a JSON object"
    wrong = _first_wrong(content, shape)
    if wrong is not None:
        return f"{wrong} is missing or not what it should be"
    if kind in _CLOSED and (unknown := sorted(content.keys() - shape.keys())):
        return f"{unknown[0][:40]} is unknown"
    return None


def problem_with_moment(seen_at_us: int) -> str | None:
    """Why a time (µs) cannot be when something was seen; None when it can."""
    return None if 0 <= seen_at_us < MOMENT_US_MAX else "it was seen at no time there is"


def visited_share(body: str) -> int | None:
    """The share a visit's body names, None when it names none."""
    share = (read_object(body) or {}).get("share")
    return share if _number(share) else None


def read_object(body: str) -> dict[str, Any] | None:
    """The JSON object in a text; None when there is none."""
    try:
        content = orjson.loads(body)
    except ValueError:  # too deep, too, or a half character
        return None
    return content if isinstance(content, dict) else None


def _first_wrong(content: Mapping[str, Any], shape: Mapping[str, Test]) -> str | None:
    for field, test in shape.items():
        if not test(content.get(field, ABSENT)):
            return field
    return None
