"""What the site's guards refuse at the door of virtual worlds is said in the door's words, and nothing there knows a
cookie.
"""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.services.worlds import NADIA, enrolled, put, signed
from tests.web.worldstage import signed_in
from vteam.campaigns.models import Campaign
from vteam.web.guards import BODY_BYTES_MAX

DOOR = "/world/v1/touch"
ELSEWHERE = {"Origin": "https://grid.example", "Sec-Fetch-Site": "cross-site"}


def refused(answer: Any) -> tuple[int, str]:
    """The status of a refusal of the door, and its reason."""
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    said = answer.json()
    assert said.keys() == {"text", "why"}
    assert said["text"]
    return answer.status_code, said["why"]


def sent(address: str, **environment: Any) -> Any:
    return Client().generic("POST", address, b"{}", content_type="application/json", **environment)


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_what_is_too_big_is_said_so(prefix: str) -> None:
    answer = sent(prefix + DOOR, CONTENT_LENGTH=str(BODY_BYTES_MAX + 1))
    assert refused(answer) == (413, "too_big")


@pytest.mark.parametrize("length", ["much", "-7"])
def test_a_length_that_is_none_is_unreadable(length: str) -> None:
    assert refused(sent(DOOR, CONTENT_LENGTH=length)) == (400, "unreadable")


def test_an_address_that_is_not_ours_is_said_so() -> None:
    assert refused(sent(DOOR, HTTP_HOST="elsewhere.example")) == (400, "host")


@pytest.mark.parametrize("address", ["/join", "/world/link/secret", "/world/v2/touch"])
def test_pages_are_answered_with_pages(address: str) -> None:
    for environment in (
        {"CONTENT_LENGTH": str(BODY_BYTES_MAX + 1)},
        {"CONTENT_LENGTH": "much"},
        {"HTTP_HOST": "elsewhere.example"},
    ):
        answer = sent(address, **environment)
        assert answer.status_code in (400, 413)
        assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_objects_may_come_from_anywhere(demo: Campaign) -> None:
    _, code = put(demo)
    answer = Client(headers=ELSEWHERE).post(
        "/world/v1/enrol", json.dumps({"code": code}), content_type="application/json"
    )
    assert answer.status_code == 200
    given, body = answer.json(), json.dumps({"avatar": NADIA})
    headers = signed(given["key"], given["secret"], DOOR, body) | ELSEWHERE
    assert Client(headers=headers).post(DOOR, body, content_type="application/json").status_code == 200
    answer = Client(headers=ELSEWHERE).post(DOOR, body, content_type="application/json")
    assert refused(answer) == (403, "unknown")


@pytest.mark.django_db
def test_nothing_at_the_door_reads_a_session_or_sets_a_cookie(demo: Campaign) -> None:
    _, there = enrolled(demo)
    known = signed_in("bo@example.org", fan_of=demo)

    def asked(name: str, content: dict[str, str], *, by: Client) -> tuple[int, bytes]:
        path, body = f"/world/v1/{name}", json.dumps(content)
        headers: dict[str, str] = {"X-VTeam-Key": ""}
        if name != "enrol":
            headers = signed(there.key, there.secret, path, body) | there.around
        with CaptureQueriesContext(connection) as captured:
            answer = by.post(path, body, content_type="application/json", headers=headers)
        assert not [
            query for query in captured if "session" in query["sql"] or "people_person" in query["sql"]
        ]
        assert not answer.cookies
        assert "Cookie" not in answer.headers.get("Vary", "")
        return answer.status_code, answer.content

    who = {"avatar": NADIA, "name": "Nadia Resident"}
    for name, content in (
        ("enrol", {"code": "k4wm 7tq2"}),
        ("touch", who),
        ("action", who | {"choice": "ranking"}),
        ("presence", who),
        ("heartbeat", {}),
    ):
        status, said = asked(name, content, by=known)
        assert (status, said) == asked(name, content, by=Client())
        assert status == (403 if name == "enrol" else 200)
