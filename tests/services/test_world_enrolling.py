"""A code becomes an object's key and secret, once and in the right hands; a kiosk ends, and is opened again."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.services.worlds import OPENSIMULATOR, STRANGER, TOUCH, Object, enrolled, put, type_code
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.enrolling import (
    CODE_FOR,
    TAKEN_FOR,
    Around,
    NotOpened,
    _seen,
    new_code,
    restore,
    revoke,
)
from vteam.channels.worlds.lines import announce
from vteam.channels.worlds.models import Kiosk, World
from vteam.people.models import Fan

pytestmark = pytest.mark.django_db


def test_a_code_becomes_a_key_and_a_secret_once(demo: Campaign) -> None:
    kiosk, code = put(demo)
    status, given = type_code(f" {code[:4].upper()}-{code[4:]} ")
    assert status == 200
    assert given["line"] == given["neutral"] == "touch me: Lune Noire's vTeam"
    kiosk.refresh_from_db()
    assert kiosk.key == given["key"]
    assert given["secret"].encode() not in bytes(kiosk.sealed_secret or b"")
    assert Object(key=given["key"], secret=given["secret"], around={}).send("touch", TOUCH).status_code == 200
    status, said = type_code(code)
    assert status == 403
    assert "used already" in said["text"]
    assert "déjà" in said["text"]  # nobody knows yet who reads it


def test_an_object_learns_the_line_that_announces_nothing_while_a_concert_is_announced(
    demo: Campaign,
) -> None:
    kiosk, code = put(demo)
    Kiosk.objects.filter(pk=kiosk.pk).update(language="fr")
    kiosk.refresh_from_db()
    announce(kiosk=kiosk, mission="there", until=clock.now() + dt.timedelta(minutes=30), at=clock.now())
    _, given = type_code(code)
    assert given["line"] == "touche-moi\u00a0: Lune Noire joue ici en ce moment"
    assert given["neutral"] == "touche-moi\u00a0: la vTeam de Lune Noire"


def test_a_code_is_good_for_a_day(demo: Campaign) -> None:
    _, code = put(demo)
    with time_machine.travel(clock.now() + CODE_FOR):
        assert type_code(code)[0] == 403


def test_codes_cannot_be_tried_for_ever(demo: Campaign) -> None:
    _, code = put(demo)
    for _ in range(300):
        assert type_code("aaaabbbb")[0] == 403
    status, said = type_code(code)
    assert status == 429
    assert "hour" in said["text"]


def test_another_code_puts_another_object_in_the_place_of_the_first(demo: Campaign) -> None:
    kiosk, first = enrolled(demo)
    code = new_code(kiosk=kiosk, at=clock.now())
    assert first.send("touch", TOUCH).status_code == 200
    assert type_code(code)[0] == 200
    assert first.send("touch", TOUCH).status_code == 403


@pytest.mark.parametrize(
    ("world", "elsewhere", "there"),
    [
        (World.SECOND_LIFE, "OpenSim", "Production"),
        (World.SECOND_LIFE, "", "Testing"),
        (World.OPENSIMULATOR, "Production", "OpenSim"),
        (World.OPENSIMULATOR, "Testing", "My own grid"),
    ],
)
def test_a_code_for_another_world_is_refused_in_words_and_stays_good(
    demo: Campaign, world: World, elsewhere: str, there: str
) -> None:
    kiosk, code = put(demo, world=world)
    status, said = type_code(code, **OPENSIMULATOR | {"X-SecondLife-Shard": elsewhere})
    assert (status, said["why"]) == (403, "shard")
    assert "made for another world" in said["text"]
    assert "puts up a kiosk for this world" in said["text"]
    kiosk.refresh_from_db()
    assert (kiosk.key, kiosk.code_taken_at) == (None, None)
    assert type_code(code, **OPENSIMULATOR | {"X-SecondLife-Shard": there})[0] == 200


def test_a_grid_that_calls_itself_as_second_life_does_takes_a_code_for_another_world(demo: Campaign) -> None:
    _, code = put(demo, world=World.OTHER)
    assert type_code(code, **OPENSIMULATOR | {"X-SecondLife-Shard": "Production"})[0] == 200


def _taken(code: str, **other: str) -> Object | None:
    """What a code gives an object of the owner's; None where it is no good."""
    around = OPENSIMULATOR | other
    status, given = type_code(code, **around)
    assert status in (200, 403)
    return Object(key=given["key"], secret=given["secret"], around=around) if status == 200 else None


def test_a_code_whose_answer_was_lost_gives_the_same_owner_a_fresh_key(demo: Campaign) -> None:
    _, code = put(demo)
    lost, there = _taken(code), _taken(code)
    assert lost and there
    assert (lost.key, lost.secret) != (there.key, there.secret)
    assert lost.send("heartbeat", {}).json()["why"] == "unknown"
    assert _taken(code)  # what is not believed does not use it up


def test_a_code_is_used_up_when_its_object_has_spoken(demo: Campaign) -> None:
    kiosk, code = put(demo)
    there = _taken(code)
    assert there
    wrong = Object(key=there.key, secret="f" * 32, around=there.around)
    assert wrong.send("heartbeat", {}).status_code == 403
    there = _taken(code)
    assert there
    assert there.send("heartbeat", {}).status_code == 200
    assert not _taken(code)
    assert there.send("heartbeat", {}).status_code == 200
    kiosk.refresh_from_db()
    assert (kiosk.code_hash, kiosk.code_until, kiosk.code_taken_at) == (None, None, None)


