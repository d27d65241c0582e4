"""A kiosk's wire: its pace, what it does when the world or the platform fails, and the lines pushed to it."""

import json
import time
from itertools import pairwise

import pytest

from tests.worlds import lslwire
from tests.worlds.lsldoor import Door, Got, Page, page_for
from tests.worlds.lslworld import CHANGED_REGION, CHANGED_TELEPORT, Resident, World

# As OpenSimulator 0.9.2.2 sent them when it was recorded.
RECORDED_NAMES = [
    "Content-Type",
    "X-VTeam-Key",
    "X-VTeam-Time",
    "X-VTeam-Nonce",
    "X-VTeam-Sig",
    "X-SecondLife-Shard",
    "X-SecondLife-Object-Name",
    "X-SecondLife-Object-Key",
    "X-SecondLife-Region",
    "X-SecondLife-Local-Position",
    "X-SecondLife-Local-Velocity",
    "X-SecondLife-Local-Rotation",
    "X-SecondLife-Owner-Name",
    "X-SecondLife-Owner-Key",
    "Content-Length",
    "Connection",
    "Host",
]
SORRY = "I cannot reach the vTeam just now. Please touch me again in a few minutes."


def touched(kiosk: World, resident: Resident, seconds: float = 3) -> None:
    kiosk.touch(resident)
    kiosk.run(seconds)


@pytest.fixture
def bo() -> Resident:
    return Resident("Bo Resident")


def test_requests_look_as_the_recorded_ones(kiosk: World, door: Door, bo: Resident) -> None:
    touched(kiosk, bo)
    assert sorted(RECORDED_NAMES) == sorted(
        {*door.got[-1].names} - {"User-Agent", "Accept", "Accept-Charset"}
    )
    if kiosk.limits.world == "opensimulator":
        assert list(door.got[-1].names) == RECORDED_NAMES
        assert door.got[-1].headers["X-SecondLife-Region"] == "vTeam Test (256000, 256000)"
    assert not door.refusals


def test_a_crowd_is_served_at_one_request_a_second(kiosk: World, door: Door) -> None:
    crowd = [Resident(f"Fan {number}") for number in range(13)]
    kiosk.touch(*crowd)
    kiosk.run(40)
    assert all(fan.kinds("dialog") for fan in crowd)
    assert not kiosk.refused
    assert all(later.at - earlier.at >= 1 for earlier, later in pairwise(kiosk.sent))
    assert len({sent.header("X-VTeam-Nonce") for sent in kiosk.sent[1:]}) == len(kiosk.sent) - 1


def test_a_request_the_world_holds_back_waits_its_turn(kiosk: World, door: Door, bo: Resident) -> None:
    kiosk.other_scripts_request(30)
    touched(kiosk, bo, 0)
    assert kiosk.refused
    assert not bo.shown
    kiosk.run(25)
    assert [shown.kind for shown in bo.shown] == ["dialog"]
    assert door.paths().count("touch") == 1
    assert not door.refusals


def test_held_back_for_long_the_resident_is_told_once(kiosk: World, door: Door, bo: Resident) -> None:
    kiosk.holds_back = True
    touched(kiosk, bo, 60)
    assert len(kiosk.refused) > 30
    assert [shown.text for shown in bo.shown] == [SORRY]
    assert door.paths().count("touch") == 0


def test_a_lost_answer_is_asked_for_again_with_a_fresh_time_and_nonce(
    kiosk: World, door: Door, bo: Resident
) -> None:
    for fault in (499, 502, 503, 504):
        before = len(kiosk.sent)
        door.faults = [fault]
        touched(kiosk, bo, 5)
        first, second = kiosk.sent[before:]
        assert (first.path, first.body) == (second.path, second.body)
        assert first.header("X-VTeam-Nonce") != second.header("X-VTeam-Nonce")
        assert int(first.header("X-VTeam-Time")) < int(second.header("X-VTeam-Time"))
    assert [shown.kind for shown in bo.shown] == ["dialog"] * 4


def test_lost_three_times_the_resident_is_told_in_their_language(kiosk: World, door: Door) -> None:
    bo = Resident("Bo Resident", "fr")
    before = len(kiosk.sent)
    door.faults = [499] * 3
    touched(kiosk, bo, 20)
    assert len(kiosk.sent) == before + 3
    assert [shown.text for shown in bo.shown] == [
        "Je n'arrive pas à joindre la vTeam. Touche-moi de nouveau dans quelques minutes."
    ]


