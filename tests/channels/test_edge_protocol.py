"""HTTP/1.1 at a real edge's socket: order, ends, limits."""

import contextlib
import http.client
import select
import signal
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.channels.edges import BROWSER, OPEN, Edge, Start, eventually, with_shares


def asked(path: str, *, method: str = "GET", **headers: str) -> bytes:
    """A request's bytes, a browser's by its own account."""
    lines = {"Host": "localhost", "User-Agent": BROWSER} | headers
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{told}\r\n".encode()


def answers(door: socket.socket, count: int) -> list[http.client.HTTPResponse]:
    """So many answers from one connection, read one by one."""
    found = []
    with door.makefile("rb") as file:
        for _ in range(count):
            answer = http.client.HTTPResponse(_Kept(file))  # type: ignore[arg-type]
            answer.begin()
            answer.text = answer.read().decode()  # type: ignore[attr-defined]
            found.append(answer)
    return found


class _Kept:
    """A socket's file that outlives the answer read from it."""

    def __init__(self, file: socket.SocketIO) -> None:
        self._file = file

    def makefile(self, mode: str) -> "_Kept":
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def close(self) -> None:
        return None


def test_requests_sent_ahead_are_answered_in_their_order_and_their_visits_counted(edge: Edge) -> None:
    before = len(edge.rows())
    paths = [f"/r/{OPEN}", "/healthz", f"/r/{OPEN}", "/nothing", "/r/typed", f"/r/{OPEN}"] * 10
    with edge.raw(b"".join(map(asked, paths))) as door:
        told = [(answer.status, answer.headers["Location"]) for answer in answers(door, len(paths))]
    link, typed = (302, f"http://localhost:8000/l/{OPEN}"), (302, "http://localhost:8000/l/typed")
    assert told == [link, (200, None), link, (404, None), typed, link] * 10
    assert len(edge.rows()) - before == 30


def test_a_request_in_pieces_is_the_same_request(edge: Edge) -> None:
    whole = asked(f"/r/{OPEN}?from=forum", X_Other="x", Accept="*/*")
    for size in (1, 7, 50):
        with edge.raw(b"") as door:
            door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(whole), size):
                door.sendall(whole[start : start + size])
            assert answers(door, 1)[0].headers["Location"] == f"http://localhost:8000/l/{OPEN}"


def test_more_requests_ahead_than_anybody_needs_are_hung_up_on(edge: Edge) -> None:
    with edge.raw(asked(f"/r/{OPEN}") * 500) as door, contextlib.suppress(ConnectionResetError):
        received = b""
        while part := door.recv(100_000):
            received += part
        assert received.count(b"HTTP/1.1") < 500
    assert edge.ask("/healthz").status == 200


@pytest.mark.parametrize(
    "last",
    [
        asked(f"/r/{OPEN}", Connection="close"),
        asked(f"/r/{OPEN}").replace(b"HTTP/1.1", b"HTTP/1.0"),
        asked(f"/r/{OPEN}", Connection="close") + b"GET nonsense\r\n\r\n",
        b"GET nonsense\r\n\r\n",
        b"\x16\x03\x01\x02 not HTTP\r\n\r\n",
    ],
)
def test_after_the_last_answer_the_connection_is_closed_and_says_so(edge: Edge, last: bytes) -> None:
    before = len(edge.rows())
    with edge.raw(asked(f"/r/{OPEN}") + last + asked(f"/r/{OPEN}")) as door:
        first, second = answers(door, 2)
        assert door.recv(100) == b""
    assert (first.status, first.headers["Connection"]) == (302, None)
    assert (second.status, second.headers["Connection"]) == (302 if b"/r/" in last else 400, "close")
    assert len(edge.rows()) - before == (2 if b"/r/" in last else 1)


def test_head_is_told_the_length_and_nothing_more(edge: Edge) -> None:
    with edge.raw(asked("/nothing", method="HEAD") + asked("/healthz")) as door, door.makefile("rb") as file:
        head = iter(file.readline, b"\r\n")
        length = next(line for line in head if line.lower().startswith(b"content-length"))
        assert int(length.split(b":")[1]) > 100
        assert list(head)
        assert file.readline() == b"HTTP/1.1 200 OK\r\n"


def test_what_a_request_carries_is_read_and_forgotten(edge: Edge) -> None:
    with edge.raw(asked(f"/r/{OPEN}", method="POST", Content_Length="9000")) as door:
        (refused,) = answers(door, 1)
        door.sendall(b"x" * 9000 + asked("/healthz"))
        (healthy,) = answers(door, 1)
    assert (refused.status, refused.headers["Allow"], healthy.status) == (405, "GET, HEAD", 200)


def test_two_hosts_are_none(edge: Edge) -> None:
    with edge.raw(f"GET /r/{OPEN} HTTP/1.1\r\nHost: localhost\r\nHost: 127.0.0.1\r\n\r\n".encode()) as door:
        assert answers(door, 1)[0].status == 400


def test_every_answer_carries_the_date(edge: Edge) -> None:
    for path in (f"/r/{OPEN}", "/healthz", "/nothing"):
        assert str(edge.ask(path).headers["Date"]).endswith(" GMT")


def test_one_connection_too_many_is_asked_to_come_again_and_the_others_stay(
    tmp_path: Path, start: Start
) -> None:
    edge = start(
        with_shares(tmp_path), before="from vteam.edge import server; server.CONNECTIONS_MAX = 2"
    ).opened()
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(edge.raw(asked("/healthz"))) for _ in range(2)]
        assert [answers(door, 1)[0].status for door in doors] == [200, 200]
        refused = edge.ask("/healthz")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
        assert refused.headers["Connection"] == "close"
        doors[0].sendall(asked("/healthz"))
        assert answers(doors[0], 1)[0].status == 200
    eventually(lambda: edge.ask("/healthz").status == 200)
    edge.stop()


def test_who_waits_for_an_answer_gets_it_before_the_edge_stops(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path)).opened()
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(
            contextlib.closing(sqlite3.connect(tmp_path / "edge.sqlite3", isolation_level=None))
        )
        other.execute("BEGIN IMMEDIATE")  # no visit can become durable
        # Whoever was told that there is nothing at the first address waits at the second.
        both = asked("/nothing") + asked(f"/r/{OPEN}")
        doors = [stack.enter_context(edge.raw(both)) for _ in range(5)]
        assert [answers(door, 1)[0].status for door in doors] == [404] * 5
        edge.process.send_signal(signal.SIGTERM)
        assert select.select(doors, [], [], 0.3)[0] == []
        other.execute("ROLLBACK")
        assert [answers(door, 1)[0].status for door in doors] == [302] * 5
    edge.process.communicate(timeout=20)
    assert edge.process.returncode == 0
    assert len(edge.rows()) == 5


def test_who_rests_too_long_on_a_connection_is_hung_up_on(tmp_path: Path, start: Start) -> None:
    edge = start(
        with_shares(tmp_path), before="from vteam.edge import protocol; protocol.KEEP_ALIVE_SECONDS = 0.5"
    ).opened()
    with edge.raw(asked("/healthz")) as door:
        assert answers(door, 1)[0].status == 200
        assert door.recv(100) == b""
    edge.stop()
