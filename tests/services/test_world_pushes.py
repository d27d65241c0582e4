"""A push changes one line, at an address the one fetcher has looked at; and the fetcher is sent nowhere else."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest

from tests.services.worlds import Object, enrolled
from tests.worlds.contract import signature
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.enrolling import revoke
from vteam.channels.worlds.lines import announce, end_announcement, push_failed, pushed, pushes_due, told
from vteam.channels.worlds.models import Kiosk
from vteam.fetching import Ask, Failed, fetch
from vteam.jobs.pushing import push_due
from vteam.reachable import address_in, is_public

HALF_AN_HOUR = dt.timedelta(minutes=30)


@dataclass
class InWorld:
    """The far end of the wire: the address an object was given by its world's server."""

    url: str
    status: int = 200
    instead: bytes | None = None  # of an answer: these bytes, and the connection ends
    posted: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def in_world() -> Iterator[InWorld]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if found.instead is not None:
                self.wfile.write(found.instead)
                return
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = InWorld(f"http://127.0.0.1:{server.server_port}/lslhttp/fe2fe696/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def at_a_concert(demo: Campaign, url: str) -> tuple[Kiosk, Object]:
    """A kiosk at that address, where a concert begins."""
    kiosk, there = enrolled(demo)
    assert there.send("heartbeat", {"url": url}).status_code == 200
    kiosk.refresh_from_db()
    announce(kiosk=kiosk, mission="there", until=clock.now() + HALF_AN_HOUR, at=clock.now())
    return kiosk, there


@pytest.mark.django_db
def test_a_concert_changes_the_line_and_its_end_changes_it_back(demo: Campaign, in_world: InWorld) -> None:
    kiosk, there = at_a_concert(demo, in_world.url)
    assert push_due(at=clock.now()) == 1
    assert push_due(at=clock.now()) == 0
    (said,) = in_world.posted
    assert said.keys() == {"line", "time", "sig"}
    assert said["line"] == "touch me: Lune Noire play here now"
    message = f"push\n{said['time']}\n{said['line']}"
    assert said["sig"] == signature(there.secret, message.encode())
    assert push_due(at=clock.now() + HALF_AN_HOUR) == 1  # it ended by itself
    assert in_world.posted[1]["line"] == "touch me: Lune Noire's vTeam"
    kiosk.refresh_from_db()
    assert (kiosk.here_mission, kiosk.push_at) == ("", None)


@pytest.mark.django_db
def test_an_object_that_shows_the_line_already_is_not_told(demo: Campaign, in_world: InWorld) -> None:
    kiosk, there = at_a_concert(demo, in_world.url)
    assert there.page("touch")["line"] == "touch me: Lune Noire play here now"
    assert push_due(at=clock.now()) == 0
    kiosk.refresh_from_db()
    end_announcement(kiosk=kiosk, at=clock.now())
    revoke(kiosk=kiosk, at=clock.now(), by_organiser=True)
    assert push_due(at=clock.now() + HALF_AN_HOUR) == 0
    assert in_world.posted == []


@pytest.mark.django_db
def test_an_object_that_does_not_answer_is_tried_ever_later_and_then_left_to_its_heartbeat(
    demo: Campaign, in_world: InWorld
) -> None:
    in_world.status = 499
    kiosk, there = at_a_concert(demo, in_world.url)
    at, tries = clock.now(), 0
    while tries < 20:
        assert push_due(at=at) == 0
        kiosk.refresh_from_db()
        tries += 1
        if kiosk.push_at is None:
            break
        assert kiosk.push_at > at
        at = kiosk.push_at
    assert len(in_world.posted) == tries == 6
    assert (
        there.send("heartbeat", {"url": in_world.url}).json()["line"] == "touch me: Lune Noire play here now"
    )


CUT_SHORT = [
    b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Len", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf",
]  # fmt: skip


@pytest.mark.parametrize("answer", CUT_SHORT)
def test_an_answer_that_breaks_off_is_none(in_world: InWorld, answer: bytes) -> None:
    in_world.instead = answer
    ask = Ask(url=in_world.url, seconds=5, bytes_max=1_000, body=b"{}", allowed=[ip_network("127.0.0.0/8")])
    assert fetch(ask) is Failed.UNREADABLE
    in_world.instead = b"HTTP/1.0 200 OK\r\n\r\nas long as it comes"
    assert fetch(ask) == b"as long as it comes"


@pytest.mark.django_db
def test_an_object_that_hangs_up_was_not_told(demo: Campaign, in_world: InWorld) -> None:
    in_world.instead = b""
    kiosk, _ = at_a_concert(demo, in_world.url)
    assert push_due(at=clock.now()) == 0
    kiosk.refresh_from_db()
    assert (kiosk.line_told, kiosk.push_tries) == ("touch me: Lune Noire's vTeam", 1)
    in_world.instead = None
    assert push_due(at=kiosk.push_at) == 1


@pytest.mark.django_db
def test_what_begins_while_something_else_is_told_is_told_next(demo: Campaign, in_world: InWorld) -> None:
    kiosk, _ = at_a_concert(demo, in_world.url)
    asked = clock.now()
    (push,) = pushes_due(at=asked)
    again = asked + dt.timedelta(seconds=1)
    announce(kiosk=Kiosk.objects.get(), mission="there", until=again + HALF_AN_HOUR, at=again)
    pushed(kiosk=push.kiosk, line="an older line")
    push_failed(kiosk=push.kiosk, at=asked)
    told(push.kiosk, "an older line")
    kiosk.refresh_from_db()
    assert (kiosk.push_at, kiosk.push_tries) == (again, 0)
    assert push_due(at=again) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data", "http://10.0.0.1:8080/", "http://[::1]:9000/", "http://localhost:9000/x",
        "http://127.0.0.1:22/", "http://user:pw@127.0.0.1:9000/", "https://127.0.0.1:25/", "http://[::ffff:127.0.0.1]:9000/",
        "http://0.0.0.0:9000/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_of_a_world_is_never_asked(
    demo: Campaign, settings: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.KIOSK_NETWORKS = []
    kiosk, _ = at_a_concert(demo, url)
    caplog.set_level("INFO")
    assert push_due(at=clock.now()) == 0
    assert "could not be told its line (not_allowed)" in caplog.text
    assert "127.0.0.1" not in caplog.text
    kiosk.refresh_from_db()
    assert kiosk.push_at is None


@pytest.mark.django_db
def test_an_address_at_our_own_public_host_is_never_asked(
    demo: Campaign, in_world: InWorld, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    kiosk, _ = at_a_concert(demo, in_world.url)
    settings.PUBLIC_URL = "https://127.0.0.1"
    caplog.set_level("INFO")
    assert push_due(at=clock.now()) == 0
    assert "could not be told its line (not_allowed)" in caplog.text
    assert in_world.posted == []
    kiosk.refresh_from_db()
    assert kiosk.push_at is None


def test_what_is_public_is_told_from_what_is_ours_or_a_neighbours() -> None:
    for text in ("8.8.8.8", "2606:4700::1111"):
        found = address_in(text)
        assert found is not None
        assert is_public(found), text
    for text in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
                 "fe80::1", "fd00::1", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"):  # fmt: skip
        found = address_in(text)
        assert found is not None
        assert not is_public(found), text


def test_a_fetch_that_takes_too_long_is_given_up() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert fetch(Ask(url=url, seconds=0.3, bytes_max=100, anywhere=True)) is Failed.SLOW


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999/", "file:///etc/passwd"]
)
def test_what_is_no_web_address_is_not_fetched(url: str) -> None:
    assert fetch(Ask(url=url, seconds=1, bytes_max=100, anywhere=True)) is Failed.NOT_ALLOWED