def test_a_platform_that_answers_too_late_is_not_asked_three_times(
    kiosk: World, door: Door, bo: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lslwire, "PATIENCE_S", 0.3)
    asked: list[Got] = []

    def slow(got: Got) -> Page:
        asked.append(got)
        time.sleep(1.3)
        return page_for(got)

    door.page = slow
    touched(kiosk, bo, 200)
    assert len(asked) == (1 if kiosk.limits.times_out_after_s > 40 else 2)
    assert [shown.text for shown in bo.shown] == [SORRY]


def test_an_answer_that_never_comes_is_given_up_and_said_once(kiosk: World, bo: Resident) -> None:
    kiosk.latency_s = 10**6
    touched(kiosk, bo, 150)
    assert [shown.text for shown in bo.shown] == [SORRY]
    kiosk.latency_s = 0.2
    touched(kiosk, bo)
    assert bo.dialog.kind == "dialog"


def test_while_no_answers_come_only_so_many_are_asked_for(kiosk: World) -> None:
    crowd = [Resident(f"Fan {number}") for number in range(20)]
    kiosk.latency_s = 80
    kiosk.touch(*crowd[:12])
    kiosk.run(15)
    kiosk.touch(*crowd[12:])
    for _ in range(120):
        kiosk.run(1)
        assert len(kiosk.script.sent) <= 12 * 6
    assert all(fan.kinds("dialog") for fan in crowd[:12])
    assert all([shown.text for shown in fan.shown] == [SORRY] for fan in crowd[12:])


@pytest.mark.parametrize(
    "fault", [500, 404, 429, b"", b"<html>", b"[]", b'{"title": "x"}', b'{"text": "cut', b"null"]
)
def test_a_platform_that_talks_nonsense_is_not_asked_again(
    kiosk: World, door: Door, bo: Resident, fault: int | bytes
) -> None:
    before = len(kiosk.sent)
    door.faults = [fault]
    touched(kiosk, bo, 10)
    assert len(kiosk.sent) == before + 1
    assert [shown.text for shown in bo.shown] == [SORRY]


def test_answers_over_2048_bytes_are_read_whole_and_over_4096_refused(
    kiosk: World, door: Door, bo: Resident
) -> None:
    door.page = lambda got: page_for(got) | {"text": "a" * 3000}
    touched(kiosk, bo)
    assert bo.shown[-1].text == "a" * 511
    door.page = lambda got: page_for(got) | {"text": "a" * 4096}
    touched(kiosk, bo)
    assert bo.shown[-1].text == SORRY


def test_a_heartbeat_every_five_minutes_and_nothing_else(kiosk: World, door: Door) -> None:
    before = len(kiosk.sent)
    kiosk.run(1510)
    assert [sent.path for sent in kiosk.sent[before:]] == ["/world/v1/heartbeat"] * 5
    assert all(299 <= later.at - earlier.at <= 302 for earlier, later in pairwise(kiosk.sent[before:]))
    assert not door.refusals


def test_without_an_address_of_its_own_its_heartbeats_carry_none(
    bare: World, door: Door, ana: Resident
) -> None:
    bare.has_addresses = False
    bare.touch(ana)
    bare.run(2)
    bare.type(ana, door.code(world=bare.limits.world))
    bare.run(310)
    assert [got.values for got in door.got if got.path == "heartbeat"] == [{}, {}]


def test_a_heartbeat_learns_the_line(kiosk: World, door: Door) -> None:
    door.line = "touch me: Lune Noire plays here tonight"
    kiosk.run(305)
    assert kiosk.hover[-1][1] == door.line


def test_a_heartbeat_that_fails_tells_nobody(kiosk: World, door: Door, ana: Resident) -> None:
    before = len(door.got)
    door.faults = [499, 499, 499, 500, b"<html>"]
    kiosk.run(1260)
    assert not ana.shown
    assert not door.faults
    assert len(door.got) == before + 1  # the fourth was heard again
    assert len(kiosk.hover) == 1  # as it was placed: nothing came of the failures


@pytest.mark.parametrize("why", ["revoked", "unknown"])
def test_a_heartbeat_that_is_refused_takes_back_what_was_announced(
    kiosk: World, door: Door, ana: Resident, why: str
) -> None:
    neutral = kiosk.hover[0][1]
    door.line = "touch me: Lune Noire plays here now"
    kiosk.run(305)
    door.refuses = why
    kiosk.run(305)
    assert [line for _, line in kiosk.hover] == [neutral, door.line, neutral]
    assert not ana.shown
    door.refuses = ""
    kiosk.run(305)
    assert kiosk.hover[-1][1] == door.line  # it was opened again


