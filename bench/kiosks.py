"""Kiosks as objects in worlds are: enrolled by the code typed there, and signing all they send (docs/worlds.md).

Each asks under a host name of its own: in a demo folder each is a network, and one network's codes are limited.
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from bench.tools import Misleading
from vteam.channels.worlds.signing import message_of, signature

ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One kiosk, with what it was given when it was enrolled."""

    number: int
    key: str
    secret: str

    def is_touched(self, door: HTTPConnection, avatar: str) -> None:
        """Somebody touches it; Misleading where they are shown anything but the first page."""
        content = {"avatar": avatar, "name": avatar, "language": "en"}
        answer = self._send(door, "touch", content, at=(128, 130, 25))
        if "missions" not in dict(answer["choices"]):
            raise Misleading(f"A touch was answered {answer['text']!r}.")

    def beats(self, door: HTTPConnection, turn: int) -> None:
        """It is alive. It stands elsewhere each time, so that this is written down, as it is after five minutes."""
        self._send(door, "heartbeat", {}, at=(128, 130, turn))

    def _send(
        self, door: HTTPConnection, name: str, content: Mapping[str, str], *, at: tuple[int, int, int]
    ) -> dict[str, Any]:
        path, body = f"/world/v1/{name}", json.dumps(content).encode()
        now, nonce = str(int(time.time())), secrets.token_hex(8)
        message = message_of(key=self.key, time=now, nonce=nonce, path=path, body=body)
        headers = {
            "X-VTeam-Key": self.key,
            "X-VTeam-Time": now,
            "X-VTeam-Nonce": nonce,
            "X-VTeam-Sig": signature(self.secret, message),
            "X-SecondLife-Local-Position": str(at),
        }
        return _asked(door, self.number, path, body, headers)


def enrolled(door: HTTPConnection, number: int, code: str) -> Object:
    """The object whose owner typed a code."""
    given = _asked(door, number, "/world/v1/enrol", json.dumps({"code": code}).encode(), {})
    return Object(number=number, key=given["key"], secret=given["secret"])


def door_at(port: int) -> HTTPConnection:
    """A connection to the door, for one thread; kept open, as a proxy before the site keeps it."""
    return HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)


def _asked(
    door: HTTPConnection, number: int, path: str, body: bytes, headers: Mapping[str, str]
) -> dict[str, Any]:
    ours = {"Host": f"kiosk{number}.localhost", "Content-Type": "application/json", **headers}
    door.request("POST", path, body, ours)
    answer = door.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise Misleading(f"{path} was answered {answer.status}: {content[:200]!r}")
    given: dict[str, Any] = json.loads(content)
    return given
