"""The one way anything is asked of somebody else over HTTP: to whom it goes, how long it takes, how big it may be.

A name is looked up once, and the connection goes to an address that was looked at: a public one, or one of the networks
its caller allows. Redirects are not followed. Whatever comes is a stranger's; a head and body beyond `bytes_max`, one
that is no HTTP, and one that takes too long are refused with the reason.
"""

import asyncio
import base64
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import httptools

from vteam.reachable import IPNetwork, address_in, is_public

READ_BYTES = 2 << 10
PORTS = frozenset({80, 443})
PORT_MIN = 1024
ADDRESSES_TRIED = 4
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Failed(StrEnum):
    """Why nothing was fetched."""

    NOT_ALLOWED = "not_allowed"
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    TOO_BIG = "too_big"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked. `url`: http or https. `body`: None for GET, else it is posted.

    `anywhere`: the address is the operator's own setting. `allowed`: networks allowed though not public.
    """

    url: str
    seconds: float
    bytes_max: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    anywhere: bool = False
    allowed: Sequence[IPNetwork] = ()


class _NotFetched(Exception):
    """Why; it does not leave this module."""

    def __init__(self, why: Failed) -> None:
        super().__init__(why)
        self.why = why


def fetch(ask: Ask) -> bytes | Failed:
    """The body of a 200, or why there is none. Blocks for `seconds` at most; never in a transaction."""
    until = time.monotonic() + ask.seconds
    try:
        url, port = _parts(ask)
        addresses = _resolved(url.hostname or "", port, ask.seconds)
        return asyncio.run(asyncio.wait_for(_body(ask, url, port, addresses), until - time.monotonic()))
    except _NotFetched as refused:
        return refused.why
    except TimeoutError:
        return Failed.SLOW
    except (OSError, UnicodeError):  # no such name, no way there, TLS that is not theirs, cut off
        return Failed.UNREACHABLE


def _resolved(host: str, port: int, seconds: float) -> list[str]:
    """A host's addresses. Looking a name up cannot be called off: who is kept waiting longer leaves the thread behind,
    which the process does not wait for either.
    """
    found: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(sockaddr[0]) for *_, sockaddr in infos])
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, name="looking up", daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


async def _body(ask: Ask, url: SplitResult, port: int, addresses: Sequence[str]) -> bytes:
    reader, writer = await _connected(ask, url, port, addresses)
    try:
        writer.write(_request(ask, url))
        await writer.drain()
        return await _answer(reader, ask.bytes_max)
    finally:
        writer.transport.abort()


def _parts(ask: Ask) -> tuple[SplitResult, int]:
    try:
        url = urlsplit(ask.url)
        port = url.port if url.port is not None else 443 if url.scheme == "https" else 80
    except ValueError as error:
        raise _NotFetched(Failed.NOT_ALLOWED) from error
    known = url.scheme in ("http", "https") and bool(url.hostname)
    # A stranger's word sends nobody to the port of a mail server, nor anywhere with a password.
    harmless = url.username is None and (port in PORTS or port >= PORT_MIN)
    if not known or not (ask.anywhere or harmless):
        raise _NotFetched(Failed.NOT_ALLOWED)
    return url, port


async def _connected(ask: Ask, url: SplitResult, port: int, addresses: Sequence[str]) -> Streams:
    """A connection to the first of a host's addresses that may be reached, and can be."""
    fit = [address for address in dict.fromkeys(addresses) if ask.anywhere or _may_reach(ask, address)]
    context = ssl.create_default_context() if url.scheme == "https" else None
    failed: OSError | None = None
    for address in fit[:ADDRESSES_TRIED]:
        try:
            name = url.hostname if context else None
            return await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
        except OSError as error:
            failed = error
    raise failed or _NotFetched(Failed.NOT_ALLOWED)


def _may_reach(ask: Ask, text: str) -> bool:
    address = address_in(text)
    if address is None:
        return False
    return is_public(address) or any(address in network for network in ask.allowed)


def _request(ask: Ask, url: SplitResult) -> bytes:
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    head = {"Host": url.netloc.rpartition("@")[2], "Connection": "close", **ask.headers}
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        head["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if ask.body is not None:
        head["Content-Length"] = str(len(ask.body))
    method = "GET" if ask.body is None else "POST"
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + (ask.body or b"")


async def _answer(reader: asyncio.StreamReader, bytes_max: int) -> bytes:
    """The body of a 200, whole; everything that is sent, its head too, is within `bytes_max`."""
    answer, came = _Answer(), 0
    while not answer.is_whole:
        data = await reader.read(READ_BYTES)
        if not data:
            if not answer.ends_with_the_connection:
                raise _NotFetched(Failed.UNREADABLE)
            break
        came += len(data)
        if came > bytes_max:
            raise _NotFetched(Failed.TOO_BIG)
        answer.feed(data)
    return bytes(answer.body)


class _Answer:
    """What httptools has read of an answer so far."""

    def __init__(self) -> None:
        self.body, self.is_whole = bytearray(), False
        # Where nothing says how long it is, it ends where the connection does.
        self.ends_with_the_connection = False
        self._is_delimited = self._has_its_head = False
        self._parser: Any = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Reads on; _NotFetched where it is no answer with something in it."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise _NotFetched(self._refusal() or Failed.UNREADABLE) from error
        refusal = self._refusal()
        if refusal is not None:
            raise _NotFetched(refusal)

    def _refusal(self) -> Failed | None:
        if not self._has_its_head:  # half a status is another one
            return None
        status = self._parser.get_status_code()
        if 300 <= status < 400:
            return Failed.REDIRECTED
        return Failed.REFUSED if status != 200 else None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Hook of httptools."""
        self._is_delimited |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        """Hook of httptools."""
        self._has_its_head, self.ends_with_the_connection = True, not self._is_delimited

    def on_body(self, body: bytes) -> None:
        """Hook of httptools."""
        self.body += body

    def on_message_complete(self) -> None:
        """Hook of httptools."""
        self.is_whole = True
