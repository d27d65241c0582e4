"""From the campaign file to the rules' values: seasons, and missions whose versions follow each other.

A mission that changed is a new version; one that is gone or only announced is a version that pays nothing more.
"""

from collections.abc import Sequence
from dataclasses import replace

from vteam import clock
from vteam.campaigns.file import CampaignFile, MissionEntry
from vteam.rules.missions import Mission, Season


def season_of(file: CampaignFile) -> Season:
    """The season as the rules see it."""
    return Season(
        starts_at_us=clock.to_us(file.season.starts_at),
        ends_at_us=clock.to_us(file.season.ends_at),
        time_zone=file.season.time_zone,
    )


def new_versions(file: CampaignFile, known: Sequence[Mission], *, at_us: int) -> list[Mission]:
    """The mission versions a campaign file brings: what differs from the latest of each key, and no more."""
    latest = {mission.key: mission for mission in known}
    wanted = {entry.key: _mission(file, entry) for entry in file.missions}
    changed = []
    for key, mission in wanted.items():
        before = latest.get(key)
        if before is None or replace(before, version=1, from_us=0) != mission:
            changed.append(replace(mission, version=(before.version if before else 0) + 1, from_us=at_us))
    for key, before in latest.items():
        if key not in wanted and not before.withdrawn:
            changed.append(replace(before, version=before.version + 1, from_us=at_us, withdrawn=True))
    return changed


def _mission(file: CampaignFile, entry: MissionEntry) -> Mission:
    return Mission(
        key=entry.key,
        version=1,
        kind=entry.kind,
        points=entry.points,
        from_us=0,
        opens_at_us=clock.to_us(file.mission_opens_at(entry)),
        closes_at_us=clock.to_us(file.mission_closes_at(entry)),
        hold_us=entry.hold_seconds * 1_000_000,
        per_fan=entry.per_fan,
        per_fan_per_day=entry.per_fan_per_day,
        per_network_per_day=entry.per_network_per_day,
        withdrawn=entry.coming,
        evidence=entry.evidence or (),
        full_per_fan_per_day=entry.full_per_fan_per_day,
        unknown_per_fan_per_day=entry.unknown_per_fan_per_day,
    )
