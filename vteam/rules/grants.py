"""May this be written to this person, now? One rule over what they said themselves, and when what may leave does.

A grant is one person's yes to one purpose on one channel at one pace. Whatever follows it (a pause, another pace,
a withdrawal) is one more record; nothing of it is ever edited. No record, no message.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What a message is for. A message without a purpose listed here cannot be sent."""

    CODE = "code"
    """The code somebody asks for by typing an address: the one message without a grant."""
    NEWS = "news"
    POINTS = "points"
    ASKED = "asked"
    WON = "won"
    FAULTS = "faults"


class Channel(StrEnum):
    """The ways a message may reach somebody."""

    MAIL = "mail"


class Event(StrEnum):
    """What a person said about one purpose."""

    GIVEN = "given"
    REFUSED = "refused"
    PAUSED = "paused"
    PACE_CHANGED = "pace-changed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Pace(StrEnum):
    """How often at most. Daily and weekly gather what has come together since."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    WEEKLY = "weekly"


PACES: dict[Purpose, tuple[Pace, ...]] = {
    Purpose.NEWS: (Pace.AT_ONCE, Pace.WEEKLY),
    Purpose.POINTS: (Pace.WEEKLY, Pace.DAILY),
    Purpose.ASKED: (Pace.AT_ONCE, Pace.DAILY),
    Purpose.WON: (Pace.AT_ONCE,),
    Purpose.FAULTS: (Pace.AT_ONCE, Pace.DAILY),
}
"""The paces each purpose is offered at, the usual one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRecord:
    """One event of one person about one purpose. `until_us`: the end of a pause."""

    seq: int
    event: Event
    at_us: int
    pace: Pace | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How one purpose stands with one person.

    `seq` and `since_us`: the yes it rests on; None where there is none in force. `paused_until_us`: the end of a pause
    that still lasts. `last`: what was said last, None before anything was.
    """

    last: Event | None = None
    seq: int | None = None
    since_us: int | None = None
    pace: Pace | None = None
    paused_until_us: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is a yes, paused or not."""
        return self.seq is not None

    @property
    def is_live(self) -> bool:
        """Whether something may leave now."""
        return self.is_given and self.paused_until_us is None


NOTHING_SAID = Grant()


def grant(records: Iterable[GrantRecord], *, at_us: int) -> Grant:
    """How a purpose stands at `at_us` after these records, in the order they were said."""
    found = NOTHING_SAID
    for record in records:
        found = _after(found, record)
    if found.paused_until_us is not None and at_us >= found.paused_until_us:
        found = Grant(last=found.last, seq=found.seq, since_us=found.since_us, pace=found.pace)
    return found


def _after(before: Grant, record: GrantRecord) -> Grant:
    match record.event:
        case Event.GIVEN:
            return Grant(last=record.event, seq=record.seq, since_us=record.at_us, pace=record.pace)
        case Event.PAUSED | Event.PACE_CHANGED if before.is_given:
            return Grant(
                last=record.event,
                seq=before.seq,
                since_us=before.since_us,
                pace=record.pace or before.pace,
                paused_until_us=record.until_us if record.event is Event.PAUSED else before.paused_until_us,
            )
        case Event.PAUSED | Event.PACE_CHANGED:
            return before  # Of a purpose nobody agreed to there is nothing to slow down.
        case _:
            return Grant(last=record.event)


def allowed(event: Event, purpose: Purpose, before: Grant, *, pace: Pace | None) -> bool:
    """Whether an event says something that can be said: a pace the purpose is offered at, a pause of what is given."""
    if purpose is Purpose.CODE:
        return False
    if event is Event.GIVEN:
        return pace in PACES[purpose]
    if event is Event.PACE_CHANGED:
        return before.is_given and pace in PACES[purpose] and pace is not before.pace
    if event is Event.REFUSED:
        return not before.is_given and before.last is not Event.REFUSED
    return before.is_given


# When ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """The hours, local to `zone`, in which nobody is written to: from `begins` o'clock until `ends` o'clock.

    Equal hours: never quiet.
    """

    begins: int
    ends: int
    zone: str

    def holds_at(self, moment: dt.datetime) -> bool:
        """Whether an aware moment lies in the quiet hours."""
        hour = moment.astimezone(zoneinfo.ZoneInfo(self.zone)).hour
        if self.begins <= self.ends:
            return self.begins <= hour < self.ends
        return hour >= self.begins or hour < self.ends


MONDAY = 0


def leaves_at(*, made_at: dt.datetime, pace: Pace, quiet: Quiet) -> dt.datetime:
    """When something made at an aware moment may leave: at once (after quiet hours), next morning, Monday morning.

    A morning is the end of the quiet hours. What a digest gathers was all made before the morning it leaves.
    """
    if pace is Pace.AT_ONCE:
        return _morning_after(made_at, quiet) if quiet.holds_at(made_at) else made_at
    morning = _morning_after(made_at, quiet)
    zone = zoneinfo.ZoneInfo(quiet.zone)
    if pace is Pace.WEEKLY:
        local = morning.astimezone(zone)
        morning = _morning(local.date() + dt.timedelta(days=(MONDAY - local.weekday()) % 7), quiet)
    return morning


def _morning_after(moment: dt.datetime, quiet: Quiet) -> dt.datetime:
    day = moment.astimezone(zoneinfo.ZoneInfo(quiet.zone)).date()
    today = _morning(day, quiet)
    return today if today > moment else _morning(day + dt.timedelta(days=1), quiet)


def _morning(day: dt.date, quiet: Quiet) -> dt.datetime:
    local = dt.datetime.combine(day, dt.time(hour=quiet.ends), tzinfo=zoneinfo.ZoneInfo(quiet.zone))
    return local.astimezone(dt.UTC)
