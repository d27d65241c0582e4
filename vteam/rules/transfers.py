"""Whole points moving between accounts: the issue account, a fan's pending account, a fan's confirmed account.

Transfers are never edited. Each carries the hash of the one before, taken over its own canonical text, so a
changed or missing row shows.
"""

from typing import NamedTuple

from vteam.rules.canonical import digest, spelled
from vteam.rules.decisions import WAITING, Decision, Outcome

ISSUE = "issue"
PENDING = "pending:"


class Transfer(NamedTuple):
    """A transfer as stored: `body` is the canonical text that `sha256` covers, chained to `previous`."""

    seq: int
    body: str
    previous: str
    sha256: str
    source: str
    target: str
    points: int


def pending(fan: int) -> str:
    """The account of a fan's points that wait."""
    return f"{PENDING}{fan}"


def confirmed(fan: int) -> str:
    """The account of a fan's points that count."""
    return f"confirmed:{fan}"


def movement(decision: Decision, *, was_waiting: bool) -> tuple[str, str] | None:
    """From which account to which a decision moves its points; None when it moves none."""
    fan, outcome = decision.fan, decision.outcome
    if outcome in WAITING:
        return ISSUE, pending(fan)
    if outcome is Outcome.AWARDED:
        return (pending(fan) if was_waiting else ISSUE), confirmed(fan)
    if outcome is Outcome.REFUSED or (outcome is Outcome.ALREADY_COUNTED and was_waiting):
        return pending(fan), ISSUE
    if outcome is Outcome.REVERSED:
        return confirmed(fan), ISSUE
    return None


def chained(
    *,
    seq: int,
    fact: int,
    mission: str,
    version: int,
    source: str,
    target: str,
    points: int,
    at_us: int,
    previous: str,
) -> Transfer:
    """A transfer that follows the one whose hash is `previous`. `at_us`: when its fact was seen."""
    content = {
        "seq": seq,
        "fact": fact,
        "mission": mission,
        "version": version,
        "from": source,
        "to": target,
        "points": points,
        "at_us": at_us,
    }
    body = spelled(content)
    return Transfer(
        seq=seq,
        body=body,
        previous=previous,
        sha256=digest(body, after=previous),
        source=source,
        target=target,
        points=points,
    )
