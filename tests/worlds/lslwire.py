"""`llHTTPRequest`: its list of options as each world reads it, and the real request that it becomes."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.worlds.lsllimits import Limits, need

Headers = list[tuple[str, str]]
METHOD, MIMETYPE, BODY_MAXLENGTH, VERIFY_CERT, VERBOSE_THROTTLE, CUSTOM_HEADER, PRAGMA = range(7)
PATIENCE_S = 30.0  # real seconds after which the wire counts as dead


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the script made it; `at`: the world's clock."""

    at: float
    address: str
    body: str
    headers: Headers

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    @property
    def values(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def header(self, name: str) -> str:
        return dict(self.headers)[name]


@dataclass(slots=True)
class Asked:
    values: dict[int, Any] = field(default_factory=dict)
    headers: Headers = field(default_factory=list)


def read_options(options: list[Any], limits: Limits) -> Asked:
    """After CUSTOM_HEADER, OpenSimulator reads on in pairs until something starts with a digit."""
    asked, rest = Asked(), list(options)
    while rest:
        flag = rest.pop(0)
        need(isinstance(flag, int) and 0 <= flag <= limits.flags, f"the option {flag!r}")
        if flag != CUSTOM_HEADER:
            asked.values[flag] = rest.pop(0)
            continue
        for _ in range(8):
            name, value = str(rest.pop(0)), str(rest.pop(0))
            need(len(name) + len(value) <= 253 and (name + value).isascii(), f"the header {name}")
            need("\n" not in value and value != "", f"the header {name}")
            asked.headers.append((name, value))
            if not rest or limits.burst == 0 or str(rest[0])[:1].isdigit():
                break
    need(len(asked.headers) <= 8, "more than eight headers")
    need(asked.values.get(METHOD) == "POST", "a request that is no POST")
    need(asked.values.get(VERIFY_CERT, 1) == 1, "certificates are to be verified")
    need(asked.values.get(VERBOSE_THROTTLE, 1) == 0, "a throttled request would be shouted about")
    return asked


def send(sent: Sent, asked: Asked, limits: Limits, own: Headers) -> tuple[int, str, float | None]:
    """The status, the body as the script gets it, and after how long where the world's patience ended."""
    parts = urlsplit(sent.address)
    body = sent.body.encode()
    wire = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        wire.putrequest("POST", parts.path, skip_host=True, skip_accept_encoding=True)
        for name, value in _in_order(asked, limits, own, body, parts.netloc):
            wire.putheader(name, value)
        wire.endheaders(body)
        answer = wire.getresponse()
        most = min(int(asked.values.get(BODY_MAXLENGTH, limits.body_bytes)), limits.body_bytes_max)
        return answer.status, answer.read()[:most].decode(errors="replace"), None
    except TimeoutError:
        return 499, "", limits.times_out_after_s
    except (OSError, http.client.HTTPException):
        return 499, "", None
    finally:
        wire.close()


def _in_order(asked: Asked, limits: Limits, own: Headers, body: bytes, host: str) -> Headers:
    """OpenSimulator's order is the recorded one; Second Life's is known from its documentation only."""
    kind = ("Content-Type", str(asked.values.get(MIMETYPE, "text/plain;charset=utf-8")))
    length = ("Content-Length", str(len(body)))
    if limits.world == "opensimulator":
        return [kind, *asked.headers, *own, length, ("Connection", "close"), ("Host", host)]
    return [
        ("Host", host),
        ("User-Agent", "Second-Life-LSL/2026-11-02.12345678 (https://secondlife.com)"),
        ("Accept", "text/*, application/xhtml+xml, application/atom+xml, application/json, application/xml"),
        ("Accept-Charset", "utf-8;q=1.0, *;q=0.5"),
        *own,
        *asked.headers,
        kind,
        length,
        ("Connection", "close"),
    ]
