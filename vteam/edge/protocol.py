"""HTTP/1.1 as the edge speaks it: a connection's requests in their order, one under way at a time.

httptools reads, the edge answers, nothing stands between them: no scope, no task, no event a request. Strangers
reach this, so everything has a limit: a request's time and size, how many may be sent ahead, how long a kept
connection may rest, how many connections there are. Whoever is late or long is hung up on without a word. Nothing
here is logged.
"""

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from vteam.channels.links.redirect import Answer, Request, spoken
from vteam.edge import sockets
from vteam.edge.app import COME_AGAIN, Edge
from vteam.edge.sockets import WebSocket

REQUEST_SECONDS_MAX = 10
REQUEST_BYTES_MAX = 16 * 1024
REQUESTS_AHEAD_MAX = 64
KEEP_ALIVE_SECONDS = 20
# A client that hung up already has no address any more; it is one network.
NO_PEER = "192.0.2.0"
CLOSE = b"connection: close\r\n\r\n"
KEEP = b"\r\n"
HANDSHAKE = (b"host", b"upgrade", b"connection", b"sec-websocket-key", b"sec-websocket-version")
MALFORMED = spoken(400, "This is no request a browser makes.\nAucun navigateur ne fait une telle demande.\n")
# In its turn among the requests of a connection, so that what came before it is answered first.
NONE_AT_ALL = Request("", "", {}, NO_PEER)


class EdgeProtocol(asyncio.Protocol):
    """One connection. `hang_up_at`: the loop's time after which it is ended, whatever it is waiting for."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.hang_up_at = math.inf
        self._edge = cast(Edge, config.loaded_app)
        self._server = server_state
        self._connections_max = config.limit_concurrency or math.inf
        self._now = (_loop or asyncio.get_running_loop()).time
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # it is read and left unanswered
        self._waiting: deque[Request] = deque()
        self._answering: Request | None = None
        self._last_was_read = False
        self._one_too_many = False
        self._unread = False
        self._receiving = False
        self._bytes = 0
        self._url = b""
        self._headers: dict[bytes, bytes] = {}

    # The connection ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new connection has as long for its first byte as a request for its last."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if peer else NO_PEER
        own = transport.get_extra_info("sockname") if self._edge.tells_local else None
        self._local = own[0] if own else ""
        self._server.connections.add(self)  # type: ignore[arg-type]
        self._one_too_many = len(self._server.connections) > self._connections_max
        self.hang_up_at = self._now() + REQUEST_SECONDS_MAX

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        self._server.connections.discard(self)
        self._waiting.clear()

    def pause_writing(self) -> None:
        """The client does not read: it gets no further answer until it does."""
        self._unread = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._unread = False
        self._go_on()

    def hang_up(self) -> None:
        """Ends the connection now; what was not read yet will not be."""
        self._transport.abort()

    def shutdown(self) -> None:
        """The server stops: what was asked is answered, nothing more is read."""
        self._last_was_read = True
        if self._answering is None and not self._waiting:
            self._transport.close()

    # Reading -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """A whole request, several, or a part of one."""
        if self._last_was_read:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._becomes_a_socket(rest=data[upgrade.args[0] :]):
                return
        except httptools.HttpParserError:
            self._read(NONE_AT_ALL, keeps=False)
        if self._receiving:
            self._bytes += len(data)
        if self._bytes > REQUEST_BYTES_MAX or len(self._waiting) > REQUESTS_AHEAD_MAX:
            self.hang_up()
        else:
            self._go_on()

    def _becomes_a_socket(self, *, rest: bytes) -> bool:
        """Whether the request just read made this connection a WebSocket; otherwise it is answered as any other."""
        if self._answering is not None or len(self._waiting) != 1 or self._one_too_many or self._unread:
            return False
        door, request = self._edge.door, self._waiting[0]
        if door is None or request.path != sockets.PATH or door.refuses(request) is not None:
            return False
        self._waiting.clear()
        self._last_was_read = True
        self._server.connections.discard(self)
        connections = cast(set[Any], self._server.connections)
        page = WebSocket(self._transport, connections, door, door.network_of(request))
        page.begin(b"".join((b"GET ", self._url, b" HTTP/1.1\r\n", *_handshake(request.headers), b"\r\n")))
        if rest:
            page.data_received(rest)
        return True

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._receiving = True
        self._bytes = 0
        self._url = b""
        self._headers = {}
        self.hang_up_at = self._now() + REQUEST_SECONDS_MAX

    def on_url(self, url: bytes) -> None:
        """The request's target, or a part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line; lines of one name are one list, as in RFC 9110."""
        name = name.lower()
        before = self._headers.get(name)
        self._headers[name] = value if before is None else before + b"," + value

    def on_headers_complete(self) -> None:
        """All that matters of a request is there: a body, if one follows, is read and forgotten."""
        url = httptools.parse_url(self._url)
        path = url.path.decode("ascii")
        if "%" in path:
            path = unquote(path)
        method = self._parser.get_method().decode("ascii")
        keeps = self._parser.should_keep_alive() and self._parser.get_http_version() == "1.1"
        request = Request(method, path, self._headers, self._peer, url.query or b"", self._local)
        self._read(request, keeps=keeps)

    def on_message_complete(self) -> None:
        """The last byte of a request: its answer, and the next request's first byte, have their time too."""
        self._receiving = False
        self._bytes = 0
        self.hang_up_at = self._now() + KEEP_ALIVE_SECONDS

    def _read(self, request: Request, *, keeps: bool) -> None:
        if not self._last_was_read:
            self._waiting.append(request)
            self._last_was_read = not keeps

    # Answering ---------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """One answer at a time: nothing is read on while requests wait for theirs."""
        if self._answering is not None or self._unread:
            if self._waiting:
                self._transport.pause_reading()
        elif self._waiting:
            self._answering = self._waiting.popleft()
            self._answer(self._answering)
        else:
            self._transport.resume_reading()

    def _answer(self, request: Request) -> None:
        if request is NONE_AT_ALL:
            self._answered(MALFORMED)
        elif self._one_too_many:
            self._last_was_read = True
            self._answered(COME_AGAIN)
        else:
            self._edge.answer(request, self._answered)

    def _answered(self, answer: Answer) -> None:
        answered, self._answering = self._answering, None
        if answered is None or self._transport.is_closing():
            return
        closes = self._last_was_read and not self._waiting
        self._transport.write(self._bytes_of(answer, answered.method, closes=closes))
        if closes:
            self._transport.close()
        else:
            self._go_on()

    def _bytes_of(self, answer: Answer, method: str, *, closes: bool) -> bytes:
        dated = [b"%b: %b\r\n" % header for header in self._server.default_headers]
        body = b"" if method == "HEAD" else answer.body
        return b"".join((answer.head, *dated, CLOSE if closes else KEEP, body))


def _handshake(headers: Mapping[bytes, bytes]) -> list[bytes]:
    """What of a request's headers asks for a WebSocket (RFC 6455, 4.1)."""
    return [b"%b: %b\r\n" % (name, headers[name]) for name in HANDSHAKE if name in headers]


def hang_up_on_the_late(connections: Iterable[Any], *, now: float) -> None:
    """Ends connections whose time is over; what they have not read they will not read."""
    for connection in list(connections):
        if connection.hang_up_at < now:
            connection.hang_up()
