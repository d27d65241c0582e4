"""The witness's connections: it listens to torrent clients that the tracker introduced, and calls those it may.

One asyncio protocol a connection, one clock for all. What is said is read by `wire` and judged by `watch`; here are the
limits: how many connections there are in all, of a network and of an address; how long a handshake, a silence and an
answer may take; how much metadata an address is given. Who was not introduced is hung up on without a word.
"""

import asyncio
import logging
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from vteam.channels.swarm.torrents.announce import plain_address
from vteam.channels.swarm.torrents.dialling import Dials
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.mse import Obfuscated, Stream
from vteam.channels.swarm.torrents.watch import Book, Meeting, Reach
from vteam.channels.swarm.torrents.wire import PROTOCOL, Malformed, Wire
from vteam.edge.tasks import Tasks
from vteam.rules.networks import near_network

HANDSHAKE_S, SILENCE_S, ANSWER_S, KEEP_ALIVE_S, CONNECT_S = 10.0, 180.0, 60.0, 100.0, 5.0
PER_NETWORK, PER_ADDRESS = 64, 8
UNSENT_BYTES_MAX = 256 * 1024
METADATA_BYTES_HOUR, METADATA_ADDRESSES = 2**20, 10_000
CALLS_AT_ONCE, CALLS_WAITING = 50, 1_000
CALL_AFTER_S = 8.0
PROBE_AGAIN_S = 3600.0
HOUR_S = 3600.0
logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Call:
    """Somebody to be called at `due` (s). `probe`: only to see whether it can be reached."""

    torrent: Torrent
    address: str
    port: int
    probe: bool
    due: float
    encrypted: bool = False


