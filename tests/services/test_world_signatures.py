"""What an object signed is believed: for one path and body, now, and once; everything else is refused in words."""

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.services.worlds import OWNER, STRANGER, TOUCH, Object, enrolled
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.rekeying import bring_to_newest
from vteam.channels.worlds.models import Kiosk, Nonce
from vteam.channels.worlds.signing import PATIENCE_SECONDS, message_of, signature

pytestmark = pytest.mark.django_db


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
