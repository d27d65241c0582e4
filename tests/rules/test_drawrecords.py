"""The record of a draw: whoever has it draws again, and each part of it that was changed is named."""

import copy
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.test_beacons import ROUNDS
from vteam.rules import drawrecords
from vteam.rules.beacons import QUICKNET
from vteam.rules.drawrecords import Fault, Part, checked, commitment_to, from_beacon, from_commitments
from vteam.rules.draws import Entry, announcement_sha256

ROUND = 657_413
BEFORE = dt.datetime.fromtimestamp(QUICKNET.time_of(ROUND) - 3_600, dt.UTC)
ENTRIES = [Entry(f"e{number:03}", 1 + number % 3) for number in range(60)]
SECRETS = {"Ana": "a1" * 32, "Bo": "b0" * 32, "Cy": "c7" * 32}
COMMITMENTS = {name: commitment_to(name, secret) for name, secret in SECRETS.items()}


def of_beacon(entries: list[Entry] = ENTRIES, *, how_many: int = 3, in_line: int = 5) -> dict[str, Any]:
    told = drawrecords.announcement(
        campaign="maree-haute", prize="soundcheck", how_many=how_many, in_line=in_line, entries=entries,
        at=BEFORE, randomness=from_beacon(QUICKNET, ROUND),
    )  # fmt: skip
    return drawrecords.record(told, entries, {"signature": ROUNDS[ROUND][0]})


def of_commitments(revealed: dict[str, str], *, at_least: int = 2, hours: int = 1) -> dict[str, Any]:
    source = from_commitments(COMMITMENTS, until=BEFORE + dt.timedelta(hours=hours), at_least=at_least)
    told = drawrecords.announcement(
        campaign="maree-haute", prize="soundcheck", how_many=3, in_line=0, entries=ENTRIES, at=BEFORE,
        randomness=source,
    )  # fmt: skip
    return drawrecords.record(told, ENTRIES, {"revealed": revealed})


BEACON = of_beacon()
COMMITTED = of_commitments(SECRETS)


@pytest.mark.parametrize("record", [BEACON, COMMITTED])
def test_a_record_holds_also_after_it_was_a_file(record: dict[str, Any]) -> None:
    found = checked(json.loads(json.dumps(record)), announced=record["announced"])
    assert found.faults == ()
    assert list(found.order) == record["order"]
    assert found.announced == announcement_sha256(record["announcement"])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 40))
def test_every_draw_holds_and_draws_no_more_than_there_are(
    weights: list[int], how_many: int, in_line: int
) -> None:
    entries = [Entry(f"e{number:03}", weight) for number, weight in enumerate(weights)]
    told = drawrecords.announcement(
        campaign="c", prize="p", how_many=how_many, in_line=in_line, entries=entries, at=BEFORE,
        randomness=from_commitments(
            {"Ana": COMMITMENTS["Ana"]}, until=BEFORE + dt.timedelta(hours=1), at_least=1
        ),
    )  # fmt: skip
    record = drawrecords.record(told, entries, {"revealed": {"Ana": SECRETS["Ana"]}})
    found = checked(record)
    assert found.faults == ()
    assert len(set(found.order)) == len(found.order) == min(how_many + in_line, len(entries))


