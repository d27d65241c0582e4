"""The far end of the wire: a drand server on loopback, which gives recorded rounds or answers as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.rules.test_beacons import ROUNDS

Answering = Callable[["Answerer"], None]


def answer_of(round_: int) -> bytes:
    """What a server of drand says of a recorded round."""
    signature, randomness = ROUNDS[round_]
    return json.dumps({"round": round_, "randomness": randomness, "signature": signature}).encode()


class Answerer(BaseHTTPRequestHandler):
    """One request; `beacon` is whose."""

    beacon: "Beacon"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.beacon.asked.append(self.path)
        self.beacon.authorization.append(self.headers.get("Authorization"))
        self.beacon.answering(self)

    def say(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@dataclass
class Beacon:
    """A server: its address, what it was asked, and how it answers."""

    address: str
    answering: Answering
    asked: list[str] = field(default_factory=list)
    authorization: list[str | None] = field(default_factory=list)


@contextmanager
def serving(answering: Answering) -> Iterator[Beacon]:
    handler = type("Handler", (Answerer,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    beacon = Beacon(f"http://127.0.0.1:{server.server_port}", answering)
    handler.beacon = beacon  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield beacon
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


# How it may answer --------------------------------------------------------------------------------------------
def with_body(body: bytes, status: int = 200, **headers: str) -> Answering:
    return lambda asked: asked.say(body, status, **headers)


def in_chunks(body: bytes) -> Answering:
    def answer(asked: Answerer) -> None:
        asked.send_response(200)
        asked.send_header("Transfer-Encoding", "chunked")
        asked.end_headers()
        for part in (body[:10], body[10:]):
            asked.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        asked.wfile.write(b"0\r\n\r\n")

    return answer


def drop_by_drop(asked: Answerer) -> None:
    """A byte now and then: no single read is slow, the whole is."""
    asked.send_response(200)
    asked.end_headers()
    for _ in range(600):
        time.sleep(0.05)
        try:
            asked.wfile.write(b" ")
        except OSError:
            return


def hung_up(asked: Answerer) -> None:
    asked.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
    asked.close_connection = True


def no_http(asked: Answerer) -> None:
    asked.wfile.write(b"\x00\x16\x03 nothing of the kind\r\n\r\n")
    asked.close_connection = True


def without_end(asked: Answerer) -> None:
    """A head that never ends."""
    asked.wfile.write(b"HTTP/1.1 200 OK\r\n")
    try:
        for number in range(10_000):
            asked.wfile.write(b"X-%d: %s\r\n" % (number, b"x" * 100))
    except OSError:
        asked.close_connection = True
