"""What each kind of fact must contain: checked once, at the journal's door, so that judging never stumbles."""

import json
from typing import Any

from vteam.rules.facts import Kind

_MAYBE_INT = (int, type(None))
_SHAPES: dict[str, dict[str, Any]] = {
    Kind.CAMPAIGN_VERSIONED: {"version": int, "season": dict, "file_sha256": str},
    Kind.MISSION_VERSIONED: {"key": str, "version": int, "kind": str, "points": int, "from_us": int},
    Kind.FAN_CONFIRMED: {"fan": int, "recruiter": _MAYBE_INT, "network": str, "same_session": bool},
    Kind.ARRIVAL_CONFIRMED: {"share": int, "fan": int, "network": str, "by": _MAYBE_INT},
    Kind.TITLE_DOWNLOADED: {"fan": int, "title": int},
    Kind.RIGHT_AGREED: {"title": int, "way": str, "holder": int, "open": bool},
    Kind.RIGHT_WITHDRAWN: {"title": int, "way": str, "holder": int, "open": bool},
    Kind.HOLD_ENDED: {"decision": int},
    Kind.REVIEW_DECIDED: {"decision": int, "accepted": bool, "reason": str},
    Kind.AWARD_REVERSED: {"decision": int, "reason": str},
}


def problem_with(kind: str, body: str) -> str | None:
    """Why a row cannot be a fact, in a few words; None when it can."""
    shape = _SHAPES.get(kind)
    if shape is None:
        return f"unknown kind of fact: {kind[:40]}"
    try:
        content = json.loads(body)
    except ValueError:
        return "the body is not JSON"
    if not isinstance(content, dict):
        return "the body is not an object"
    for field, expected in shape.items():
        if field not in content or not isinstance(content[field], expected):
            return f"{field} is missing or of another type"
    return None