@dataclass(slots=True, kw_only=True)
class Witness:
    """All connections. `connections_max`: in all; `now`: the loop's clock (s)."""

    book: Book
    dials: Dials
    connections_max: int
    now: Callable[[], float]
    now_us: Callable[[], int]
    turned_away: int = 0
    called: int = 0
    _here: set["Connection"] = field(default_factory=set)
    _networks: Counter[str] = field(default_factory=Counter)
    _addresses: Counter[str] = field(default_factory=Counter)
    _waiting: "OrderedDict[tuple[bytes, str, int], Call]" = field(default_factory=OrderedDict)
    _probed: "OrderedDict[tuple[bytes, str], float]" = field(default_factory=OrderedDict)
    _metadata: "OrderedDict[str, tuple[float, int]]" = field(default_factory=OrderedDict)
    _calling: int = 0
    _tasks: Tasks = field(default_factory=Tasks)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._here)

    def connection(self) -> "Connection":
        """For one who comes."""
        return Connection(self)

    def close_titles(self, titles: Collection[int]) -> None:
        """Ends every connection about titles that may not be passed on any more."""
        for connection in list(self._here):
            if connection.title in titles:
                connection.hang_up()
        for name in [name for name, call in self._waiting.items() if call.torrent.title in titles]:
            del self._waiting[name]

    def close(self) -> None:
        """Ends every connection."""
        for connection in list(self._here):
            connection.hang_up()

    def turn(self) -> None:
        """Every second: who is late is hung up on, who can be asked is, who waits to be called is."""
        now, at_us = self.now(), self.now_us()
        for connection in list(self._here):
            connection.turn(now, at_us)
        for name, call in list(self._waiting.items()):
            if call.due > now or self._calling >= CALLS_AT_ONCE:
                continue
            del self._waiting[name]
            if call.probe or not self._is_here(call.torrent, call.address):
                self._call(call, now)

    # Room --------------------------------------------------------------------------------------------------------
    def enter(self, connection: "Connection", address: str) -> bool:
        """Whether there is room for one more of this address."""
        near = near_network(address)
        if (
            len(self._here) >= self.connections_max
            or self._networks[near] >= PER_NETWORK
            or self._addresses[address] >= PER_ADDRESS
        ):
            self.turned_away += 1
            return False
        self._here.add(connection)
        self._networks[near] += 1
        self._addresses[address] += 1
        return True

    def leave(self, connection: "Connection", address: str) -> None:
        """A connection that had entered is over."""
        self._here.discard(connection)
        for counted, name in ((self._networks, near_network(address)), (self._addresses, address)):
            counted[name] -= 1
            if counted[name] <= 0:
                del counted[name]

    def may_have_metadata(self, address: str, size: int) -> bool:
        """Whether an address may be sent so many bytes more this hour."""
        now = self.now()
        since, given = self._metadata.pop(address, (now, 0))
        if now - since > HOUR_S:
            since, given = now, 0
        while len(self._metadata) >= METADATA_ADDRESSES:
            self._metadata.popitem(last=False)
        may = given + size <= METADATA_BYTES_HOUR
        self._metadata[address] = (since, given + size if may else given)
        return may

    # Calling -----------------------------------------------------------------------------------------------------
    def consider(self, torrent: Torrent, address: str, port: int, *, seeds: bool) -> None:
        """A client announced: one that seeds is called now and then to learn whether it can be, another if it does
        not come by itself.
        """
        now, who = self.now(), (torrent.info_hash, address)
        if seeds:
            if now - self._probed.get(who, -PROBE_AGAIN_S) < PROBE_AGAIN_S:
                return
            self._probed[who] = now
            self._probed.move_to_end(who)
            while len(self._probed) > METADATA_ADDRESSES:
                self._probed.popitem(last=False)
        elif self._is_here(torrent, address):
            return
        if len(self._waiting) < CALLS_WAITING:
            due = now + (0 if seeds else CALL_AFTER_S)
            call = Call(torrent=torrent, address=address, port=port, probe=seeds, due=due)
            self._waiting.setdefault((*who, port), call)

    def _is_here(self, torrent: Torrent, address: str) -> bool:
        """Whether a client of this address is connected about this torrent."""
        if not self._addresses[address]:
            return False
        return any(each.address == address and each.is_about(torrent) for each in self._here)

    def _call(self, call: Call, now: float) -> None:
        if call.encrypted or self.dials.may(call.address, call.port, now=now):
            self.called += 1
            self._calling += 1
            self._tasks.start(self._dialled(call))

    async def _dialled(self, call: Call) -> None:
        was_here = self._is_here(call.torrent, call.address)
        loop, reach = asyncio.get_running_loop(), Reach.CLOSED
        connection = Connection(self, call)
        try:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    await loop.create_connection(lambda: connection, call.address, call.port)
                    reach = Reach.SILENT
            if reach is Reach.SILENT:
                await connection.answered
                if connection.has_shaken:
                    reach = Reach.ENCRYPTED if call.encrypted else Reach.OPEN
                elif was_here or self._is_here(call.torrent, call.address):
                    reach = Reach.OPEN  # clients take one connection of an address, and we have one already
                elif not call.encrypted:
                    call.encrypted, call.due = True, self.now()
                    self._waiting[call.torrent.info_hash, call.address, call.port] = call
                    return
            self.book.reached(call.torrent, call.address, reach, self.now_us())
        finally:
            self._calling -= 1


