"""What the witness and a torrent client say to each other: BEPs 3, 6, 9, 10, as far as one who only looks needs them.

Bytes go in, bytes to send come out, what was said is told to a `Talk`. The witness has nothing, wants to see, and
uploads nothing but a torrent's metadata. Whatever is malformed, too long or out of range ends the connection.
"""

import hashlib
import secrets
from typing import Protocol

from fastbencode import bdecode, bencode

from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.errors import VTeamError

PROTOCOL = b"\x13BitTorrent protocol"
RESERVED = bytes.fromhex("0000000000100004")
HANDSHAKE_BYTES = 68
BLOCK = 16 * 1024
FRAME_MAX = BLOCK + 13
UNASKED_MAX = 64
"""Frames of pieces nobody asked for, and requests to one who has nothing, before a client is let go."""
OUR_NAME = b"vTeam witness"
UT_METADATA = 2
ALLOWED_FAST_MAX = 32
NAME_MAX = 60

CHOKE, UNCHOKE, INTERESTED, HAVE, BITFIELD, REQUEST, PIECE = 0, 1, 2, 4, 5, 6, 7
HAVE_ALL, HAVE_NONE, REJECT, ALLOWED_FAST, EXTENDED = 14, 15, 16, 17, 20


class Malformed(VTeamError):
    """A client does not speak the protocol; it is hung up on."""


class Talk(Protocol):
    """Who hears what a client says."""

    def shook(self, info_hash: bytes, peer_id: bytes) -> Torrent | None:
        """Its handshake; returns the torrent where it may stay."""

    def named(self, client: str) -> None:
        """What it calls itself."""

    def has(self, pieces: int) -> None:
        """How many pieces it has now."""

    def gave(self, index: int, right: bool) -> None:
        """A piece that was asked for came whole."""

    def refused(self) -> None:
        """What was asked for will not come."""

    def may_have_metadata(self, size: int) -> bool:
        """Whether it may be sent so many bytes more of metadata."""


