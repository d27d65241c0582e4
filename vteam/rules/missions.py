"""Missions and the season they stand in, as values: what a fact is judged by.

A changed mission is a new version; a fact is judged by the version in force at its `seen_at_us`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from vteam.rules.facts import Fact, Kind


class MissionKind(StrEnum):
    """What a mission pays for."""

    RECRUIT = "recruit"
    SPREAD = "spread"
    DOWNLOAD = "download"
    PASS_ON = "pass-on"
    WORLD = "world"


PAYS_FOR = {
    MissionKind.RECRUIT: Kind.FAN_CONFIRMED,
    MissionKind.SPREAD: Kind.ARRIVAL_CONFIRMED,
    MissionKind.DOWNLOAD: Kind.TITLE_DOWNLOADED,
    MissionKind.PASS_ON: Kind.COPY_SERVED,
    MissionKind.WORLD: Kind.WORLD_ACTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """When a campaign's facts count: from `starts_at_us` up to, not including, `ends_at_us`."""

    starts_at_us: int
    ends_at_us: int
    time_zone: str

    def day_of(self, at_us: int) -> str:
        """The calendar day of a moment in the campaign's own time zone (ISO 8601)."""
        return _day(self.time_zone, at_us // 1_000_000)

    def includes(self, at_us: int) -> bool:
        """Whether a moment lies inside the season."""
        return self.starts_at_us <= at_us < self.ends_at_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Mission:
    """One version of a mission. A limit of None means no limit; `hold_us` is how long an award waits.

    Of copies that a fan served, `evidence` names the kinds that pay (none: every kind). So many a day as
    `full_per_fan_per_day` are worth `points`, as many again half of it, and so on; beyond
    `unknown_per_fan_per_day` to listeners who are no fans, a person looks at the rest.
    """

    key: str
    version: int
    kind: str
    points: int
    from_us: int
    opens_at_us: int
    closes_at_us: int
    hold_us: int = 0
    per_fan: int | None = None
    per_fan_per_day: int | None = None
    per_network_per_day: int | None = None
    withdrawn: bool = False
    evidence: tuple[str, ...] = ()
    full_per_fan_per_day: int | None = None
    unknown_per_fan_per_day: int | None = None

    def body(self) -> dict[str, Any]:
        """The mission as a fact carries it."""
        return asdict(self)


def season_of(fact: Fact) -> Season:
    """The season a `CampaignVersioned` fact brought."""
    return Season(**fact.body["season"])


def mission_of(body: Mapping[str, Any]) -> Mission:
    """The mission a `MissionVersioned` fact brought."""
    return Mission(**{**body, "evidence": tuple(body.get("evidence", ()))})


def in_force(versions: Sequence[Mission], fact: Fact) -> list[Mission]:
    """The missions that judge a fact: of each key the latest version begun by then, where it pays for that kind.

    `versions` in the order they were journaled; the result is in the order of the keys, so that replaying gives
    the same decisions in the same order.
    """
    latest: dict[str, Mission] = {}
    for mission in versions:
        if mission.from_us <= fact.seen_at_us:
            latest[mission.key] = mission
    return [latest[key] for key in sorted(latest) if _judges(latest[key], fact)]


@lru_cache(maxsize=4096)
def _day(time_zone: str, second: int) -> str:
    return dt.datetime.fromtimestamp(second, tz=ZoneInfo(time_zone)).date().isoformat()


def _judges(mission: Mission, fact: Fact) -> bool:
    if mission.withdrawn or PAYS_FOR.get(MissionKind(mission.kind)) != fact.kind:
        return False
    # What was done in a world was done for one mission, whichever others there are.
    return fact.kind != Kind.WORLD_ACTED or fact.body["mission"] == mission.key