def changed(record: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    found = copy.deepcopy(record)
    place = found
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return found


TOLD = "announcement"
HASH = "it was changed: its hash is not the one the record names"


@pytest.mark.parametrize(
    ("path", "to", "part", "wrong"),
    [
        ((TOLD, "how_many"), 4, Part.ANNOUNCEMENT, HASH),
        ((TOLD, "in_line"), 4, Part.ANNOUNCEMENT, HASH),
        ((TOLD, "prize"), "another", Part.ANNOUNCEMENT, HASH),
        ((TOLD, "campaign"), "another", Part.ANNOUNCEMENT, HASH),
        ((TOLD, "announced_at"), "2023-09-15T00:00:00Z", Part.ANNOUNCEMENT, HASH),
        ((TOLD, "randomness", "round"), ROUND + 1, Part.ANNOUNCEMENT, HASH),
        ((TOLD, "weight"), 61, Part.ANNOUNCEMENT, HASH),
        (("announced",), "00" * 32, Part.ANNOUNCEMENT, HASH),
        ((TOLD, "announced_at"), "2036-09-15T00:00:00Z", Part.ANNOUNCEMENT, "its round was there already"),
        ((TOLD, "announced_at"), "yesterday", Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        (
            (TOLD, "announced_at"),
            "2023-2-3T4:05:06Z",
            Part.ANNOUNCEMENT,
            "not what a draw's announcement contains",
        ),
        (
            (TOLD, "announced_at"),
            "2023-02-30T00:00:00Z",
            Part.ANNOUNCEMENT,
            "not what a draw's announcement contains",
        ),
        ((TOLD, "randomness", "more"), 1, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "weight"), 2**53, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "how_many"), 10_001, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "prize"), "\ud800", Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "algorithm"), "vteam-draw-2", Part.ANNOUNCEMENT, "not the announcement of a vteam-draw-1"),
        ((TOLD, "more"), 1, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "how_many"), 0, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "weight"), 2.5, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "randomness"), {"from": 1.5}, Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "randomness", "from"), "dice", Part.ANNOUNCEMENT, "not what a draw's announcement contains"),
        ((TOLD, "randomness", "chain"), "00", Part.ANNOUNCEMENT, "names no beacon"),
        ((TOLD,), None, Part.ANNOUNCEMENT, "not the announcement of"),
        (("entries", 7, 1), 9, Part.ENTRIES, "do not weigh as much"),
        (("entries", 7, 0), "e006x", Part.ENTRIES, "their hash is not the one announced"),
        (("entries", 7, 0), "e005", Part.ENTRIES, "e005 is not in the order of the ids, or there twice"),
        (("entries", 7, 0), "é", Part.ENTRIES, "an id that is none"),
        (("entries", 7, 1), 0, Part.ENTRIES, "e007 has a weight that is none"),
        (("entries", 7), "e007", Part.ENTRIES, "not an id and a weight"),
        (("entries",), [], Part.ENTRIES, "there are none"),
        (("entries",), [["e001", 1]], Part.ENTRIES, "not as many"),
        (("randomness", "signature"), ROUNDS[1000][0], Part.RANDOMNESS, f"beacon's for round {ROUND}"),
        (("randomness", "signature"), "xyz", Part.RANDOMNESS, f"beacon's for round {ROUND}"),
        (("randomness",), [], Part.RANDOMNESS, "it is missing"),
        (("order", 0), "e001", Part.ORDER, "not those this draw leads to"),
        (("order",), BEACON["order"][:-1], Part.ORDER, "not those this draw leads to"),
        (("order",), list(reversed(BEACON["order"])), Part.ORDER, "not those this draw leads to"),
    ],
)
def test_each_part_that_was_changed_is_named(path: tuple[Any, ...], to: Any, part: Part, wrong: str) -> None:
    faults = checked(changed(BEACON, *path, to=to)).faults
    assert any(fault.part is part and wrong in fault.wrong for fault in faults), faults


@pytest.mark.parametrize("found", [None, [], "record", 3])
def test_what_is_no_record_is_told(found: Any) -> None:
    assert checked(found).faults == (Fault(Part.RECORD, "this is not the record of a draw"),)


def test_a_record_forged_as_a_whole_is_told_by_the_hash_that_was_published() -> None:
    """Left out of the announcement, an entry is not missed by the record: only who saw it published knows."""
    forged = of_beacon(ENTRIES[1:])
    assert checked(forged).faults == ()
    (fault,) = checked(forged, announced=BEACON["announced"]).faults
    assert fault == Fault(
        Part.ANNOUNCEMENT, "it is another one than was published: its hash is not the one you gave"
    )


def test_who_does_not_reveal_is_left_out_and_named_and_too_few_are_no_draw() -> None:
    two = {name: SECRETS[name] for name in ("Ana", "Cy")}
    found = checked(of_commitments(two))
    assert (found.faults, found.left_out) == ((), ("Bo",))
    assert found.order != checked(COMMITTED).order
    one = changed(COMMITTED, "randomness", to={"revealed": {"Ana": SECRETS["Ana"]}})
    assert [fault.wrong for fault in checked(one).faults] == ["fewer than 2 revealed: there is no draw"]


def test_a_draw_announced_when_the_time_to_reveal_was_over_is_none() -> None:
    late = changed(COMMITTED, TOLD, "randomness", "reveal_until", to="2020-01-01T00:00:00Z")
    wrong = "it was made when the time to reveal was over already"
    assert Fault(Part.ANNOUNCEMENT, wrong) in checked(late).faults


@pytest.mark.parametrize(
    ("revealed", "wrong"),
    [
        (SECRETS | {"Bo": "b1" * 32}, "what Bo revealed is not what they had committed to"),
        (SECRETS | {"Bo": ""}, "what Bo revealed is not what they had committed to"),
        (SECRETS | {"Bo": 7}, "what Bo revealed is not what they had committed to"),
        (SECRETS | {"Dee": "d0" * 32}, "somebody revealed who had not committed"),
    ],
)
def test_what_was_revealed_is_what_was_committed_to(revealed: dict[str, Any], wrong: str) -> None:
    faults = checked(changed(COMMITTED, "randomness", "revealed", to=revealed)).faults
    assert Fault(Part.RANDOMNESS, wrong) in faults