class Wire:
    """One connection. `out`: what is to be sent, taken by whoever sends it."""

    __slots__ = (
        "_asked",
        "_fast_set",
        "_got",
        "_have",
        "_in",
        "_is_fast",
        "_piece",
        "_talk",
        "_their_metadata",
        "_unasked",
        "_unchoked",
        "count",
        "is_shaken",
        "out",
        "peer_id",
        "torrent",
    )  # fmt: skip

    def __init__(self, talk: Talk, *, peer_id: bytes, dialled: Torrent | None = None) -> None:
        self._talk, self.peer_id, self.torrent = talk, peer_id, dialled
        self._in, self.out = bytearray(), bytearray()
        self.is_shaken = self._is_fast = self._unchoked = False
        self._have = b""
        self.count = self._unasked = self._their_metadata = 0
        self._asked, self._got, self._piece = -1, 0, bytearray()
        self._fast_set: tuple[int, ...] = ()
        if dialled:
            self._shake(dialled)

    @property
    def has_begun(self) -> bool:
        """Whether anything has been read."""
        return self.is_shaken or bool(self._in)

    # Reading -----------------------------------------------------------------------------------------------------
    def feed(self, data: bytes) -> None:
        """Bytes a client sent, cut anywhere. Malformed where it is not to be listened to any longer."""
        self._in += data
        if not self.is_shaken and not self._hand():
            return
        before, at, size = self.count, 0, len(self._in)
        while size - at >= 4:
            length = int.from_bytes(self._in[at : at + 4], "big")
            if length > max(FRAME_MAX, len(self._have) + 1):
                raise Malformed("a frame is too long")
            if size - at - 4 < length:
                break
            if length:
                self._message(bytes(self._in[at + 4 : at + 4 + length]))
            at += 4 + length
        del self._in[:at]
        if self.count != before:
            self._talk.has(self.count)

    def _hand(self) -> bool:
        """Reads the handshake; whether it is there."""
        head = self._in[: len(PROTOCOL)]
        if head != PROTOCOL[: len(head)]:
            raise Malformed("no handshake")
        if len(self._in) < HANDSHAKE_BYTES:
            return False
        reserved, info_hash = bytes(self._in[20:28]), bytes(self._in[28:48])
        torrent = self._talk.shook(info_hash, bytes(self._in[48:68]))
        if torrent is None or (self.torrent is not None and info_hash != self.torrent.info_hash):
            raise Malformed("not expected")
        del self._in[:HANDSHAKE_BYTES]
        dialled, self.torrent, self.is_shaken = self.torrent, torrent, True
        self._have = bytes((torrent.template.pieces + 7) // 8)
        self._is_fast = bool(reserved[7] & 0x04)
        if not dialled:
            self._shake(torrent)
        if self._is_fast:
            self._send(HAVE_NONE)
        if reserved[5] & 0x10:
            told = {
                b"m": {b"ut_metadata": UT_METADATA},
                b"metadata_size": len(torrent.info()),
                b"reqq": 1,
                b"v": OUR_NAME,
            }
            self._send(EXTENDED, b"\0" + bencode(told))
        self._send(INTERESTED)
        return True

    def _message(self, frame: bytes) -> None:
        kind, body = frame[0], frame[1:]
        if kind == HAVE:
            self._has_one(_number(body, 4))
        elif kind == BITFIELD:
            self._has_these(body)
        elif kind in (HAVE_ALL, HAVE_NONE):
            self._has_all(kind == HAVE_ALL)
        elif kind == CHOKE:
            self._unchoked = False
            if not self._is_fast:
                self._end_asking()
        elif kind == UNCHOKE:
            self._unchoked = True
        elif kind == PIECE:
            self._came(body)
        elif kind == REJECT:
            if len(body) == 12 and int.from_bytes(body[:4], "big") == self._asked:
                self._end_asking()
        elif kind == ALLOWED_FAST:
            self._fast_set = (*self._fast_set, _number(body, 4))[-ALLOWED_FAST_MAX:]
        elif kind == REQUEST:
            self._is_asked(body)
        elif kind == EXTENDED:
            self._extended(body)

    # What it has -------------------------------------------------------------------------------------------------
    def _has_one(self, index: int) -> None:
        assert self.torrent is not None
        if index >= self.torrent.template.pieces:
            raise Malformed("a piece there is not")
        place, bit = index >> 3, 0x80 >> (index & 7)
        if not self._have[place] & bit:
            have = bytearray(self._have)
            have[place] |= bit
            self._have = bytes(have)
            self.count += 1

    def _has_these(self, bits: bytes) -> None:
        assert self.torrent is not None
        if len(bits) != len(self._have):
            raise Malformed("a bitfield of another length")
        spare = len(bits) * 8 - self.torrent.template.pieces
        number = int.from_bytes(bits, "big")
        if number & ((1 << spare) - 1):
            raise Malformed("pieces there are not")
        self._have, self.count = bits, number.bit_count()

    def _has_all(self, all_of_it: bool) -> None:
        assert self.torrent is not None
        pieces = self.torrent.template.pieces
        if not all_of_it:
            self._have, self.count = bytes(len(self._have)), 0
            return
        spare = len(self._have) * 8 - pieces
        self._have = (((1 << pieces) - 1) << spare).to_bytes(len(self._have), "big")
        self.count = pieces

    # Asking ------------------------------------------------------------------------------------------------------
    def askable(self) -> int | None:
        """A random piece that could be asked for now; None where none can."""
        if self._asked >= 0 or not self.count or not self.torrent:
            return None
        owned = [
            index
            for index in range(self.torrent.template.pieces)
            if self._have[index >> 3] & (0x80 >> (index & 7)) and (self._unchoked or index in self._fast_set)
        ]
        return secrets.choice(owned) if owned else None

    def ask(self, index: int) -> None:
        """Asks for a whole piece."""
        assert self.torrent is not None
        size = self.torrent.template.piece_size(index)
        self._asked, self._got, self._piece = index, 0, bytearray(size)
        for begin in range(0, size, BLOCK):
            length = min(BLOCK, size - begin)
            self._send(REQUEST, b"".join(part.to_bytes(4, "big") for part in (index, begin, length)))

    def give_up(self) -> None:
        """What was asked for is not waited for any longer."""
        self._asked, self._piece = -1, bytearray()

    def _came(self, body: bytes) -> None:
        index, begin, block = _number(body[:4], 4), _number(body[4:8], 4), body[8:]
        wanted = min(BLOCK, len(self._piece) - begin)
        if index != self._asked or begin % BLOCK or len(block) != wanted:
            self._count_unasked()
            return
        self._piece[begin : begin + wanted] = block
        self._got |= 1 << begin // BLOCK
        if self._got + 1 < 1 << -(-len(self._piece) // BLOCK):
            return
        assert self.torrent is not None
        right = hashlib.sha1(self._piece, usedforsecurity=False).digest() == self.torrent.piece_hash(index)
        self.give_up()
        self._talk.gave(index, right)

    def _end_asking(self) -> None:
        if self._asked >= 0:
            self.give_up()
            self._talk.refused()

    def _is_asked(self, body: bytes) -> None:
        self._count_unasked()
        if self._is_fast and len(body) == 12:
            self._send(REJECT, body)

    def _count_unasked(self) -> None:
        self._unasked += 1
        if self._unasked > UNASKED_MAX:
            raise Malformed("too much that nobody asked for")

    # Extensions --------------------------------------------------------------------------------------------------
    def _extended(self, body: bytes) -> None:
        if body[:1] == b"\0":
            told = _dictionary(body[1:])
            names, version = told.get(b"m"), told.get(b"v")
            number = names.get(b"ut_metadata") if isinstance(names, dict) else None
            self._their_metadata = number if isinstance(number, int) and 0 < number < 256 else 0
            if isinstance(version, bytes):
                self._talk.named(version[: 4 * NAME_MAX].decode("utf-8", "replace")[:NAME_MAX])
        elif body[:1] == bytes([UT_METADATA]) and self._their_metadata:
            told = _dictionary(body[1:])
            piece = told.get(b"piece")
            if told.get(b"msg_type") == 0 and isinstance(piece, int) and piece >= 0:
                self._metadata(piece)

    def _metadata(self, piece: int) -> None:
        """One block of the torrent's info dictionary (BEP 9)."""
        assert self.torrent is not None
        info = self.torrent.info()
        block = info[piece * BLOCK : (piece + 1) * BLOCK]
        if block and self._talk.may_have_metadata(len(block)):
            head = bencode({b"msg_type": 1, b"piece": piece, b"total_size": len(info)})
        else:
            head, block = bencode({b"msg_type": 2, b"piece": min(piece, 2**31)}), b""
        self._send(EXTENDED, bytes([self._their_metadata]) + head + block)

    # Writing -----------------------------------------------------------------------------------------------------
    def _shake(self, torrent: Torrent) -> None:
        self.out += PROTOCOL + RESERVED + torrent.info_hash + self.peer_id

    def keep_alive(self) -> None:
        """Says nothing, so that the other end does not hang up."""
        self.out += bytes(4)

    def _send(self, kind: int, body: bytes = b"") -> None:
        self.out += (len(body) + 1).to_bytes(4, "big") + bytes([kind]) + body


def _number(body: bytes, size: int) -> int:
    if len(body) != size:
        raise Malformed("a number of another length")
    return int.from_bytes(body, "big")


def _dictionary(content: bytes) -> dict[bytes, object]:
    """A bencoded dictionary; an empty one where it is none: an extension we do not understand is no offence."""
    try:
        told = bdecode(content)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
