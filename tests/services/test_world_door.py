"""The door of virtual worlds believes what is signed, and answers everything else in words."""

import datetime as dt
import json
import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.services.worlds import NADIA, OPENSIMULATOR, OWNER, STRANGER, Object, enrolled, put
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.rekeying import bring_to_newest
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
from vteam.channels.worlds.models import Avatar, Kiosk, Nonce, World
from vteam.channels.worlds.signing import PATIENCE_SECONDS, message_of, signature
from vteam.people.models import Fan

pytestmark = pytest.mark.django_db
TOUCH = {"avatar": NADIA, "name": "Nadia Resident", "language": "en"}


def _enrol(code: object, **headers: str) -> tuple[int, dict[str, str]]:
    answer = Client(headers=headers).post(
        "/world/v1/enrol", json.dumps({"code": code}), content_type="application/json"
    )
    return answer.status_code, answer.json()


def test_the_signature_is_the_one_in_the_documentation() -> None:
    message = message_of(
        key="k7q2m9xw4tbn5rhc",
        time="1795315164",
        nonce="1-285608922",
        path="/world/v1/touch",
        body=b'{"avatar":"fan1","name":"fan1","language":"fr"}',
    )
    found = signature("0123456789abcdef0123456789abcdef", message)
    assert found == "aa672b118e3c2d6c8e4580697ce1ec0e517e0e68116a221eefc547ca55491835"


def test_a_code_becomes_a_key_and_a_secret_once(demo: Campaign) -> None:
    kiosk, code = put(demo)
    status, given = _enrol(f" {code[:4].upper()}-{code[4:]} ")
    assert status == 200
    assert given["line"] == given["neutral"] == "touch me: Lune Noire's vTeam"
    kiosk.refresh_from_db()
    assert kiosk.key == given["key"]
    assert given["secret"].encode() not in bytes(kiosk.sealed_secret or b"")
    assert Object(key=given["key"], secret=given["secret"], around={}).send("touch", TOUCH).status_code == 200
    status, said = _enrol(code)
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
    _, given = _enrol(code)
    assert given["line"] == "touche-moi\u00a0: Lune Noire joue ici en ce moment"
    assert given["neutral"] == "touche-moi\u00a0: la vTeam de Lune Noire"


def test_a_code_is_good_for_a_day(demo: Campaign) -> None:
    _, code = put(demo)
    with time_machine.travel(clock.now() + CODE_FOR):
        assert _enrol(code)[0] == 403


def test_codes_cannot_be_tried_for_ever(demo: Campaign) -> None:
    _, code = put(demo)
    for _ in range(300):
        assert _enrol("aaaabbbb")[0] == 403
    status, said = _enrol(code)
    assert status == 429
    assert "hour" in said["text"]


def test_another_code_puts_another_object_in_the_place_of_the_first(demo: Campaign) -> None:
    kiosk, first = enrolled(demo)
    code = new_code(kiosk=kiosk, at=clock.now())
    assert first.send("touch", TOUCH).status_code == 200
    assert _enrol(code)[0] == 200
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
    status, said = _enrol(code, **OPENSIMULATOR | {"X-SecondLife-Shard": elsewhere})
    assert (status, said["why"]) == (403, "shard")
    assert "made for another world" in said["text"]
    assert "puts up a kiosk for this world" in said["text"]
    kiosk.refresh_from_db()
    assert (kiosk.key, kiosk.code_taken_at) == (None, None)
    assert _enrol(code, **OPENSIMULATOR | {"X-SecondLife-Shard": there})[0] == 200


def test_a_grid_that_calls_itself_as_second_life_does_takes_a_code_for_another_world(demo: Campaign) -> None:
    _, code = put(demo, world=World.OTHER)
    assert _enrol(code, **OPENSIMULATOR | {"X-SecondLife-Shard": "Production"})[0] == 200


# Answers that were lost ---------------------------------------------------------------------------------------------
def _taken(code: str, **other: str) -> Object | None:
    """What a code gives an object of the owner's; None where it is no good."""
    around = OPENSIMULATOR | other
    status, given = _enrol(code, **around)
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


