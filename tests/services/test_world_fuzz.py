"""Whatever comes to the door of virtual worlds, the answer is one that the door's own OpenAPI describes.

schemathesis makes requests from that description, as they should be and broken on purpose; on their way to the site
each is signed as an object signs, over the very bytes that are sent, or is signed wrongly. The same requests come every
time.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from io import BytesIO
from typing import Any

import orjson
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.specs.openapi import checks

from tests.services.worlds import NADIA, OWNER, REMI, STRANGER, Object, enrolled, put, signed
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.enrolling import new_code
from vteam.channels.worlds.lines import announce
from vteam.channels.worlds.linking import link_avatar
from vteam.channels.worlds.models import Kiosk
from vteam.people.models import Fan
from vteam.web.wsgi import application

pytestmark = pytest.mark.django_db
OPERATIONS = ("enrol", "touch", "action", "presence", "heartbeat")
SIGNED = ("X-VTeam-Key", "X-VTeam-Time", "X-VTeam-Nonce", "X-VTeam-Sig")  # on the wire
USED = "number-used-before"
STATUSES = (200, 400, 403, 413, 429)
BODY_BYTES_MAX, ANSWER_BYTES_MAX = 4_096, 1_900
CONFORMS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
CHOICES = [
    "home", "missions", "missions:4", "missions:9999", "ranking", "room", "link", "flyer", "here",
    "mission:kitchen-quiz", "mission:opening-song", "mission:there", "mission:made-there", "answer:kitchen-quiz:1",
    "answer:opening-song:2", "answer:opening-song:0", "bring:made-there", "bring:", ":::",
]  # fmt: skip
NUL = "a\0b"
STRANGE = (NUL, "\x7f", "\u2028", "𝄞" * 60)
TEXTS = st.sampled_from(STRANGE) | st.text(st.characters(codec="utf-8"), max_size=90)
# What a WSGI server can hand over: bytes, read as latin-1.
HEADERS = st.text(st.characters(max_codepoint=255), max_size=90) | st.sampled_from([NUL, "é" * 90])


class How(StrEnum):
    """How an object signs."""

    RIGHTLY = "rightly"
    NOT_AT_ALL = "not at all"
    WITH_ANOTHER_SECRET = "with another secret"
    WITH_ANOTHER_BODY = "with another body"
    LATE = "late"
    AGAIN = "again"


HOWS = st.sampled_from([How.RIGHTLY] * 6 + list(How)[1:])


@contextmanager
def _the_tests_own_connection() -> Iterator[None]:
    """A request leaves the test's transaction open, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class Wire:
    """The way from an object to the site: what is sent is signed there. `host` is where a request seems to go,
    `strange` what is sent in the place of the headers that should be.
    """

    def __init__(self) -> None:
        self.kiosk = Object(key="", secret="")
        self.how, self.host, self.used = How.NOT_AT_ALL, "localhost", 0
        self.strange: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        for name, value in (self._signed(environ["PATH_INFO"], body) | self.kiosk.around).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        environ |= {"wsgi.input": BytesIO(body), "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": self.host}
        environ |= self.strange
        with _the_tests_own_connection(), closing(application(environ, start_response)) as answer:
            return [b"".join(answer)]

    def _signed(self, path: str, body: bytes) -> dict[str, str]:
        if self.how is How.NOT_AT_ALL:
            return {}
        self.used += 1
        return signed(
            self.kiosk.key,
            "f" * 32 if self.how is How.WITH_ANOTHER_SECRET else self.kiosk.secret,
            path,
            body + b" " if self.how is How.WITH_ANOTHER_BODY else body,
            nonce=USED if self.how is How.AGAIN else f"number-{self.used}",
            time="1" if self.how is How.LATE else "",
        )


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def door(wire: Wire) -> Any:
    """The door as it describes itself."""
    broken_is = {"checks": {"negative_data_rejection": {"expected-statuses": [400, 403, 413]}}}
    config = schemathesis.Config.from_dict(broken_is)
    return schemathesis.openapi.from_wsgi("/world/v1/openapi.json", wire, config=config)


@pytest.fixture
def kiosk(demo: Campaign, bo: Fan, wire: Wire, settings: Any) -> Kiosk:
    """The kiosk that sends: a concert is announced at it, one avatar is linked to Bo, and nobody asks too often."""
    settings.KIOSK_ASKS_PER_MINUTE = settings.AVATAR_ASKS_PER_MINUTE = 1_000_000
    made, wire.kiosk = enrolled(demo)
    assert wire.kiosk.send("heartbeat", {}, nonce=USED).status_code == 200
    announce(kiosk=made, mission="there", until=clock.now() + dt.timedelta(hours=1), at=clock.now())
    secret = wire.kiosk.choose("link", NADIA)["open"]["address"].rpartition("/")[2]
    assert link_avatar(secret=secret, fan=bo, at=clock.now())
    return made


@pytest.fixture
def waiting(demo: Campaign) -> Kiosk:
    """A kiosk that codes are made for."""
    return put(demo)[0]


def test_all_of_the_door_is_described(door: Any) -> None:
    assert {path.rpartition("/")[2] for path in door} == set(OPERATIONS)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("name", OPERATIONS)
