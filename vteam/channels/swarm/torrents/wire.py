"""The peer protocol as the witness speaks it, no socket in it: bytes in, what happened and bytes to send out.

BEPs 3, 6, 9 and 10. The witness has nothing, gives nothing but the metadata, and asks for one piece at a time to see
whether the other has what it says. Strangers speak here: a frame has a length, a peer so many messages a minute, and
whatever the protocol does not allow is `Garbage`, upon which the connection is ended.
"""

import hashlib
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastbencode import bencode

from vteam.channels.swarm.torrents.messages import (
    CLIENT_CHARACTERS_MAX,
    EXTENSIONS_BIT,
    EXTENSIONS_BYTE,
    FAST_BIT,
    FAST_BYTE,
    HANDSHAKE_BYTES,
    OUR_METADATA,
    PROTOCOL,
    RESERVED,
    SIZES,
    Garbage,
    Kind,
    about_us,
    dictionary,
    printable,
)
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.programs import name_of

BLOCK_BYTES = 16 * 1024
PIECE_HEAD_BYTES = 9
PIECE_SECONDS_MAX = 60.0
ASK_AGAIN_SECONDS = 10.0
# Between two calls of `turn`. HAVEs come on top: each piece once, and some clients say what they have more often.
MESSAGES_MAX = 2_000
MESSAGES_PER_PIECE_MAX = 4
UNASKED_BLOCKS_MAX = 1_024
METADATA_REQUEST, METADATA_DATA, METADATA_REJECT = 0, 1, 2
KEEP_ALIVE = bytes(4)