# Touching -----------------------------------------------------------------------------------------------------------
def test_a_touch_shows_a_page_and_leaves_no_trace_of_who_looked(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    shown = kiosk.page("touch")
    assert shown["title"] == "Lune Noire · Marée haute"
    assert [label for _, label in shown["choices"]] == [
        "Missions", "Ranking", "Listening room", "A flyer", "Link me",
    ]  # fmt: skip
    assert shown["line"] == "touch me: Lune Noire's vTeam"
    assert not Avatar.objects.exists()


def test_the_page_is_in_the_language_of_the_viewer_and_else_of_the_kiosk(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    french = kiosk.page("touch", language="fr")
    assert "Classement" in [label for _, label in french["choices"]]
    assert "Ranking" in [label for _, label in kiosk.page("touch", language="en-us")["choices"]]
    assert "Ranking" in [label for _, label in kiosk.page("touch", language="")["choices"]]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"X-VTeam-Key": "unknown1unknown1"}, "does not know this object"),
        ({"X-VTeam-Key": ""}, "does not know this object"),
        ({"X-VTeam-Key": "unknown1\0unknown"}, "does not know this object"),
        ({"X-VTeam-Sig": "0" * 64}, "signature is not right"),
        ({"X-VTeam-Sig": "é"}, "signature is not right"),
        ({"X-VTeam-Sig": ""}, "signature is not right"),
        ({"X-VTeam-Nonce": "short"}, "signature is not right"),
        ({"X-VTeam-Time": "1"}, "signature is not right"),
        ({"X-SecondLife-Owner-Key": STRANGER}, "another owner"),
        ({"X-SecondLife-Shard": "Production"}, "another world"),
    ],
)
def test_what_is_not_signed_by_the_object_is_refused_in_words(
    demo: Campaign, broken: dict[str, str], words: str
) -> None:
    from tests.services.worlds import signed

    _, kiosk = enrolled(demo)
    body = json.dumps(TOUCH)
    headers = signed(kiosk.key, kiosk.secret, "/world/v1/touch", body) | kiosk.around | broken
    answer = Client(headers=headers).post("/world/v1/touch", body, content_type="application/json")
    assert answer.status_code == 403
    assert words in answer.json()["text"]


def test_no_signature_at_all_is_refused(demo: Campaign) -> None:
    answer = Client().post("/world/v1/touch", json.dumps(TOUCH), content_type="application/json")
    assert answer.status_code == 403
    assert "does not know this object" in answer.json()["text"]


def test_a_signature_is_for_one_path_and_one_body(demo: Campaign) -> None:
    from tests.services.worlds import signed

    _, kiosk = enrolled(demo)
    body = json.dumps(TOUCH)
    headers = signed(kiosk.key, kiosk.secret, "/world/v1/touch", body) | kiosk.around
    elsewhere = Client(headers=headers).post("/world/v1/presence", body, content_type="application/json")
    assert elsewhere.status_code == 403
    other = Client(headers=headers).post(
        "/world/v1/touch", body.replace("Nadia", "Nadja"), content_type="application/json"
    )
    assert other.status_code == 403


