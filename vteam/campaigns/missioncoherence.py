"""What must hold within and around the missions of a campaign file. Pure; `vteam.campaigns.coherence` asks."""

import datetime as dt
import typing
from collections.abc import Iterator

from vteam.campaigns.file import OF_PASS_ON, OF_WORLD, USUAL, MissionKind, WorldAct
from vteam.campaigns.findings import Finding
from vteam.campaigns.loosely import (
    Tables,
    entries,
    final_of,
    finding_at,
    moment,
    number,
    table,
    text_in,
    understood,
    zone_of,
)
from vteam.campaigns.values import begins_at, hold_seconds, over_at, read_hold

CHOOSING = ("answer", "vote")


def _hold_of(mission: Tables) -> str | None:
    usual = USUAL.get(text_in(mission, "kind") or "", {}).get("hold", "0")
    return understood(read_hold, mission.get("hold", usual))


def mission_dates(tables: Tables) -> Iterator[Finding]:
    """Missions open and close inside the season, and what they hold counts before the result is final."""
    season, zone = table(tables, "season"), zone_of(tables)
    starts, ends = moment(season, "starts"), moment(season, "ends")
    if not starts or not ends or over_at(ends, zone) <= begins_at(starts, zone):
        return
    first, end = begins_at(starts, zone), over_at(ends, zone)
    for at, mission in entries(tables, "missions"):
        opens, closes = moment(mission, "opens"), moment(mission, "closes")
        inside = f"write a day from {starts} to {ends}, or leave it out"
        if opens and not first <= begins_at(opens, zone) < end:
            yield finding_at("missions", at, "opens", "the mission opens outside the season", inside)
        if closes and not first < over_at(closes, zone) <= end:
            yield finding_at("missions", at, "closes", "the mission closes outside the season", inside)
        if opens and closes and over_at(closes, zone) <= begins_at(opens, zone):
            yield finding_at(
                "missions", at, "closes", "the mission closes before it opens", f"write a day after {opens}"
            )
        final = final_of(season, zone, ends)
        yield from _hold_too_long(at, mission, max(first, begins_at(opens or starts, zone)), end, final)


def _hold_too_long(
    at: int, mission: Tables, opens: dt.datetime, end: dt.datetime, final: dt.datetime | None
) -> Iterator[Finding]:
    hold = _hold_of(mission)
    if hold and opens < end <= opens + dt.timedelta(seconds=hold_seconds(hold)):
        wrong = f"points held for {hold} would not count before the season is over"
        yield finding_at(
            "missions", at, "hold", wrong, 'write a shorter one, such as "24h", or open the mission earlier'
        )
    elif hold and final and end + dt.timedelta(seconds=hold_seconds(hold)) > final:
        wrong = f"points of the last day, held for {hold}, would come after the result is final"
        yield finding_at("missions", at, "hold", wrong, "write a shorter one, or a later `settled`")


def mission_limits(tables: Tables) -> Iterator[Finding]:
    """What is paid a day can be reached in all."""
    for at, mission in entries(tables, "missions"):
        a_day, in_all = number(mission, "per_fan_per_day"), number(mission, "per_fan")
        if a_day and in_all and in_all < a_day:
            wrong = f"{a_day} a day can never be reached when a fan is paid {in_all} times in all"
            yield finding_at("missions", at, "per_fan", wrong, f"write {a_day} or more")


def limits_of_passing_on(tables: Tables) -> Iterator[Finding]:
    """Lines that say something for a pass-on mission only, and evidence named once."""
    for at, mission in entries(tables, "missions"):
        kind = text_in(mission, "kind")
        if kind in typing.get_args(MissionKind) and kind != "pass-on":
            for key in (key for key in OF_PASS_ON if key in mission):
                wrong = f"`{key}` says something for a pass-on mission only, and this is a {kind} mission"
                yield finding_at("missions", at, key, wrong, "take it out")
        listed = mission.get("evidence")
        named = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
        if len(named) != len(set(named)):
            yield finding_at(
                "missions", at, "evidence", "a kind of evidence is named twice", "write each once"
            )


def lines_of_worlds(tables: Tables) -> Iterator[Finding]:
    """A mission in a virtual world says what residents do; where they choose, from what, and which is right."""
    for at, mission in entries(tables, "missions"):
        kind, act = text_in(mission, "kind"), text_in(mission, "act")
        if kind in typing.get_args(MissionKind) and kind != "world":
            for key in (key for key in OF_WORLD if key in mission):
                wrong = f"`{key}` says something in a virtual world only, and this is a {kind} mission"
                yield finding_at("missions", at, key, wrong, "take it out")
        elif kind == "world" and "act" not in mission:
            wrong = "a mission in a virtual world says what residents do there"
            instead = 'write act = "answer", "vote", "concert" or "bring"'
            yield Finding(path=("missions", at), wrong=wrong, instead=instead, missing="act")
        elif kind == "world" and act in typing.get_args(WorldAct):
            yield from _choosing(at, mission, act or "")


def _choosing(at: int, mission: Tables, act: str) -> Iterator[Finding]:
    listed = mission.get("choices")
    choices = listed if isinstance(listed, list) else []
    for key in ("question", "choices") if act in CHOOSING else ():
        if key not in mission:
            wrong, example = (
                f"there is no `{key}` to {act}",
                {"question": '"…"', "choices": '["…", "…"]'}[key],
            )
            yield Finding(path=("missions", at), wrong=wrong, instead=f"write {key} = {example}", missing=key)
    for key in (key for key in OF_WORLD[1:] if key in mission):
        if act not in CHOOSING or (key == "answer" and act == "vote"):
            yield finding_at("missions", at, key, f"`{key}` says nothing where act = {act}", "take it out")
    if act in CHOOSING and "choices" in mission and len(choices) < 2:
        yield finding_at("missions", at, "choices", "there is nothing to choose from", "write two or more")
    if len(choices) != len({str(each).strip() for each in choices}):
        yield finding_at("missions", at, "choices", "a choice stands twice", "write each once")
    answer = number(mission, "answer")
    if act == "answer" and "answer" not in mission:
        wrong = "no choice is the right one"
        yield Finding(path=("missions", at), wrong=wrong, instead="write answer = 1", missing="answer")
    elif act == "answer" and answer and choices and answer > len(choices):
        wrong = f"there are {len(choices)} choices, and the right one would be number {answer}"
        yield finding_at("missions", at, "answer", wrong, f"write a number from 1 to {len(choices)}")
