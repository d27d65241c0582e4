"""One connection between a torrent client and the witness: bytes to the wire, what it says to the book.

The greeting has its time, silence too; whoever does not read is not read. What is no BitTorrent ends it, without a
word. No timer of its own: the witness' clock ticks for all.
"""

import asyncio
import math
import random
from typing import TYPE_CHECKING, cast

from vteam import clock
from vteam.channels.swarm.torrents.announce import plain_address
from vteam.channels.swarm.torrents.messages import Garbage
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.mse import Initiator, Responder, is_plain
from vteam.channels.swarm.torrents.watch import Meeting
from vteam.channels.swarm.torrents.wire import MetadataAsked, Wire
from vteam.edge.dials import Peer
from vteam.rules.networks import near_network

if TYPE_CHECKING:
    from vteam.edge.witness import Witness

GREETING_SECONDS_MAX = 10.0
SILENCE_SECONDS_MAX = 180.0
KEEP_ALIVE_SECONDS = 100.0
# A client that has nothing and no extensions says nothing after its greeting.
INTRODUCTION_SECONDS_MAX = 2.0
UNREAD_BYTES_MAX = 64 * 1024
CHOICE = random.SystemRandom()


class Connection(asyncio.Protocol):
    """One connection, dialled or not. `hang_up_at`: the loop's time after which it is ended.

    `greeting`: told whether the other end greeted us. `had_room`: whether it was let in at all.
    """

    __slots__ = (
        "_cover",
        "_greeting",
        "_heard_at",
        "_is_in",
        "_meeting",
        "_network",
        "_said_at",
        "_start",
        "_told",
        "_transport",
        "_wire",
        "_witness",
        "address",
        "had_room",
        "hang_up_at",
    )

    def __init__(
        self,
        witness: "Witness",
        *,
        dialled: Peer | None = None,
        greeting: asyncio.Future[bool] | None = None,
        obfuscated: bool = False,
    ) -> None:
        self._witness = witness
        torrent = dialled.torrent if dialled else None
        self._wire = Wire(our_id=witness.our_id, admits=self._admits, torrent=torrent)
        self._cover: Initiator | Responder | None = None
        if torrent and obfuscated:
            self._cover = Initiator(torrent.info_hash, self._wire.to_send())
        # What came while nobody could tell whether it is obfuscated; None: it can be told.
        self._start: bytearray | None = None if dialled else bytearray()
        self._meeting: Meeting | None = None
        self._told = -1
        self._is_in = self.had_room = False
        self._heard_at = self._said_at = 0.0
        self.address = dialled.address if dialled else ""
        self.hang_up_at = math.inf
        # Whether the other end greeted us; only those who dial wait for it.
        self._greeting = greeting

    @property
    def torrent(self) -> Torrent | None:
        """What it is about, once the other end has greeted us."""
        return self._wire.torrent

    @property
    def peer_id(self) -> bytes:
        """Theirs, once they have greeted us."""
        return self._wire.peer_id

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is room, or it ends at once."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if not peer:
            self.hang_up()
            return
        self.address = plain_address(peer[0])
        self._network = near_network(self.address)
        self._is_in = self.had_room = self._witness.enters(self, self._network)
        if not self._is_in:
            self.hang_up()
            return
        self._transport.set_write_buffer_limits(high=UNREAD_BYTES_MAX)
        self._heard_at = self._said_at = self._witness.now()
        self.hang_up_at = self._heard_at + GREETING_SECONDS_MAX
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The book is told, room is made."""
        if self._is_in:
            self._is_in = False
            self._witness.left(self, self._network, self.torrent)
        if self._meeting is not None:
            self._meeting.left(clock.now_us())
            self._meeting = None
        self._greeted(False)

    def pause_writing(self) -> None:
        """The other end does not read: it is not read either until it does, and silence has its end."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._transport.resume_reading()

    def hang_up(self) -> None:
        """Ends it now."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """What the other end says; Garbage ends it."""
        if not self._is_in or self._transport.is_closing():
            return
        now = self._heard_at = self._witness.now()
        try:
            self._hear(self._in_plain(data), now)
        except Garbage:
            self.hang_up()

    def _in_plain(self, data: bytes) -> bytes:
        if self._start is not None:
            self._start += data
            plain = is_plain(self._start)
            if plain is None:
                return b""
            data, self._start = bytes(self._start), None
            if not plain:
                self._cover = Responder(self._witness.finds)
        if self._cover is None:
            return data
        plain_bytes = self._cover.receive(data)
        shaken = self._cover.to_send()
        if shaken:
            self._transport.write(shaken)
        return plain_bytes

    def _hear(self, plain: bytes, now: float) -> None:
        wire, at_us = self._wire, clock.now_us()
        if not plain:
            return
        is_new = wire.torrent is None
        for event in wire.receive(plain, now):
            if isinstance(event, MetadataAsked):
                self._metadata_asked(event.block)
            else:
                self._meet(at_us).answered(event.index, event.right, at_us)
        if wire.torrent is None:
            return
        if is_new:
            self._greeted(True)
        self.hang_up_at = now + SILENCE_SECONDS_MAX
        if wire.is_introduced:
            self._tell(now, at_us)
        self._flush()

    def _admits(self, info_hash: bytes, peer_id: bytes) -> Torrent | None:
        witness = self._witness
        torrent = witness.active(info_hash)
        if torrent is None or not witness.book.expects(torrent, self.address, peer_id):
            return None
        return torrent if witness.greeted(self, torrent) else None

    def _greeted(self, greeted: bool) -> None:
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_result(greeted)

    def _meet(self, at_us: int) -> Meeting:
        if self._meeting is None:
            wire = self._wire
            assert wire.torrent is not None
            self._meeting = self._witness.book.meet(
                wire.torrent, self.address, wire.peer_id, wire.client, at_us
            )
        return self._meeting

    def _tell(self, now: float, at_us: int) -> None:
        """How many pieces it has, if that is news, and whether one of them is to be seen."""
        meeting, wire = self._meet(at_us), self._wire
        if wire.at_hand != self._told:
            self._told = wire.at_hand
            meeting.has(self._told, at_us)
        if wire.may_ask and meeting.wants(at_us):
            wire.ask(CHOICE, now)

    def _metadata_asked(self, block: int) -> None:
        size, whole = self._wire.metadata_bytes(block)
        if size and self._witness.may_have_metadata(self.address, size, whole):
            self._wire.give_metadata(block)
        else:
            self._wire.refuse_metadata(block)

    def tick(self, now: float, at_us: int, *, is_minute: bool) -> None:
        """A second is over."""
        wire = self._wire
        if wire.torrent is None or self._transport.is_closing():
            return
        if self._meeting is not None and self._meeting.is_over:
            self.hang_up()
            return
        if is_minute:
            wire.turn()
        if wire.tick(now):
            self._meet(at_us).unanswered(at_us)
        if wire.is_introduced or now - self._heard_at > INTRODUCTION_SECONDS_MAX:
            self._tell(now, at_us)
        if now - self._said_at > KEEP_ALIVE_SECONDS:
            wire.keep_alive()
        self._flush()

    def _flush(self) -> None:
        """Sends what the protocol wants to say: under cover, what was greeted with went along with the cover itself."""
        cover = self._cover
        if cover is not None:
            shaken = cover.to_send()
            if shaken:
                self._transport.write(shaken)
            if not cover.is_open:
                return
        said = self._wire.to_send()
        if said:
            self._said_at = self._witness.now()
            self._transport.write(cover.to_wire(said) if cover is not None else said)
