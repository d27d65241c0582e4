"""The gate: each standing, one missing holder closes, and the latest word of each holder speaks while it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.rights import Act, Circulation, Course, RightRecord, Standing, Way, circulation, course

MIRA, LABEL = 1, 2
NOW = 1_000_000


def said(holder: int, act: Act, *, at_us: int = 10, way: Way = Way.DOWNLOAD, **others: object) -> RightRecord:
    given = {"from_us": at_us, **others}
    return RightRecord(holder=holder, way=way, act=act, at_us=at_us, **given)  # type: ignore[arg-type]


def gate(*records: RightRecord, holders: tuple[int, ...] = (MIRA, LABEL), at_us: int = NOW) -> Circulation:
    return circulation(way=Way.DOWNLOAD, holders=holders, records=records, at_us=at_us)


def test_a_way_is_open_when_every_named_holder_agreed() -> None:
    answer = gate(said(MIRA, Act.AGREED), said(LABEL, Act.AGREED))
    assert answer.is_open
    assert answer.standing is Standing.OPEN
    assert answer.waiting_for == ()


def test_one_missing_holder_keeps_it_closed_and_is_named() -> None:
    answer = gate(said(MIRA, Act.AGREED))
    assert not answer.is_open
    assert (answer.standing, answer.waiting_for) == (Standing.NOT_AGREED, (LABEL,))


def test_a_title_without_named_holders_never_circulates() -> None:
    assert not gate(said(MIRA, Act.AGREED), holders=()).is_open


def test_the_word_of_somebody_who_is_no_holder_counts_for_nothing() -> None:
    stranger = 99
    assert not gate(said(stranger, Act.AGREED), holders=(MIRA,)).is_open
    assert gate(said(MIRA, Act.AGREED), said(stranger, Act.WITHDRAWN), holders=(MIRA,)).is_open


def test_each_way_is_agreed_to_by_itself() -> None:
    listening = [said(holder, Act.AGREED, way=Way.LISTEN) for holder in (MIRA, LABEL)]
    assert not gate(*listening).is_open
    assert circulation(way=Way.LISTEN, holders=(MIRA, LABEL), records=listening, at_us=NOW).is_open


@pytest.mark.parametrize(
    ("record", "standing"),
    [
        (said(LABEL, Act.WITHDRAWN), Standing.WITHDRAWN),
        (said(LABEL, Act.REFUSED), Standing.REFUSED),
        (said(LABEL, Act.AGREED, until_us=NOW), Standing.EXPIRED),
        (said(LABEL, Act.AGREED, from_us=NOW + 1), Standing.NOT_BEGUN),
        (said(LABEL, Act.AGREED, at_us=NOW + 1), Standing.NOT_AGREED),
    ],
    ids=["withdrawn", "refused", "expired", "not begun", "not said yet"],
)
def test_why_it_is_closed_is_told(record: RightRecord, standing: Standing) -> None:
    answer = gate(said(MIRA, Act.AGREED), record)
    assert (answer.standing, answer.waiting_for) == (standing, (LABEL,))


def test_an_agreement_holds_until_its_last_moment_and_no_longer() -> None:
    until = [said(MIRA, Act.AGREED, until_us=NOW)]
    assert gate(*until, holders=(MIRA,), at_us=NOW - 1).is_open
    assert not gate(*until, holders=(MIRA,), at_us=NOW).is_open


def test_the_latest_word_of_a_holder_is_the_one_that_speaks() -> None:
    words = [
        said(MIRA, Act.AGREED, at_us=10),
        said(MIRA, Act.WITHDRAWN, at_us=20),
        said(MIRA, Act.AGREED, at_us=30),
    ]
    assert [gate(*words, holders=(MIRA,), at_us=at).is_open for at in (9, 10, 19, 20, 29, 30)] == [
        False,
        True,
        True,
        False,
        False,
        True,
    ]


def test_of_several_reasons_the_gravest_is_told_and_every_holder_who_closes_is_named() -> None:
    third = 3
    answer = gate(said(MIRA, Act.WITHDRAWN), said(third, Act.AGREED), holders=(LABEL, MIRA, third))
    assert (answer.standing, answer.waiting_for) == (Standing.WITHDRAWN, (LABEL, MIRA))


def test_what_holders_ask_of_people_is_passed_on_once() -> None:
    ask = "keep it, please don't pass it on"
    answer = gate(said(MIRA, Act.AGREED, words=ask), said(LABEL, Act.AGREED, words=ask))
    assert answer.words == (ask,)


records = st.builds(
    RightRecord,
    holder=st.integers(1, 4),
    way=st.sampled_from(Way),
    act=st.sampled_from(Act),
    at_us=st.integers(0, 20),
    from_us=st.integers(0, 20),
    until_us=st.none() | st.integers(0, 20),
    words=st.sampled_from(["", "please keep it"]),
)


@given(st.lists(records, max_size=12), st.sets(st.integers(1, 3), min_size=1), st.integers(0, 20))
def test_it_is_open_exactly_when_the_last_word_of_each_holder_is_an_agreement_in_force(
    history: list[RightRecord], holders: set[int], at_us: int
) -> None:
    def agrees(holder: int) -> bool:
        words = [r for r in history if (r.holder, r.way) == (holder, Way.DOWNLOAD) and r.at_us <= at_us]
        if not words or words[-1].act != Act.AGREED:
            return False
        until = words[-1].until_us
        return words[-1].from_us <= at_us and (until is None or at_us < until)

    answer = circulation(way=Way.DOWNLOAD, holders=sorted(holders), records=history, at_us=at_us)
    assert answer.is_open == all(agrees(holder) for holder in holders)
    assert set(answer.waiting_for) == {holder for holder in holders if not agrees(holder)}


@given(st.lists(records, max_size=8), st.integers(0, 20))
def test_a_withdrawal_closes_whatever_was_said_before(history: list[RightRecord], at_us: int) -> None:
    withdrawal = said(MIRA, Act.WITHDRAWN, at_us=at_us)
    answer = circulation(way=Way.DOWNLOAD, holders=[MIRA], records=[*history, withdrawal], at_us=at_us)
    assert answer.standing is Standing.WITHDRAWN


# How it went ----------------------------------------------------------------------------------------------------
def went(*records: RightRecord, at_us: int = NOW) -> Course:
    return course(way=Way.DOWNLOAD, holders=(MIRA, LABEL), records=records, at_us=at_us)


BOTH = (said(MIRA, Act.AGREED, at_us=10), said(LABEL, Act.AGREED, at_us=20))


@pytest.mark.parametrize(
    ("then", "since"),
    [
        ((), None),
        ((said(MIRA, Act.WITHDRAWN, at_us=30),), 30),
        ((said(MIRA, Act.REFUSED, at_us=30),), 30),
        ((said(MIRA, Act.WITHDRAWN, at_us=30), said(LABEL, Act.WITHDRAWN, at_us=40)), 30),
        ((said(MIRA, Act.WITHDRAWN, at_us=30), said(MIRA, Act.AGREED, at_us=40)), None),
        ((said(MIRA, Act.AGREED, at_us=30, until_us=50),), 50),
        ((said(MIRA, Act.AGREED, at_us=30, until_us=50), said(LABEL, Act.WITHDRAWN, at_us=60)), 50),
        ((said(MIRA, Act.AGREED, at_us=30, from_us=60, until_us=NOW + 1),), None),
        ((said(MIRA, Act.WITHDRAWN, at_us=30, way=Way.LISTEN),), None),
        ((said(MIRA, Act.WITHDRAWN, at_us=NOW + 1),), None),
    ],
)
def test_what_was_open_is_closed_since_the_word_that_closed_it(
    then: tuple[RightRecord, ...], since: int | None
) -> None:
    assert went(*BOTH, *then) == Course(ever_open=True, closed_since_us=since)


def test_what_was_never_open_never_ended() -> None:
    assert went() == Course(ever_open=False, closed_since_us=None)
    assert went(BOTH[0], said(MIRA, Act.WITHDRAWN, at_us=30)) == Course(ever_open=False, closed_since_us=None)
    assert went(*BOTH, at_us=19) == Course(ever_open=False, closed_since_us=None)
