"""Asking a drand server for a round, the way drand's HTTP interface is spoken: `GET /CHAIN/public/ROUND`.

Whatever comes is a stranger's: an answer of more than a few kB, of another round, elsewhere, too slow, or of another
shape is refused with the reason. That the signature is the network's is checked by who draws.
"""

import asyncio
import base64
import ssl
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import httptools

from vteam.prizes.rounds import Failed
from vteam.rules.shapes import read_object

SECONDS = 5.0
"""So long asking takes at most, all together."""
BYTES_MAX = 8 << 10
READ_BYTES = 2 << 10
SIGNATURE_LENGTH_MAX = 200


class _NotFetched(Exception):
    """Why; it does not leave this module."""

    def __init__(self, why: Failed) -> None:
        super().__init__(why)
        self.why = why


def ask(base: str, *, chain: str, round_: int) -> str | Failed:
    """The signature (hex) a server says a round has, or why there is none. `base`: as VTEAM_BEACON allows."""
    try:
        body = asyncio.run(asyncio.wait_for(_body(urlsplit(base), f"/{chain}/public/{round_}"), SECONDS))
        return _signature(body, round_)
    except _NotFetched as refused:
        return refused.why
    except TimeoutError:
        return Failed.SLOW
    except (OSError, UnicodeError):  # no such name, no way there, TLS that is not theirs, cut off
        return Failed.UNREACHABLE


def _signature(body: bytes, round_: int) -> str:
    told = read_object(body.decode(errors="replace")) or {}
    signature = told.get("signature")
    if type(told.get("round")) is not int or not isinstance(signature, str):
        raise _NotFetched(Failed.UNREADABLE)
    if len(signature) > SIGNATURE_LENGTH_MAX:
        raise _NotFetched(Failed.UNREADABLE)
    if told["round"] != round_:
        raise _NotFetched(Failed.OTHER_ROUND)
    return signature.lower()


async def _body(base: SplitResult, path: str) -> bytes:
    is_tls = base.scheme == "https"
    context = ssl.create_default_context() if is_tls else None
    port = base.port or (443 if is_tls else 80)
    reader, writer = await asyncio.open_connection(base.hostname, port, ssl=context)
    try:
        writer.write(_request(base, path))
        await writer.drain()
        return await _answer(reader)
    finally:
        writer.transport.abort()


def _request(base: SplitResult, path: str) -> bytes:
    host = base.netloc.rpartition("@")[2]
    lines = [
        f"GET {base.path}{path} HTTP/1.1",
        f"Host: {host}",
        "Accept: application/json",
        "Connection: close",
    ]
    if base.username is not None:
        pair = f"{unquote(base.username)}:{unquote(base.password or '')}"
        lines.append(f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The body of a 200; everything that is sent, its head too, is within BYTES_MAX."""
    answer, came = _Answer(), 0
    while not answer.is_whole:
        data = await reader.read(READ_BYTES)
        if not data:
            break
        came += len(data)
        if came > BYTES_MAX:
            raise _NotFetched(Failed.TOO_BIG)
        answer.feed(data)
    return bytes(answer.body)


class _Answer:
    """What httptools has read of an answer so far."""

    def __init__(self) -> None:
        self.body, self.is_whole = bytearray(), False
        self._parser: Any = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Reads on; _NotFetched where it is no answer of a beacon."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise _NotFetched(self._refusal() or Failed.UNREADABLE) from error
        refusal = self._refusal()
        if refusal is not None:
            raise _NotFetched(refusal)

    def _refusal(self) -> Failed | None:
        status = self._parser.get_status_code()
        if 300 <= status < 400:
            return Failed.REDIRECTED
        return Failed.REFUSED if status not in (0, 200) else None

    def on_body(self, body: bytes) -> None:
        """Hook of httptools."""
        self.body += body

    def on_message_complete(self) -> None:
        """Hook of httptools."""
        self.is_whole = True
