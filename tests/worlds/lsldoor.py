"""The far end of a kiosk's wire: a door that keeps to docs/worlds.md, and that can also fail as the real one does not.

It is written from the contract alone, so that it disagrees where the contract was read differently.
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

from tests.worlds.contract import Known, signature

Page = dict[str, Any]
BUDGET_BYTES = 1900
LOST = "lost"
"""A fault: the request is heard and done, and the wire is cut before the answer."""
PATHS = ("enrol", "touch", "action", "presence", "heartbeat")


WORDS = {
    "unknown": "This key is not known.",
    "wrong": "The signature is wrong.",
    "late": "The time is wrong.",
    "repeated": "This was already said.",
    "owner": "This kiosk has another owner.",
    "revoked": "This kiosk is closed.",
}


@dataclass(frozen=True, slots=True)
class Got:
    """One request that was signed rightly, or enrolled."""

    path: str
    values: Page
    headers: dict[str, str]
    names: tuple[str, ...]


@dataclass(slots=True)
class Door:
    clock: Callable[[], float] = time.time
    address: str = ""
    got: list[Got] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    faults: list[int | bytes | str] = field(default_factory=list)
    refuses: str = ""
    """Why everything signed is refused."""
    page: Callable[[Got], Page] | None = None
    line: str = "touch me: Lune Noire's vTeam"
    known: Known = field(default_factory=Known)
    owners: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """Those that are good, each with the key it has given; empty: none yet."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def code(self, *, world: str) -> str:
        code = f"k4wm 7tq{next(self.numbers)}"
        self.codes[code.replace(" ", "")] = ""
        return code

    def paths(self) -> list[str]:
        return [got.path for got in self.got]

    def answer(
        self, path: str, headers: dict[str, str], raw: bytes, names: tuple[str, ...]
    ) -> tuple[int, bytes]:
        """A fault that is due comes first: a status, or bytes sent as 200; or LOST, which comes last."""
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and fault != LOST:
            assert not isinstance(fault, str)
            return (200, fault) if isinstance(fault, bytes) else (fault, b"<html>it broke</html>")
        status, body = self._answer(path.removeprefix("/world/v1/"), path, headers, raw, names)
        if status == 403:
            self.refusals.append(body["text"])
        if fault == LOST:
            return 499, b""
        return status, json.dumps(body, ensure_ascii=False).encode()

    def _answer(
        self, name: str, path: str, headers: dict[str, str], raw: bytes, names: tuple[str, ...]
    ) -> tuple[int, Page]:
        if name not in PATHS or len(raw) > 4096:
            return 404, {"text": "There is nothing here."}
        if name == "enrol":
            return self._enrol(Got(name, json.loads(raw), headers, names))
        why = self.refuses or self.known.refusal(path, headers, raw, now=self.clock())
        if not why and headers["X-SecondLife-Owner-Key"] != self.owners[headers["X-VTeam-Key"]]:
            why = "owner"
        if why:
            return 403, {"text": WORDS[why], "why": why}
        self.codes = {code: key for code, key in self.codes.items() if key != headers["X-VTeam-Key"]}
        got = Got(name, json.loads(raw), headers, names)
        self.got.append(got)
        if name == "heartbeat":
            return 200, {"line": self.line}
        return 200, (self.page or page_for)(got)

    def _enrol(self, got: Got) -> tuple[int, Page]:
        self.got.append(got)
        code = got.values["code"].lower().replace(" ", "")
        owner, before = got.headers["X-SecondLife-Owner-Key"], self.codes.get(code)
        if before is None or (before and self.owners[before] != owner):
            return 403, {"text": "This code is wrong, used or too old.", "why": "code"}
        self.known.secrets.pop(before, None)
        self.codes[code] = key = f"key{next(self.numbers):013}"
        self.known.secrets[key] = hashlib.sha256((key + code).encode()).hexdigest()[:32]
        self.owners[key] = owner
        text = "This kiosk is ready."
        return 200, {"key": key, "secret": self.known.secrets[key], "line": self.line, "text": text}

    def push(self, line: str, *, key: str, at: float) -> str:
        """The body of a push, as the contract signs it."""
        message = f"push\n{int(at)}\n{line}".encode()
        body = {"line": line, "time": str(int(at)), "sig": signature(self.known.secrets[key], message)}
        return json.dumps(body, ensure_ascii=False)


def page_for(got: Got) -> Page:
    """A small platform: missions, a place to type, and a link that is each avatar's own secret."""
    avatar, choice = got.values["avatar"], got.values.get("choice", "")
    page: Page = {
        "title": "La vTeam de Lune Noire",
        "text": f"Hello {got.values['name']}.",
        "choices": [["missions", "Missions"], ["bring", "Bring"], ["link", "Link me"], ["here", "I'm here"]],
        "line": "touch me: Lune Noire's vTeam",
    }
    if choice == "link":
        page["open"] = {
            "address": f"https://vteam.example/l/{avatar}",
            "label": "Link this avatar",
            "flyer": False,
        }
    if choice == "bring":
        page["choices"] = []
        page["ask"] = {"choice": "bring:poster", "label": "What is it?"}
    return page


@contextmanager
def a_door(clock: Callable[[], float]) -> Iterator[Door]:
    door = Door(clock=clock)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            names = tuple(self.headers.keys())
            status, body = door.answer(self.path, dict(self.headers.items()), raw, names)
            if status == 499:  # the wire is cut before anything is answered
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.address = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield door
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