def test_the_signature_is_checked_before_the_body_is_read(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    wrong = Object(key=kiosk.key, secret="f" * 32, around=kiosk.around)
    assert wrong.send("touch", "{not json").status_code == 403
    assert kiosk.send("touch", "{not json").status_code == 400


ELSEWHERE = {
    "X-SecondLife-Region": "Elsewhere (1, 2)",
    "X-SecondLife-Local-Position": "(1.000000, 2.000000, 3.000000)",
}


@pytest.mark.parametrize(
    "others",
    [{"X-SecondLife-Owner-Key": STRANGER}, {"X-SecondLife-Shard": "Production"}, {}],
    ids=["owner", "shard", "region"],
)
@pytest.mark.parametrize("name", ["touch", "heartbeat"])
def test_what_a_worlds_server_tells_is_believed_with_a_right_signature_only(
    demo: Campaign, name: str, others: dict[str, str]
) -> None:
    kiosk, there = enrolled(demo)
    rows = Kiosk.objects.filter(pk=kiosk.pk)
    before = rows.values().get()
    body = TOUCH if name == "touch" else {"url": "https://elsewhere.example/cap", "room": "elsewhere"}
    with time_machine.travel(clock.now() + dt.timedelta(minutes=10)):
        forged = Object(key=there.key, secret="f" * 32, around=there.around | ELSEWHERE | others)
        refused = forged.send(name, body)
        assert (refused.status_code, refused.json()["why"]) == (403, "wrong")
        assert rows.values().get() == before
        assert not Nonce.objects.exists()
        moved = Object(key=there.key, secret=there.secret, around=there.around | ELSEWHERE)
        assert moved.send(name, body).status_code == 200
        kiosk.refresh_from_db()
        assert (kiosk.owner, kiosk.region, kiosk.position) == (OWNER, "Elsewhere", "1, 2, 3")
        assert kiosk.seen_at
        assert kiosk.seen_at > before["seen_at"]


def test_a_request_is_believed_once(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    assert kiosk.send("touch", TOUCH, nonce="1-12345678").status_code == 200
    again = kiosk.send("touch", TOUCH, nonce="1-12345678")
    assert again.status_code == 403
    assert "sent before" in again.json()["text"]
    _, other = enrolled(demo)
    assert other.send("touch", TOUCH, nonce="1-12345678").status_code == 200  # the number was another key's


@pytest.mark.parametrize(("seconds", "status"), [(-300, 200), (300, 200), (-302, 403), (302, 403)])
def test_clocks_may_differ_by_five_minutes(demo: Campaign, seconds: int, status: int) -> None:
    _, kiosk = enrolled(demo)
    with time_machine.travel(clock.now(), tick=False):
        time = str(clock.now_us() // 1_000_000 + seconds)
        assert kiosk.send("touch", TOUCH, time=time).status_code == status
    assert PATIENCE_SECONDS == 300


def test_numbers_are_remembered_as_long_as_their_time_is_believed(demo: Campaign) -> None:
    from vteam.channels.worlds.enrolling import forget_nonces

    _, kiosk = enrolled(demo)
    ahead = str(clock.now_us() // 1_000_000 + 299)
    assert kiosk.send("touch", TOUCH, nonce="1-12345678", time=ahead).status_code == 200
    with time_machine.travel(clock.now() + dt.timedelta(seconds=590)):
        assert forget_nonces(at=clock.now()) == 0
        assert kiosk.send("touch", TOUCH, nonce="1-12345678", time=ahead).status_code == 403
    with time_machine.travel(clock.now() + dt.timedelta(seconds=700)):
        assert forget_nonces(at=clock.now()) == 1
        assert not Nonce.objects.exists()
        assert kiosk.send("touch", TOUCH, nonce="1-12345678", time=ahead).status_code == 403  # too late now


def test_the_key_of_the_object_is_no_identity(demo: Campaign) -> None:
    kiosk, there = enrolled(demo)
    there.around["X-SecondLife-Object-Key"] = "11111111-f28d-491d-b085-9eb4e8072055"
    assert there.send("touch", TOUCH).status_code == 200
    assert Kiosk.objects.get(pk=kiosk.pk).owner == OWNER


def test_a_kiosk_outlives_its_master_key(demo: Campaign, settings: Any) -> None:
    kiosk, there = enrolled(demo)
    before, newer = bytes(kiosk.sealed_secret or b""), "another-master-key-" * 3
    settings.MASTER_KEYS, settings.MASTER_KEY = (*settings.MASTER_KEYS, newer), newer
    assert bring_to_newest(tell=lambda what, done, total: None).unopened == 0
    settings.MASTER_KEYS = (newer,)
    assert there.send("touch", TOUCH).status_code == 200
    kiosk.refresh_from_db()
    assert bytes(kiosk.sealed_secret or b"") == before  # its own key was wrapped anew, and nothing else


def test_a_kiosk_sealed_with_a_key_that_is_gone_asks_for_a_new_code(demo: Campaign, settings: Any) -> None:
    _, there = enrolled(demo)
    settings.MASTER_KEYS, settings.MASTER_KEY = ("lost-master-key-" * 3,), "lost-master-key-" * 3
    refused = there.send("touch", TOUCH)
    assert (refused.status_code, refused.json()["why"]) == (403, "unknown")


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


@pytest.mark.parametrize(
    "body",
    [
        "", "null", "[]", '"x"', "{}", "[" * 3_000, '{"avatar":1}', '{"avatar":""}', '{"avatar":"' + "x" * 65 + '"}',
        '{"avatar":"a","at":"roof"}', '{"avatar":"a","more":1}', '{"avatar":"\\ud800"}', "\x00", '{"avatar":NaN}',
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_in_words(demo: Campaign, body: str) -> None:
    _, kiosk = enrolled(demo)
    answer = kiosk.send("touch", body)
    assert answer.status_code == 400
    assert answer.json()["text"]


@pytest.mark.parametrize("name", ["a\x00b", "\u202eevil", "x" * 64, "🎶" * 30, "];[,\\"])
def test_hostile_names_are_harmless(demo: Campaign, name: str) -> None:
    _, kiosk = enrolled(demo)
    assert kiosk.page("action", name=name, choice="link")["open"]["address"]


def test_more_than_an_object_sends_is_not_read(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    answer = kiosk.send("touch", json.dumps(TOUCH | {"name": "x" * 5_000}))
    assert answer.status_code == 413
    assert answer.json()["text"]
    status, said = _enrol("x" * 5_000)
    assert (status, said) == (413, answer.json())


def test_one_avatar_and_one_kiosk_have_budgets_and_are_told_kindly(demo: Campaign, settings: object) -> None:
    settings.AVATAR_ASKS_PER_MINUTE, settings.KIOSK_ASKS_PER_MINUTE = 3, 5  # type: ignore[attr-defined]
    _, kiosk = enrolled(demo)
    with time_machine.travel(clock.now().replace(second=5), tick=False):
        said = ["in a minute" in kiosk.page("touch")["text"] for _ in range(8)]
        assert said == [False] * 3 + [True] * 5
        # What one asks too often is not taken from the others; all together have the kiosk's.
        others = ["in a minute" in kiosk.page("touch", f"resident {n}")["text"] for n in range(3)]
        assert others == [False, False, True]


def test_a_kiosk_that_never_stops_is_not_heard_and_writes_nothing(demo: Campaign, settings: Any) -> None:
    settings.KIOSK_ASKS_PER_MINUTE = 2
    _, kiosk = enrolled(demo)
    with time_machine.travel(clock.now().replace(second=5), tick=False):
        answers = [kiosk.send("heartbeat", {"room": f"room {n}"}) for n in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 8 + [429] * 2
    assert answers[-1].json()["why"] == "too_often"
    assert Nonce.objects.count() == 8


def test_luanti_sends_no_owner_and_no_shard(demo: Campaign) -> None:
    kiosk, there = enrolled(demo, around={"User-Agent": "Minetest/5.6.1 (Linux x86_64)"}, world=World.LUANTI)
    assert (kiosk.owner, kiosk.shard) == ("", "")
    assert there.page("touch", "fan1")["choices"]
    there.around["X-SecondLife-Owner-Key"] = STRANGER
    assert there.send("touch", TOUCH).status_code == 403


def test_a_heartbeat_tells_where_and_is_told_the_line(demo: Campaign) -> None:
    kiosk, there = enrolled(demo)
    url = "http://127.0.0.1:9000/lslhttp/fe2fe696-f5e9-4010-9aef-cfe3c5ab7c55/"
    answer = there.send("heartbeat", {"url": url, "room": "(12, 8, -3)"})
    assert answer.json() == {"line": "touch me: Lune Noire's vTeam"}
    kiosk.refresh_from_db()
    assert (kiosk.url, kiosk.told_room, kiosk.region) == (url, "(12, 8, -3)", "vTeam Test")
    assert kiosk.position == "128, 130, 25"
    for wrong in ("ftp://x", "http://", "http://a b", "javascript:alert(1)", "http://" + "a" * 300):
        assert there.send("heartbeat", {"url": wrong}).status_code == 400
    assert there.send("heartbeat", {}).status_code == 200
    kiosk.refresh_from_db()
    assert kiosk.url == ""


def test_nothing_but_posting_is_answered(demo: Campaign) -> None:
    for name in ("enrol", "touch", "action", "presence", "heartbeat"):
        assert Client().get(f"/world/v1/{name}").status_code == 405


# The description -----------------------------------------------------------------------------------------------------
def test_the_openapi_description_names_every_header_of_a_signed_request(demo: Campaign) -> None:
    from tests.services.worlds import signed

    described = Client().get("/world/v1/openapi.json").json()
    assert sorted(described["paths"]) == [
        f"/world/v1/{name}" for name in ("action", "enrol", "heartbeat", "presence", "touch")
    ]
    scheme = described["components"]["securitySchemes"]["Signature"]
    _, kiosk = enrolled(demo)
    sent = signed(kiosk.key, kiosk.secret, "/world/v1/touch", "{}")
    for path, operations in described["paths"].items():
        operation = operations["post"]
        headers = {each["name"]: each["schema"] for each in operation["parameters"] if each["required"]}
        if path.endswith("/enrol"):
            assert (headers, "security" in operation) == ({}, False)
            continue
        assert operation["security"] == [{"Signature": []}]
        assert {*headers, scheme["name"]} == set(sent)
        assert all(re.search(schema["pattern"], sent[name]) for name, schema in headers.items())
