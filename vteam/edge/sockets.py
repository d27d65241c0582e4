"""WebSockets at the edge (RFC 6455): a page's talk with the meetings, and its blocks.

`websockets` reads and writes the frames; here is what it must not do: a page of another site gets no connection, a
connection of ours has a size for its messages, a time for its first word and for its next sign of life, and there are
only so many from one network. What a page does not understand, or may not say, ends it with a reason.
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from vteam.channels.links.redirect import NetworkOf, Request, Site
from vteam.channels.swarm.meetings import Meetings, Seat
from vteam.channels.swarm.passing import Page
from vteam.channels.swarm.receipts import key_from
from vteam.channels.swarm.tickets import LENGTH_MAX, opened
from vteam.edge.tasks import Tasks
from vteam.errors import Away

PATH = "/ws"
FIRST_WORD_SECONDS, SILENCE_SECONDS = 10.0, 70.0
HELLO_BYTES_MAX = LENGTH_MAX + 4096
MESSAGE_BYTES_MAX = 16 * 1024 + 64
FRAGMENTS_MAX = 64
WORDS_PER_SECOND = 200
WRITE_HIGH_BYTES, UNTAKEN_BYTES_MAX = 256 * 1024, 2 * 2**20
"""A page that leaves more than the first untaken is not heard until it takes it; beyond the second it is let go."""


@dataclass(slots=True, kw_only=True)
class Door:
    """What every connection needs. `is_open`: whether a title may be passed on now; Away where that cannot be known.

    `key`: what tickets are signed with. `per_network`: how many connections one network may have.
    """

    meetings: Meetings
    site: Site
    network_of: NetworkOf
    is_open: Callable[[int], Awaitable[bool]]
    key: bytes
    per_network: int
    now: Callable[[], float]
    now_us: Callable[[], int]
    tasks: Tasks = field(default_factory=Tasks)
    here: Counter[str] = field(default_factory=Counter)

    def refuses(self, request: Request) -> int | None:
        """The status a request to come in is refused with; None where it may."""
        origin = request.headers.get(b"origin", b"")
        host = origin.rpartition(b"//")[2]
        base = self.site.base(host)
        if base is None or base != origin:
            return 403
        return 429 if self.here[self.network_of(request)] >= self.per_network else None


class WebSocket:
    """One connection, in place of the HTTP protocol it began as. An `asyncio.Protocol` and an `End`."""

    def __init__(self, transport: Any, connections: set[Any], door: Door, network: str) -> None:
        self.hang_up_at = math.inf
        self._transport, self._connections, self._door, self._network = transport, connections, door, network
        self._protocol = ServerProtocol(max_size=HELLO_BYTES_MAX)
        self._seat: Seat | None = None
        self._greeted = self._gone = False
        self._ended = False
        self._parts: list[bytes] = []
        self._bytes = self._words = 0
        self._second = 0
        self._opcode = Opcode.TEXT
        self.is_full = False

    # The connection ----------------------------------------------------------------------------------------------

    def begin(self, handshake: bytes) -> None:
        """Answers the request that asked for a WebSocket, written anew as it came."""
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        self._transport.set_protocol(self)
        self._connections.add(self)
        self._door.here[self._network] += 1
        self.hang_up_at = self._door.now() + FIRST_WORD_SECONDS
        self._protocol.receive_data(handshake)
        for event in self._protocol.events_received():
            if isinstance(event, Handshake):
                self._protocol.send_response(self._protocol.accept(event))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The page is gone."""
        if self._gone:
            return
        self._gone = self._ended = True
        self._connections.discard(self)
        self._door.here[self._network] -= 1
        if not self._door.here[self._network]:
            del self._door.here[self._network]
        self._leave()

    def pause_writing(self) -> None:
        """The page does not take what it is sent: nothing is heard of it until it does."""
        self.is_full = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It takes again."""
        self.is_full = False
        self._transport.resume_reading()
        self._door.meetings.turn()

    def hang_up(self) -> None:
        """Ends the connection now."""
        self._transport.abort()

    def shutdown(self) -> None:
        """The server stops: the page is told that it may come again."""
        self._end(CloseCode.SERVICE_RESTART, "")

    # Reading -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Frames, or parts of them."""
        if self._greeted and not self._ended:
            self.hang_up_at = self._door.now() + SILENCE_SECONDS
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and not self._ended:
                self._frame(event)
        self._flush()

    def eof_received(self) -> bool:
        """The page will send nothing more."""
        self._protocol.receive_eof()
        self._flush()
        return False

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._opcode, self._parts, self._bytes = frame.opcode, [], 0
        elif frame.opcode is not Opcode.CONT:
            return
        self._parts.append(bytes(frame.data))
        self._bytes += len(frame.data)
        most = MESSAGE_BYTES_MAX if self._greeted else HELLO_BYTES_MAX
        if self._bytes > most or len(self._parts) > FRAGMENTS_MAX:
            self._end(CloseCode.MESSAGE_TOO_BIG, "too_big")
        elif frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._message(whole)

    def _message(self, whole: bytes) -> None:
        if self._opcode is Opcode.BINARY:
            why = self._door.meetings.block(self._seat, whole) if self._seat else "unknown"
        else:
            why = self._text(whole)
        if why:
            self._end(CloseCode.POLICY_VIOLATION, why)

    def _text(self, whole: bytes) -> str | None:
        try:
            message = orjson.loads(whole)
        except ValueError:
            return "unknown"
        if not isinstance(message, dict):
            return "unknown"
        if self._says_too_much(message):
            return "too_many"
        if self._seat:
            return self._door.meetings.said(self._seat, message)
        if self._greeted:
            return None  # it is being let in
        return self._hello(message)

    def _says_too_much(self, message: dict[str, Any]) -> bool:
        """Asking for pieces and having them is as fast as the relay is; everything else is said now and then."""
        if message.get("do") in ("want", "got"):
            return False
        second = int(self._door.now())
        self._words = self._words + 1 if second == self._second else 1
        self._second = second
        return self._words > WORDS_PER_SECOND

    def _hello(self, message: dict[str, Any]) -> str | None:
        ticket = opened(str(message.get("ticket")), key=self._door.key, at_us=self._door.now_us())
        if ticket is None:
            return "ticket"
        self._greeted = True
        self.hang_up_at = self._door.now() + SILENCE_SECONDS
        page = Page(
            end=self,
            ticket=ticket,
            key=key_from(message.get("key")),
            direct=message.get("direct") is True,
        )
        have = message.get("have")
        self._door.tasks.start(self._let_in(page, have if type(have) is int else 0, str(message.get("of"))))
        return None

    async def _let_in(self, page: Page, have: int, of: str) -> None:
        """The gate first: a title that may not be passed on has no room."""
        why = "season" if page.ticket.ends_us <= self._door.now_us() else ""
        try:
            why = why or ("" if await self._door.is_open(page.ticket.title) else "withdrawn")
        except Away:
            self._end(CloseCode.TRY_AGAIN_LATER, "")
            return
        if self._ended:
            return
        if why:
            self.tell({"now": "closed", "why": why})
            self.close()
        else:
            self._seat = self._door.meetings.enter(page, have=have, of=of)

    def _leave(self) -> None:
        seat, self._seat = self._seat, None
        if seat:
            self._door.meetings.leave(seat)

    # Writing -----------------------------------------------------------------------------------------------------

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message."""
        if not self._ended:
            self._send(lambda: self._protocol.send_text(orjson.dumps(message)))

    def pass_on(self, frame: bytes) -> None:
        """Send a block with what stands before it."""
        if not self._ended:
            self._send(lambda: self._protocol.send_binary(frame))

    def close(self) -> None:
        """End the connection once what was told has left."""
        self._end(CloseCode.NORMAL_CLOSURE, "")

    def _end(self, code: int, why: str) -> None:
        """Nothing more is heard of the page; it has the time of a first word to say goodbye too."""
        if self._ended:
            return
        self._ended = True
        self.hang_up_at = self._door.now() + FIRST_WORD_SECONDS
        self._send(lambda: self._protocol.send_close(code, why))
        self._leave()

    def _send(self, write: Callable[[], None]) -> None:
        try:
            write()
        except InvalidState:
            return  # it is closing already
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()
        if self._transport.get_write_buffer_size() > UNTAKEN_BYTES_MAX:
            self.hang_up()