class Connection(asyncio.Protocol):
    """One client. An `asyncio.Protocol` and a `wire.Talk`."""

    __slots__ = (
        "_asked_at", "_asks", "_call", "_entered", "_hang_up_at", "_kept_alive", "_meeting", "_mse", "_reads", "_sends",
        "_transport", "_wire", "_witness", "address", "answered", "has_shaken",
    )  # fmt: skip

    def __init__(self, witness: Witness, call: Call | None = None) -> None:
        self._witness, self._call = witness, call
        self._wire = Wire(self, peer_id=_peer_id(), dialled=call.torrent if call else None)
        self._transport: Any = None
        self._meeting: Meeting | None = None
        self._mse: Obfuscated | None = None
        self._reads: Stream | None = None
        self._sends: Stream | None = None
        self._entered = self.has_shaken = False
        self._hang_up_at = self._asked_at = self._kept_alive = 0.0
        self._asks = -1
        self.address = ""
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def title(self) -> int | None:
        """The title it is about, once that is known."""
        return self._wire.torrent.title if self._wire.torrent else None

    def is_about(self, torrent: Torrent) -> bool:
        """Whether it is about a torrent, and has shaken hands."""
        about = self._wire.torrent
        return self.has_shaken and about is not None and about.info_hash == torrent.info_hash

    # The connection ----------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is let in where there is room."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        try:
            self.address = plain_address(peer[0])
        except (TypeError, ValueError):
            self._transport.abort()  # it is gone already
            return
        self._entered = self._witness.enter(self, self.address)
        if not self._entered:
            self._transport.abort()
            return
        self._kept_alive = self._witness.now()
        self._hang_up_at = self._kept_alive + HANDSHAKE_S
        if self._call and self._call.encrypted:
            self._mse = Obfuscated(find=lambda _: None, info_hash=self._call.torrent.info_hash)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self.answered.done():
            self.answered.set_result(None)
        if self._entered:
            self._entered = False
            self._witness.leave(self, self.address)
        meeting, self._meeting = self._meeting, None
        if meeting:
            meeting.left(self._witness.now_us())

    def data_received(self, data: bytes) -> None:
        """Bytes of the client, in clear or not."""
        if not self._entered:
            return
        try:
            self._read(data)
        except Malformed:
            self.hang_up()
        except Exception:
            logger.exception("a torrent client was not answered as it should be: our own fault")
            self.hang_up()
        else:
            self._flush()

    def _read(self, data: bytes) -> None:
        is_first = not self.has_shaken and self._mse is None and self._reads is None and not self._call
        if is_first and not self._wire.has_begun and data[:1] != PROTOCOL[:1]:
            self._mse = Obfuscated(find=self._witness.book.by_mark)
        if self._mse is not None:
            self._mse.feed(data)
            if not self._mse.is_done:
                return
            data, self._reads, sends = self._mse.clear, self._mse.reads, self._mse.sends
            self._transport.write(bytes(self._mse.out))
            self._mse, self._sends = None, sends
        elif self._reads is not None:
            data = self._reads.update(data)
        self._wire.feed(data)
        if self.has_shaken:
            self._hang_up_at = self._witness.now() + SILENCE_S
            self._ask()

    def hang_up(self) -> None:
        """Ends it now."""
        self._transport.abort()

    def turn(self, now: float, at_us: int) -> None:
        """Every second."""
        if now > self._hang_up_at or self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.hang_up()
            return
        if not self.has_shaken:
            return
        if self._asks >= 0 and now - self._asked_at > ANSWER_S:
            self._wire.give_up()
            self.refused()
        if now - self._kept_alive > KEEP_ALIVE_S:
            self._kept_alive = now
            self._wire.keep_alive()
        self._ask()
        self._flush()

    def _ask(self) -> None:
        """Asks for a piece, where one is due and the client gives any."""
        if self._meeting is None or self._asks >= 0:
            return
        index = self._wire.askable()
        if index is not None and self._meeting.wants(self._witness.now_us()):
            self._asks, self._asked_at = index, self._witness.now()
            self._wire.ask(index)

    def _flush(self) -> None:
        mse, out = self._mse, self._wire.out
        if mse is not None:
            if mse.out:
                self._transport.write(bytes(mse.out))
                mse.out.clear()
        elif out:
            data = bytes(out)
            out.clear()
            self._transport.write(self._sends.update(data) if self._sends else data)

    # What the client says ----------------------------------------------------------------------------------------
    def shook(self, info_hash: bytes, peer_id: bytes) -> Torrent | None:
        """Its handshake: whoever the tracker did not introduce may not stay, nor who was only to be reached."""
        witness, call = self._witness, self._call
        torrent = witness.book.active(info_hash)
        if torrent is None or not witness.book.expects(torrent, self.address, peer_id):
            return None
        self.has_shaken = True
        if not self.answered.done():
            self.answered.set_result(None)
        if call and call.probe:
            return None
        self._meeting = witness.book.meet(torrent, self.address, peer_id, "", witness.now_us())
        return torrent

    def named(self, client: str) -> None:
        """What it calls itself."""
        if self._meeting:
            self._meeting.named(client)

    def has(self, pieces: int) -> None:
        """How many pieces it has."""
        if self._meeting:
            self._meeting.has(pieces, self._witness.now_us())

    def gave(self, index: int, right: bool) -> None:
        """A piece came."""
        self._asks = -1
        if self._meeting:
            self._meeting.answered(index, right, self._witness.now_us())

    def refused(self) -> None:
        """What was asked for does not come."""
        self._asks = -1
        if self._meeting:
            self._meeting.unanswered(self._witness.now_us())

    def may_have_metadata(self, size: int) -> bool:
        """Whether it may be sent so many bytes more of metadata."""
        return self._witness.may_have_metadata(self.address, size)


def _peer_id() -> bytes:
    """Another one for each connection: clients refuse a second one of a peer they know."""
    return b"-VT0100-" + secrets.token_bytes(12)