@settings(derandomize=True, database=None, max_examples=100)
@given(data=st.data())
def test_every_answer_is_as_described(
    door: Any, wire: Wire, kiosk: Kiosk, waiting: Kiosk, name: str, mode: GenerationMode, data: st.DataObject
) -> None:
    operation = door[f"/world/v1/{name}"]["POST"]
    # Without feedback: it would take values from whatever code is loaded, another each time.
    made = operation.as_strategy(
        generation_mode=mode, headers=dict.fromkeys(SIGNED, ""), feedback=FeedbackSources()
    )
    case = data.draw(made)
    wire.how, wire.host = data.draw(HOWS), f"network{data.draw(st.integers(0, 9))}.localhost"
    wire.strange = {}
    is_code = mode.is_positive and _make_likely(case, name, waiting, data)
    answer = case.call_and_validate(checks=CONFORMS)
    assert answer.status_code in STATUSES
    assert len(answer.content) <= ANSWER_BYTES_MAX
    assert answer.json()["text" if "text" in answer.json() else "line"]
    if name == "enrol":
        assert (answer.status_code in {200, 429}) or not is_code
    elif wire.how is not How.RIGHTLY:
        assert answer.status_code in {403, 413}
    elif mode.is_positive:
        assert answer.status_code in {200, 413}  # characters written as \uXXXX take many bytes


def _make_likely(case: Case, name: str, waiting: Kiosk, data: st.DataObject) -> bool:
    """Now and then what real objects send: avatars who come again, choices there are, and texts of any mark; and codes
    that are good: then True.
    """
    if name == "enrol" and data.draw(st.integers(0, 4)) == 0:
        case.body = {"code": new_code(kiosk=waiting, at=clock.now())}
        return True
    if "avatar" in case.body and data.draw(st.booleans()):
        case.body |= {"avatar": data.draw(st.sampled_from([NADIA, REMI, NUL]) | TEXTS.filter(bool))[:64]}
        case.body |= {"name": data.draw(TEXTS)[:64]}
    if name == "action" and data.draw(st.integers(0, 4)):
        case.body |= {"choice": data.draw(st.sampled_from(CHOICES)), "text": data.draw(TEXTS)}
    if name == "heartbeat" and data.draw(st.booleans()):
        case.body |= {"room": data.draw(TEXTS)[:80]}
    return False


def test_every_choice_takes_strange_texts_of_somebody_new(door: Any, wire: Wire, kiosk: Kiosk) -> None:
    wire.how, wire.host, wire.strange = How.RIGHTLY, "localhost", {}
    for choice, text in itertools.product(CHOICES, STRANGE):
        body = {"avatar": f"{text}{choice[:4]}", "name": text, "choice": choice, "text": text}
        case = door["/world/v1/action"]["POST"].Case(body=body, media_type="application/json")
        answer = case.call_and_validate(checks=CONFORMS[:-1])
        assert (answer.status_code, len(answer.content) <= ANSWER_BYTES_MAX) == (200, True)


BODIES = st.binary(max_size=200) | st.sampled_from(
    [b"", b"null", b"[" * 4_000, b'{"avatar":"\xff"}', b"x" * 5_000]
)
AROUND = st.fixed_dictionaries({}, optional={
    "HTTP_X_SECONDLIFE_OWNER_KEY": HEADERS | st.sampled_from([OWNER, STRANGER]),
    "HTTP_X_SECONDLIFE_SHARD": HEADERS | st.just("OpenSim"),
    "HTTP_X_SECONDLIFE_REGION": HEADERS,
    "HTTP_X_SECONDLIFE_LOCAL_POSITION": HEADERS,
    "HTTP_X_VTEAM_KEY": HEADERS,
    "HTTP_X_VTEAM_TIME": HEADERS | st.just("9" * 90),
    "HTTP_X_VTEAM_NONCE": HEADERS,
    "HTTP_X_VTEAM_SIG": HEADERS,
    "CONTENT_TYPE": HEADERS,
})  # fmt: skip


@settings(derandomize=True, database=None, max_examples=200)
@given(
    name=st.sampled_from(OPERATIONS),
    body=BODIES | st.just(b'{"avatar":"a"}') | st.just(b"{}"),
    around=AROUND,
    how=HOWS,
)
def test_bytes_that_are_no_json_and_headers_nobody_sends_are_answered_in_words(
    wire: Wire, kiosk: Kiosk, name: str, body: bytes, around: dict[str, str], how: How
) -> None:
    wire.how, wire.host, wire.strange, told = how, "localhost", around, []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": f"/world/v1/{name}", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "CONTENT_LENGTH": str(len(body)), "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }  # fmt: skip
    (content,) = wire(environ, lambda status, headers: told.append((status, dict(headers))))
    status, headers = told[0]
    assert int(status.split()[0]) in STATUSES
    assert (int(status.split()[0]) == 413) is (len(body) > BODY_BYTES_MAX)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert len(content) <= ANSWER_BYTES_MAX
    said = orjson.loads(content)
    assert said["text" if "text" in said else "line"]