@pytest.mark.parametrize(
    "other", [{"X-SecondLife-Owner-Key": STRANGER}, {"X-SecondLife-Shard": "Production"}], ids=str
)
def test_a_code_that_was_taken_is_good_for_nobody_else(demo: Campaign, other: dict[str, str]) -> None:
    _, code = put(demo)
    there = _taken(code)
    assert there
    assert not _taken(code, **other)
    assert there.send("heartbeat", {}).status_code == 200


def test_a_code_that_was_taken_is_good_for_ten_minutes_from_the_first_time(demo: Campaign) -> None:
    _, code = put(demo)
    taken_at = clock.now()
    with time_machine.travel(taken_at, tick=False) as travelled:
        assert _taken(code)
        travelled.move_to(taken_at + TAKEN_FOR - dt.timedelta(seconds=1))
        assert _taken(code)
        travelled.move_to(taken_at + TAKEN_FOR)
        assert not _taken(code)
    assert dt.timedelta(minutes=10) == TAKEN_FOR


def test_a_code_that_was_taken_is_not_good_for_longer_than_a_day(demo: Campaign) -> None:
    kiosk, code = put(demo)
    with time_machine.travel(kiosk.made_at + CODE_FOR - dt.timedelta(seconds=1), tick=False) as travelled:
        assert _taken(code)
        travelled.shift(1)
        assert not _taken(code)


def test_a_code_that_was_taken_is_no_good_at_a_closed_kiosk(demo: Campaign) -> None:
    kiosk, code = put(demo)
    assert _taken(code)
    kiosk.refresh_from_db()
    revoke(kiosk=kiosk, at=clock.now(), by_organiser=True)
    restore(kiosk=kiosk)
    assert not _taken(code)


def test_a_new_code_stays_good_while_the_old_object_speaks(demo: Campaign) -> None:
    kiosk, old = enrolled(demo)  # it has not spoken yet: its own code is not used up
    code = new_code(kiosk=kiosk, at=clock.now())
    for minutes in (0, 5, 10, 15):
        with time_machine.travel(clock.now() + dt.timedelta(minutes=minutes)):
            assert old.send("heartbeat", {}).status_code == 200
    there = _taken(code)
    assert there
    assert old.send("heartbeat", {}).status_code == 403
    assert there.send("heartbeat", {}).status_code == 200


def test_a_request_that_came_while_another_code_was_made_does_not_use_that_up(demo: Campaign) -> None:
    kiosk, _ = enrolled(demo)
    before = Kiosk.objects.get(pk=kiosk.pk)  # as the request found it
    code = new_code(kiosk=kiosk, at=clock.now())
    _seen(before, Around(region=before.region, position=before.position), clock.now())
    there = _taken(code)
    assert there
    before = Kiosk.objects.get(pk=kiosk.pk)
    assert _taken(code)
    _seen(before, Around(region=before.region, position=before.position), clock.now())
    assert _taken(code)


def test_only_the_first_request_after_a_code_writes_more(demo: Campaign) -> None:
    _, there = enrolled(demo)
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as caught:
            assert there.send("heartbeat", {}).status_code == 200
        counts.append(len(caught))
    assert counts[0] - 1 == counts[1] == counts[2]


def test_a_revoked_kiosk_is_not_believed(demo: Campaign) -> None:
    kiosk, there = enrolled(demo)
    revoke(kiosk=kiosk, at=clock.now(), by_organiser=True)
    answer = there.send("touch", TOUCH)
    assert answer.status_code == 403
    assert "kiosk is closed" in answer.json()["text"]


def test_what_an_organiser_closed_a_fan_who_closes_it_too_does_not_unbar(demo: Campaign, bo: Fan) -> None:
    kiosk, _ = put(demo, fan=bo)
    as_the_fan_found_it = Kiosk.objects.get(pk=kiosk.pk)
    revoke(kiosk=kiosk, at=clock.now(), by_organiser=True)
    revoke(kiosk=as_the_fan_found_it, at=clock.now(), by_organiser=False)
    kiosk.refresh_from_db()
    assert kiosk.barred


@pytest.mark.parametrize("hosted", [False, True])
def test_a_closed_kiosk_is_opened_again_while_there_is_room(
    demo: Campaign, bo: Fan, settings: Any, hosted: bool
) -> None:
    settings.KIOSKS_PER_CAMPAIGN = 1
    fan = bo if hosted else None
    kiosk, _ = put(demo, fan=fan)
    assert restore(kiosk=kiosk) is None  # it is open, and counts itself
    revoke(kiosk=kiosk, at=clock.now(), by_organiser=True)
    settings.KIOSKS_PER_FAN = 2
    other, _ = put(demo, fan=fan)
    assert restore(kiosk=kiosk) is NotOpened.CAMPAIGN_FULL
    kiosk.refresh_from_db()
    assert kiosk.revoked_at is not None
    assert kiosk.barred
    revoke(kiosk=other, at=clock.now(), by_organiser=True)
    assert restore(kiosk=kiosk) is None
    kiosk.refresh_from_db()
    assert (kiosk.revoked_at, kiosk.barred) == (None, False)
