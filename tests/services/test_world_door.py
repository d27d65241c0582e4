"""The door of virtual worlds shows pages to whoever touched, and answers whatever else comes in words."""

import json
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.services.worlds import STRANGER, TOUCH, enrolled, type_code
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.models import Avatar, Nonce, World

pytestmark = pytest.mark.django_db


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
    status, said = type_code("x" * 5_000)
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