_LENGTH = struct.Struct("!I")
_BLOCK = struct.Struct("!III")


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole piece came that was asked for. `right`: it has the hash it should have."""

    index: int
    right: bool


@dataclass(frozen=True, slots=True)
class MetadataAsked:
    """The other end wants a block of the info dictionary; to be given or refused."""

    block: int


Event = Answered | MetadataAsked

Admits = Callable[[bytes, bytes], Torrent | None]
"""Info hash and peer id (20 bytes each): the torrent, or None where this peer is not let in."""


class Challenge:
    """A piece that was asked for, and what came of it."""

    __slots__ = ("asked_at", "content", "index", "missing", "since")

    def __init__(self, index: int, size: int, at: float) -> None:
        self.index = index
        self.content = bytearray(size)
        self.missing = set(range(0, size, BLOCK_BYTES))
        self.asked_at = at
        # Seconds count while the other end lets us ask; None: it does not at the moment.
        self.since: float | None = at


class Wire:
    """One connection. Times are seconds of any clock that does not go back.

    `torrent`: given where we dialled, and the greeting is sent at once; otherwise the other end greets first.
    `peer_id` (theirs) and `torrent` are known once it has. `at_hand`: how many pieces it has. `client`: its name.
    `is_introduced`: it may have said what it has; before, `at_hand` means nothing.
    """

    __slots__ = (
        "_admits",
        "_bits",
        "_challenge",
        "_dialled",
        "_fast",
        "_interested",
        "_length_max",
        "_messages",
        "_our_id",
        "_out",
        "_rest",
        "_their_metadata",
        "_unasked",
        "_unchoked",
        "at_hand",
        "client",
        "is_introduced",
        "peer_id",
        "torrent",
    )

    def __init__(self, *, our_id: bytes, admits: Admits, torrent: Torrent | None = None) -> None:
        self._our_id = our_id
        self._admits = admits
        self._dialled = torrent.info_hash if torrent else None
        self._out: list[bytes] = []
        self._rest = bytearray()
        self._fast = self._unchoked = self._interested = False
        self._bits = 0
        self._challenge: Challenge | None = None
        self._messages = 0
        self._unasked = 0
        self._their_metadata = 0
        self._length_max = 0
        self.torrent: Torrent | None = None
        self.peer_id = b""
        self.client = ""
        self.at_hand = 0
        self.is_introduced = False
        if torrent:
            self._greet(torrent.info_hash)

    def to_send(self) -> bytes:
        """What is to be sent now; afterwards it counts as sent."""
        out, self._out = b"".join(self._out), []
        return out

    def receive(self, data: bytes | bytearray, at: float) -> list[Event]:
        """What these bytes bring; Garbage when they are none of the protocol's, and the connection is to be ended."""
        rest = self._rest
        rest += data
        begin = 0
        if self.torrent is None:
            self._expect_the_protocol()
            if len(rest) < HANDSHAKE_BYTES:
                return []
            self._handshake(bytes(rest[:HANDSHAKE_BYTES]))
            begin = HANDSHAKE_BYTES
        events: list[Event] = []
        while len(rest) - begin >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(rest, begin)
            if length > self._length_max:
                raise Garbage("a message longer than any can be")
            end = begin + _LENGTH.size + length
            if len(rest) < end:
                break
            self._count()
            if length:
                self._message(rest[begin + _LENGTH.size], bytes(rest[begin + 5 : end]), at, events)
            begin = end
        del rest[:begin]
        return events

    # The greeting ------------------------------------------------------------------------------------------------

    def _expect_the_protocol(self) -> None:
        start = self._rest[: len(PROTOCOL)]
        if start != PROTOCOL[: len(start)]:
            raise Garbage("no BitTorrent")

    def _handshake(self, theirs: bytes) -> None:
        reserved, info_hash, peer_id = theirs[20:28], theirs[28:48], theirs[48:]
        if peer_id == self._our_id:
            raise Garbage("we met ourselves")
        if self._dialled is not None and info_hash != self._dialled:
            raise Garbage("another torrent than was dialled for")
        torrent = self._admits(info_hash, peer_id)
        if torrent is None:
            raise Garbage("a torrent or a peer that was not introduced")
        self.torrent, self.peer_id = torrent, peer_id
        self.client = name_of(peer_id)
        self._fast = bool(reserved[FAST_BYTE] & FAST_BIT)
        self._length_max = max(BLOCK_BYTES + PIECE_HEAD_BYTES, 1 + -(-torrent.template.pieces // 8))
        if self._dialled is None:
            self._greet(info_hash)
        if self._fast:
            self._say(Kind.HAVE_NONE)
        if reserved[EXTENSIONS_BYTE] & EXTENSIONS_BIT:
            self._say(Kind.EXTENDED, b"\x00" + about_us(len(torrent.info())))

    def _greet(self, info_hash: bytes) -> None:
        self._out.append(PROTOCOL + RESERVED + info_hash + self._our_id)

    # Messages ----------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """A minute is over: the other end may send as many messages again."""
        self._messages = 0

    def keep_alive(self) -> None:
        """Says that we are still here."""
        self._out.append(KEEP_ALIVE)

    def _say(self, kind: Kind, body: bytes = b"") -> None:
        self._out.append(_LENGTH.pack(1 + len(body)) + bytes((kind,)) + body)

    def _count(self) -> None:
        self._messages += 1
        if self._messages > MESSAGES_MAX + MESSAGES_PER_PIECE_MAX * self._pieces:
            raise Garbage("more messages than a minute can need")

    def _message(self, kind: int, body: bytes, at: float, events: list[Event]) -> None:
        read = _READERS.get(kind)
        if read is None:
            raise Garbage("a message of no kind there is")
        size = SIZES.get(kind)
        if size is not None and len(body) != size:
            raise Garbage("a message of a wrong length")
        event = read(self, body, at)
        if event is not None:
            events.append(event)
        # Some tell of their extensions before they tell of their pieces.
        self.is_introduced = self.is_introduced or kind != Kind.EXTENDED

    @property
    def _pieces(self) -> int:
        return self.torrent.template.pieces if self.torrent else 0

    def _index(self, body: bytes) -> int:
        index = int.from_bytes(body[:4], "big")
        if index >= self._pieces:
            raise Garbage("a piece that is none of the torrent's")
        return index

    def _want(self) -> None:
        """Interested, and so unchoked in time."""
        if not self._interested:
            self._interested = True
            self._say(Kind.INTERESTED)

    def _have(self, body: bytes, _at: float) -> None:
        bit = 1 << self._index(body)
        if not self._bits & bit:
            self._bits |= bit
            self.at_hand += 1
        self._want()

    def _bitfield(self, body: bytes, _at: float) -> None:
        spare = -self._pieces % 8
        if len(body) != -(-self._pieces // 8):
            raise Garbage("a bitfield of another torrent")
        bits = int.from_bytes(body, "big")
        if bits & ((1 << spare) - 1):
            raise Garbage("a bitfield with pieces beyond the last")
        # Piece 0 is the highest bit on the wire, the lowest here.
        self._bits = int(f"{bits:0{len(body) * 8}b}"[::-1], 2)
        self.at_hand = bits.bit_count()
        self._want()

    def _have_all(self, _body: bytes, _at: float) -> None:
        self._needs_fast()
        self._bits, self.at_hand = (1 << self._pieces) - 1, self._pieces
        self._want()

    def _have_none(self, _body: bytes, _at: float) -> None:
        self._needs_fast()
        self._bits = self.at_hand = 0
        self._want()

    def _needs_fast(self) -> None:
        if not self._fast:
            raise Garbage("a message of an extension it does not have")

    def _request(self, body: bytes, _at: float) -> None:
        self._index(body)
        if self._fast:
            self._say(Kind.REJECT, body)

    def _suggested(self, body: bytes, _at: float) -> None:
        self._needs_fast()
        self._index(body)

    def _passed_over(self, _body: bytes, _at: float) -> None:
        """Concerns those who give or take."""

    # The challenge -----------------------------------------------------------------------------------------------

    @property
    def may_ask(self) -> bool:
        """Whether a piece can be asked for now: one at a time, and only what the other end lets us have."""
        return self._challenge is None and self._unchoked and self._bits != 0

    def ask(self, choice: random.Random, at: float) -> int | None:
        """Asks for a random one of the pieces the other end says it has; None when none can be asked for now.

        Not for those it allows a peer it chokes (BEP 6): it would choose what it is asked for.

        What was asked for stays asked for: being choked or rejected does not bring another piece.
        """
        if not self.may_ask or self.torrent is None:
            return None
        index = _nth_one(self._bits, choice.randrange(self._bits.bit_count()))
        self._challenge = Challenge(index, self.torrent.template.piece_size(index), at)
        self._request_missing(self._challenge, at)
        return index

    def tick(self, at: float) -> bool:
        """Asks again for what was rejected; whether what was asked for did not come in time, and is given up."""
        challenge = self._challenge
        if challenge is None or challenge.since is None:
            return False
        if at - challenge.since > PIECE_SECONDS_MAX:
            self._challenge = None
            return True
        if at - challenge.asked_at > ASK_AGAIN_SECONDS and self._may_ask(challenge):
            self._request_missing(challenge, at)
        return False

    def _may_ask(self, challenge: Challenge) -> bool:
        return self._unchoked

    def _request_missing(self, challenge: Challenge, at: float) -> None:
        challenge.asked_at = at
        for begin in sorted(challenge.missing):
            size = min(BLOCK_BYTES, len(challenge.content) - begin)
            self._say(Kind.REQUEST, _BLOCK.pack(challenge.index, begin, size))

    def _choke(self, _body: bytes, at: float) -> None:
        self._unchoked = False
        challenge = self._challenge
        if challenge is not None and not self._may_ask(challenge):
            challenge.since = None

    def _unchoke(self, _body: bytes, at: float) -> None:
        was, self._unchoked = self._unchoked, True
        challenge = self._challenge
        if challenge is not None and not was and challenge.since is None:
            challenge.since = at
            self._request_missing(challenge, at)

    def _rejected(self, body: bytes, _at: float) -> None:
        self._needs_fast()
        self._index(body)

    def _block(self, body: bytes, _at: float) -> Answered | None:
        if len(body) < PIECE_HEAD_BYTES - 1:
            raise Garbage("a message of a wrong length")
        index, begin = self._index(body), int.from_bytes(body[4:8], "big")
        challenge = self._challenge
        if challenge is None or index != challenge.index or begin not in challenge.missing:
            self._unasked += 1  # one that was asked for twice comes twice
            if self._unasked > UNASKED_BLOCKS_MAX:
                raise Garbage("more than was asked for")
            return None
        size = min(BLOCK_BYTES, len(challenge.content) - begin)
        if len(body) - 8 != size:
            raise Garbage("a block of another length than was asked for")
        challenge.content[begin : begin + size] = body[8:]
        challenge.missing.discard(begin)
        return None if challenge.missing else self._whole(challenge)

    def _whole(self, challenge: Challenge) -> Answered | None:
        self._challenge = None
        assert self.torrent is not None
        found = hashlib.sha1(challenge.content, usedforsecurity=False).digest()
        return Answered(challenge.index, found == self.torrent.piece_hash(challenge.index))

    # Extensions --------------------------------------------------------------------------------------------------

    def _extended(self, body: bytes, _at: float) -> MetadataAsked | None:
        if not body:
            raise Garbage("an extended message of no kind")
        if body[0] == 0:
            self._extended_handshake(dictionary(body[1:]))
        elif body[0] == OUR_METADATA:
            return self._metadata_message(dictionary(body[1:]))
        return None  # of an extension we never said we have: harmless, some clients send them all the same

    def _extended_handshake(self, told: dict[bytes, Any]) -> None:
        numbers = told.get(b"m")
        number = numbers.get(b"ut_metadata") if isinstance(numbers, dict) else None
        self._their_metadata = number if isinstance(number, int) and 0 < number < 256 else 0
        name = told.get(b"v")
        if isinstance(name, bytes) and name:
            self.client = printable(name[: 4 * CLIENT_CHARACTERS_MAX].decode(errors="replace"))

    def _metadata_message(self, told: dict[bytes, Any]) -> MetadataAsked | None:
        kind, block = told.get(b"msg_type"), told.get(b"piece")
        if not isinstance(kind, int) or not isinstance(block, int) or block < 0:
            raise Garbage("a metadata message that says nothing")
        if kind != METADATA_REQUEST or not self._their_metadata:
            return None
        return MetadataAsked(block)

    def metadata_bytes(self, block: int) -> tuple[int, int]:
        """How long a block of the info dictionary is, and all of it; 0 where there is no such block."""
        assert self.torrent is not None
        whole = len(self.torrent.info())
        return max(0, min(BLOCK_BYTES, whole - block * BLOCK_BYTES)), whole

    def give_metadata(self, block: int) -> None:
        """Sends a block of the info dictionary, which has one."""
        assert self.torrent is not None
        info = self.torrent.info()
        told = {b"msg_type": METADATA_DATA, b"piece": block, b"total_size": len(info)}
        content = info[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES]
        self._say(Kind.EXTENDED, bytes((self._their_metadata,)) + bencode(told) + content)

    def refuse_metadata(self, block: int) -> None:
        """Says that this block is not given."""
        told = {b"msg_type": METADATA_REJECT, b"piece": block}
        self._say(Kind.EXTENDED, bytes((self._their_metadata,)) + bencode(told))


_READERS: dict[int, Callable[[Wire, bytes, float], Event | None]] = {
    Kind.CHOKE: Wire._choke,
    Kind.UNCHOKE: Wire._unchoke,
    Kind.INTERESTED: Wire._passed_over,
    Kind.NOT_INTERESTED: Wire._passed_over,
    Kind.HAVE: Wire._have,
    Kind.BITFIELD: Wire._bitfield,
    Kind.REQUEST: Wire._request,
    Kind.PIECE: Wire._block,
    Kind.CANCEL: Wire._passed_over,
    Kind.PORT: Wire._passed_over,
    Kind.SUGGEST: Wire._suggested,
    Kind.HAVE_ALL: Wire._have_all,
    Kind.HAVE_NONE: Wire._have_none,
    Kind.REJECT: Wire._rejected,
    Kind.ALLOWED_FAST: Wire._suggested,
    Kind.EXTENDED: Wire._extended,
}


def _nth_one(bits: int, nth: int) -> int:
    """Where the one number `nth` (from 0) of a number's bits stands, from the lowest."""
    for _ in range(nth):
        bits &= bits - 1
    return (bits & -bits).bit_length() - 1
