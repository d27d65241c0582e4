"""What was said about a purpose, in any order, leaves one answer: may they be written to, and when does it leave."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.grants import (
    PACES,
    Event,
    Grant,
    GrantRecord,
    Pace,
    Purpose,
    Quiet,
    allowed,
    grant,
    leaves_at,
)

PARIS = Quiet(begins=21, ends=9, zone="Europe/Paris")
NEVER_QUIET = Quiet(begins=0, ends=0, zone="Europe/Paris")


def said(*events: Event | tuple[Event, int], pace: Pace = Pace.AT_ONCE) -> list[GrantRecord]:
    """Records one microsecond apart; a pair carries the end of a pause."""
    records = []
    for seq, one in enumerate(events, start=1):
        event, until_us = one if isinstance(one, tuple) else (one, None)
        given_pace = pace if event in {Event.GIVEN, Event.PACE_CHANGED} else None
        records.append(GrantRecord(seq=seq, event=event, at_us=seq, pace=given_pace, until_us=until_us))
    return records


def test_nobody_said_anything_and_nothing_may_leave() -> None:
    assert grant([], at_us=0) == Grant()
    assert not grant([], at_us=0).is_live


def test_a_yes_is_live_and_names_itself() -> None:
    found = grant(said(Event.REFUSED, Event.GIVEN), at_us=9)
    assert (found.is_live, found.seq, found.since_us, found.pace) == (True, 2, 2, Pace.AT_ONCE)


@pytest.mark.parametrize("end", [Event.WITHDRAWN, Event.REFUSED, Event.EXPIRED])
def test_what_ends_a_yes_ends_it_whatever_follows_but_another_yes(end: Event) -> None:
    ended = said(Event.GIVEN, end, Event.PACE_CHANGED, (Event.PAUSED, 3))
    assert not grant(ended, at_us=99).is_given
    again = grant(said(Event.GIVEN, end, Event.GIVEN), at_us=99)
    assert (again.is_live, again.seq) == (True, 3)


def test_a_pause_ends_by_itself_and_keeps_the_yes() -> None:
    paused = said(Event.GIVEN, (Event.PAUSED, 50))
    assert not grant(paused, at_us=49).is_live
    assert grant(paused, at_us=49).is_given
    assert grant(paused, at_us=50).is_live


def test_another_pace_leaves_a_pause_as_it_is() -> None:
    records = [
        *said(Event.GIVEN, (Event.PAUSED, 50)),
        GrantRecord(seq=3, event=Event.PACE_CHANGED, at_us=3, pace=Pace.WEEKLY),
    ]
    found = grant(records, at_us=10)
    assert (found.pace, found.paused_until_us, found.seq) == (Pace.WEEKLY, 50, 1)


@given(st.lists(st.sampled_from(Event), max_size=12))
def test_whatever_was_said_it_is_live_only_after_a_yes_that_nothing_ended(events: list[Event]) -> None:
    records = said(*(((one, 1_000) if one is Event.PAUSED else one) for one in events))
    telling = [one for one in events if one not in {Event.PAUSED, Event.PACE_CHANGED}]
    given_last = bool(telling) and telling[-1] is Event.GIVEN
    assert grant(records, at_us=1_000).is_live == given_last


def test_only_what_can_be_meant_can_be_said() -> None:
    live, nothing = grant(said(Event.GIVEN), at_us=1), Grant()
    assert allowed(Event.GIVEN, Purpose.NEWS, nothing, pace=Pace.AT_ONCE)
    assert not allowed(Event.GIVEN, Purpose.NEWS, nothing, pace=None)
    assert not allowed(Event.GIVEN, Purpose.POINTS, nothing, pace=Pace.AT_ONCE), "not offered at that pace"
    assert not allowed(Event.GIVEN, Purpose.CODE, nothing, pace=Pace.AT_ONCE), (
        "a code needs no yes and has none"
    )
    assert not allowed(Event.PAUSED, Purpose.NEWS, nothing, pace=None)
    assert not allowed(Event.WITHDRAWN, Purpose.NEWS, nothing, pace=None)
    assert allowed(Event.PACE_CHANGED, Purpose.NEWS, live, pace=Pace.WEEKLY)
    assert not allowed(Event.PACE_CHANGED, Purpose.NEWS, live, pace=Pace.AT_ONCE), "it is that already"
    assert allowed(Event.REFUSED, Purpose.NEWS, nothing, pace=None)
    assert not allowed(Event.REFUSED, Purpose.NEWS, live, pace=None)


def test_every_purpose_but_the_code_is_offered_at_some_pace() -> None:
    assert set(PACES) == set(Purpose) - {Purpose.CODE}
    assert all(PACES.values())


# When ----------------------------------------------------------------------------------------------------------------
def local(text: str) -> dt.datetime:
    """A moment in Paris; 2026-11-16 is a Monday."""
    import zoneinfo

    return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("made", "pace", "leaves"),
    [
        ("2026-11-18 15:00", Pace.AT_ONCE, "2026-11-18 15:00"),
        ("2026-11-18 21:00", Pace.AT_ONCE, "2026-11-19 09:00"),
        ("2026-11-18 08:59", Pace.AT_ONCE, "2026-11-18 09:00"),
        ("2026-11-18 15:00", Pace.DAILY, "2026-11-19 09:00"),
        ("2026-11-18 03:00", Pace.DAILY, "2026-11-18 09:00"),
        ("2026-11-18 09:00", Pace.DAILY, "2026-11-19 09:00"),
        ("2026-11-18 15:00", Pace.WEEKLY, "2026-11-23 09:00"),
        ("2026-11-16 08:00", Pace.WEEKLY, "2026-11-16 09:00"),
        ("2026-11-16 09:00", Pace.WEEKLY, "2026-11-23 09:00"),
        ("2027-03-27 15:00", Pace.DAILY, "2027-03-28 09:00"),  # the night the clocks change
    ],
)
def test_it_leaves_at_the_pace_asked_for_and_never_in_the_quiet_hours(
    made: str, pace: Pace, leaves: str
) -> None:
    assert leaves_at(made_at=local(made), pace=pace, quiet=PARIS) == local(leaves)


@given(
    st.datetimes(dt.datetime.fromisoformat("2026-01-01"), dt.datetime.fromisoformat("2027-12-31")),
    st.sampled_from(Pace),
)
def test_nothing_leaves_before_it_was_made_or_while_it_is_quiet(made: dt.datetime, pace: Pace) -> None:
    made_at = made.replace(tzinfo=dt.UTC)
    leaves = leaves_at(made_at=made_at, pace=pace, quiet=PARIS)
    assert leaves >= made_at
    assert leaves - made_at <= dt.timedelta(days=7, hours=1)
    assert not PARIS.holds_at(leaves)


def test_without_quiet_hours_at_once_is_at_once() -> None:
    made_at = local("2026-11-18 03:00")
    assert leaves_at(made_at=made_at, pace=Pace.AT_ONCE, quiet=NEVER_QUIET) == made_at