def test_a_region_restart_gives_a_new_address_and_keeps_the_key(
    kiosk: World, door: Door, bo: Resident
) -> None:
    touched(kiosk, bo)
    (old,) = kiosk.urls
    kiosk.restart_region()
    kiosk.run(5)
    assert kiosk.urls != [old]
    assert door.got[-1].path == "heartbeat"
    assert door.got[-1].values == {"url": kiosk.urls[0]}
    assert not kiosk.listens
    touched(kiosk, bo)
    assert bo.dialog.kind == "dialog"
    assert not door.refusals


def test_what_was_under_way_when_the_region_stopped_does_not_block_anybody(
    kiosk: World, door: Door, bo: Resident
) -> None:
    kiosk.touch(bo)
    kiosk.run(0.1)
    kiosk.restart_region(keeps_timers=False)
    kiosk.run(3)
    touched(kiosk, bo)
    assert bo.kinds("dialog")


# Pushes -----------------------------------------------------------------------------------------------------------
def pushed(kiosk: World, door: Door, line: str, *, after_s: float = 0) -> str:
    return door.push(line, key=kiosk.script.kiosk, at=kiosk.now + after_s)


def test_a_push_changes_the_line_and_nothing_else(kiosk: World, door: Door, ana: Resident) -> None:
    before = len(kiosk.sent)
    line = 'touch me: "Lune/Noire" joue ici à 20 h \\o/'
    assert kiosk.push(pushed(kiosk, door, line)) == 200
    assert kiosk.hover[-1][1] == line
    assert len(kiosk.sent) == before
    assert not ana.shown


def test_a_push_heard_before_is_not_believed_again(kiosk: World, door: Door) -> None:
    first = pushed(kiosk, door, "first")
    second = pushed(kiosk, door, "second", after_s=1)
    assert kiosk.push(first) == 200
    assert kiosk.push(first) == 403
    assert kiosk.push(second) == 200
    assert kiosk.push(first) == 403
    assert kiosk.hover[-1][1] == "second"


def test_late_and_early_pushes_are_not_believed(kiosk: World, door: Door) -> None:
    for after_s in (-301, 301):
        assert kiosk.push(pushed(kiosk, door, "late", after_s=after_s)) == 403
    assert kiosk.push(pushed(kiosk, door, "in time", after_s=-300)) == 200
    assert kiosk.push(pushed(kiosk, door, "in time", after_s=300)) == 200


def test_pushes_that_are_not_the_platforms_are_refused(kiosk: World, door: Door) -> None:
    shown = kiosk.hover[-1]
    body = json.loads(pushed(kiosk, door, "buy now"))
    wrong = [
        {**body, "line": "buy later"},
        {**body, "sig": body["sig"].replace("a", "b", 1)[:-1] + "0"},
        {**body, "sig": ""},
        {**body, "time": str(int(body["time"]) + 1)},
        {"line": "buy now"},
        [],
        "buy now",
    ]
    for push in wrong:
        assert kiosk.push(json.dumps(push)) == 403
    assert kiosk.push("<html>") == 403
    assert kiosk.push("") == 403
    assert kiosk.push(json.dumps(body), method="GET") == 405
    assert kiosk.push(json.dumps(body), method="PUT") == 405
    assert kiosk.hover[-1] == shown


def test_nobody_outside_can_give_or_take_its_address(kiosk: World, door: Door) -> None:
    (own,) = kiosk.urls
    for body in ("https://elsewhere.example", own, ""):
        for method in ("URL_REQUEST_GRANTED", "URL_REQUEST_DENIED"):
            assert kiosk.push(body, method=method) is None
    kiosk.run(305)
    assert kiosk.urls == [own]
    assert door.got[-1].values == {"url": own}


def test_it_never_holds_more_than_one_address_of_the_region(kiosk: World, ana: Resident) -> None:
    for change in (CHANGED_REGION, CHANGED_TELEPORT):  # told apart, though it is one crossing
        kiosk.queue("changed", change)
    kiosk.run(5)
    assert len(kiosk.urls) == 1
    assert kiosk.script.url == kiosk.urls[0]
    kiosk.restart_region()
    kiosk.run(0)
    kiosk.give_to(Resident("Cy Resident"))
    kiosk.run(5)
    assert kiosk.urls == []


def test_a_kiosk_without_a_secret_believes_nobody(bare: World, door: Door) -> None:
    door.known.secrets[""] = ""
    assert bare.push(door.push("buy now", key="", at=bare.now)) == 403


def test_a_pushed_line_is_one_line_and_short_enough(kiosk: World, door: Door) -> None:
    assert kiosk.push(pushed(kiosk, door, "one\ntwo")) == 200
    assert kiosk.hover[-1][1] == "one two"
    assert kiosk.push(pushed(kiosk, door, "é" * 300, after_s=1)) == 200
    assert kiosk.hover[-1][1] == "é" * 127
