"""The far end of the wire: a door that checks signatures by docs/worlds.md alone, and can be slow, silent or mad.

The platform's own door is tried in test_luanti_platform.py; this one also does what that one never does.
"""

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.worlds.contract import Known

LINE = "touch me: Lune Noire's vTeam"
NEUTRAL = "touche-moi\u00a0: la vTeam de Lune Noire"
WELCOME = {
    "title": "La vTeam de Lune Noire",
    "text": "You have 1,250 points: 12th of 640.",
    "choices": [["missions", "Missions"], ["ranking", "Ranking"], ["link", "Link me"]],
    "line": LINE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One that came: its path, its headers, its bytes, and why it was refused ("" where it was not)."""

    path: str
    headers: dict[str, str]
    raw: bytes
    refusal: str

    @property
    def told(self) -> dict[str, Any]:
        """Its body."""
        found = json.loads(self.raw)
        assert isinstance(found, dict)
        return found


@dataclass
class Door:
    """What it was asked, and what it answers: `answer` makes a page from a request's path and body."""

    address: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda path, told: WELCOME
    # Instead of an answer: a status and bytes. And what each waits for.
    instead: tuple[int, bytes] | None = None
    may_answer: threading.Event = field(default_factory=threading.Event)
    # Those that are good, each with the key it has given; empty: none yet.
    codes: dict[str, str] = field(default_factory=dict)
    made: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)
    known: Known = field(default_factory=Known)

    def __post_init__(self) -> None:
        self.may_answer.set()

    @contextmanager
    def holding_back(self) -> Iterator[None]:
        """Nothing is answered while the block runs; then all that was asked is."""
        self.may_answer.clear()
        try:
            yield
        finally:
            self.may_answer.set()

    def code(self, *, world: str = "luanti") -> str:
        """A new code, good until a kiosk has spoken with what it gave."""
        made = f"k{self.made:02}w 7tq2"
        self.made += 1
        self.codes[made.replace(" ", "")] = ""
        return made

    @property
    def visits(self) -> list[Request]:
        """The requests of players: heartbeats come by themselves, at any time."""
        return [each for each in self.requests if not each.path.endswith("/heartbeat")]

    def asked(self, path: str) -> list[Request]:
        """The requests of one kind."""
        return [each for each in self.requests if each.path == f"/world/v1/{path}"]

    def wait(self, path: str, number: int = 1, seconds: float = 10) -> Request:
        """The so-manieth request of one kind."""
        end = time.monotonic() + seconds
        while len(self.asked(path)) < number:
            assert time.monotonic() < end, self.requests
            time.sleep(0.02)
        return self.asked(path)[number - 1]

    def handle(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        if path == "/world/v1/enrol":
            code = json.loads(raw)["code"].replace(" ", "").lower()
            known = code in self.codes
            self.requests.append(
                Request(path=path, headers=headers, raw=raw, refusal="" if known else "code")
            )
            if not known:
                return 403, {"text": "This code is wrong, used or too old.", "why": "code"}
            self.known.secrets.pop(self.codes[code], None)
            number = next(self.numbers)
            key, secret = f"key{number:013}", hashlib.md5(f"{code}{number}".encode()).hexdigest()
            self.codes[code], self.known.secrets[key] = key, secret
            return 200, {
                "key": key,
                "secret": secret,
                "line": LINE,
                "neutral": NEUTRAL,
                "text": "This kiosk is now Lune Noire's.",
            }
        refusal = self.known.refusal(path, headers, raw, now=time.time())
        self.requests.append(Request(path=path, headers=headers, raw=raw, refusal=refusal))
        if refusal:
            return 403, {"text": f"Refused: {refusal}.", "why": refusal}
        self.codes = {code: key for code, key in self.codes.items() if key != headers["X-VTeam-Key"]}
        if path == "/world/v1/heartbeat":
            return 200, {"line": self.answer(path, {}).get("line", LINE)}
        return 200, self.answer(path, json.loads(raw))


class _Handler(BaseHTTPRequestHandler):
    door: Door

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, answer = self.door.handle(self.path, dict(self.headers), raw)
        body = json.dumps(answer).encode()
        self.door.may_answer.wait(20)
        if self.door.instead:
            status, body = self.door.instead
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: what was asked is in `requests`."""


@contextmanager
def standing() -> Iterator[Door]:
    """A door on the loopback."""
    door = Door()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"door": door}))
    door.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
