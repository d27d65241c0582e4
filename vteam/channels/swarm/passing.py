"""One introduction: a seeder and a listener, and how far the title has come between them.

Through the relay every block is looked at and passed on, none is kept: the listener asks for pieces in order and few
ahead, so that as much as it asked for is the most that can be under way. Directly, the two ends' receipts say how far
it came. Whatever breaks the order ends the introduction, with the reason told to both.
"""

import hashlib
import struct
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from vteam.channels.swarm.evidence import Part
from vteam.channels.swarm.pieces import BLOCK_BYTES, Pieces
from vteam.channels.swarm.receipts import Receipts, Refused
from vteam.channels.swarm.tickets import Role, Ticket
from vteam.rules.facts import Evidence

FRAME = struct.Struct(">III")
"""What stands before a block: the introduction's number with its seeder, the piece, and the byte in it."""
AHEAD_BYTES = 512 * 1024
SECONDS_MAX = 3600


class Broken(StrEnum):
    """Why an introduction ended before its title was whole."""

    LEFT = "left"
    STALLED = "stalled"
    OUT_OF_ORDER = "out_of_order"
    SPOILED = "spoiled"
    TOO_LATE = "too_late"


class End(Protocol):
    """A page's connection."""

    @property
    def is_full(self) -> bool:
        """Whether what was sent to it lately still waits to be taken."""

    def tell(self, message: dict[str, Any]) -> None:
        """Send it a message."""

    def pass_on(self, frame: bytes) -> None:
        """Send it a block with what stands before it."""

    def close(self) -> None:
        """End the connection once what was told has left."""


@dataclass(slots=True, eq=False, kw_only=True)
class Page:
    """A page that came in: its connection, its ticket, the key it signs with (none: b""), and whether it may be met
    directly.
    """

    end: End
    ticket: Ticket
    key: bytes
    direct: bool


@dataclass(slots=True, eq=False, kw_only=True)
class Introduction:
    """Two pages that were introduced. Pieces before `confirmed` are with the listener, as far as we know.

    `earlier`: parts of the same title that passed between them before, up to `start`.
    """

    id: str
    number: int
    seeder: Page
    listener: Page
    pieces: Pieces
    start: int
    begun_us: int
    earlier: list[Part] = field(default_factory=list)
    relayed: bool = False
    refused: int = 0
    signals: int = 0
    moved_us: int = 0
    confirmed: int = 0
    signed: dict[Role, Receipts] = field(default_factory=dict)
    held: deque[int] = field(default_factory=deque)
    _parts: list[Part] = field(default_factory=list)
    _part_start: int = 0
    _asked: int = 0
    _forwarded: int = 0
    _sent: int = 0
    _at: int = 0
    _hash: Any = None

    def __post_init__(self) -> None:
        self.confirmed = self._part_start = self.start
        self.moved_us = self.begun_us
        for role, page in ((Role.SEEDER, self.seeder), (Role.LISTENER, self.listener)):
            self.signed[role] = Receipts(
                introduction=self.id,
                role=role,
                pieces=self.pieces,
                start=self.start,
                key=page.key,
                signed=self.start,
            )
        self._rewind()

    @property
    def is_whole(self) -> bool:
        """Whether all of it is with the listener."""
        return self.confirmed == self.pieces.count

    # Directly ----------------------------------------------------------------------------------------------------

    def receipt(self, role: Role, stop: int, signature: str, *, at_us: int) -> Refused | None:
        """One end signed for the pieces up to `stop` (excluded)."""
        if self.relayed:
            return Refused.OUT_OF_ORDER
        if at_us - self.begun_us > SECONDS_MAX * 1_000_000:
            return Refused.TOO_LATE
        refused = self.signed[role].take(stop, signature)
        if refused is None:
            self.moved_us = at_us
            self.confirmed = min(receipts.signed for receipts in self.signed.values())
        return refused

    # Through the relay -------------------------------------------------------------------------------------------

    def relay(self, *, at_us: int) -> None:
        """From now on everything goes through us, beginning after what is confirmed."""
        self._end_part(at_us)
        self.relayed, self.moved_us = True, at_us
        self._rewind()

    def ask(self, piece: int) -> Broken | None:
        """The listener asks for its next piece; it may leave once `forward` says so."""
        if piece != self._asked or piece >= self.pieces.count or piece - self.confirmed >= self.ahead:
            return Broken.OUT_OF_ORDER
        self._asked += 1
        self.held.append(piece)
        return None

    def forward(self) -> int:
        """The next piece asked for: its seeder is to be told now."""
        self._forwarded += 1
        return self.held.popleft()

    def block(self, frame: bytes) -> Broken | None:
        """The seeder sends a block; it goes on to the listener where it is the very next one and rightly made."""
        _, piece, offset = FRAME.unpack_from(frame)
        length = len(frame) - FRAME.size
        if piece != self._sent or piece >= self._forwarded or offset != self._at:
            return Broken.OUT_OF_ORDER
        size = self.pieces.bytes_of(piece)
        if not 0 < length <= BLOCK_BYTES or offset + length > size:
            return Broken.OUT_OF_ORDER
        self._hash.update(memoryview(frame)[FRAME.size :])
        self._at += length
        if self._at == size:
            if self._hash.digest() != self.pieces.hash_of(piece):
                return Broken.SPOILED
            self._sent, self._at, self._hash = piece + 1, 0, hashlib.sha256()
        self.listener.end.pass_on(frame)
        return None

    def got(self, piece: int, *, at_us: int) -> Broken | None:
        """The listener has its next piece, whole and right."""
        if piece != self.confirmed or piece >= self._sent:
            return Broken.OUT_OF_ORDER
        self.confirmed += 1
        self.moved_us = at_us
        return None

    @property
    def ahead(self) -> int:
        """How many pieces may be asked for before the first of them is there."""
        return max(2, AHEAD_BYTES // self.pieces.length)

    def _rewind(self) -> None:
        self._asked = self._forwarded = self._sent = self._part_start = self.confirmed
        self._at, self._hash = 0, hashlib.sha256()
        self.held.clear()

    # What was seen -----------------------------------------------------------------------------------------------

    def parts(self, *, at_us: int) -> list[Part]:
        """Everything that passed until now, earlier introductions included."""
        self._end_part(at_us)
        return [*self.earlier, *self._parts]

    def _end_part(self, at_us: int) -> None:
        if self.confirmed == self._part_start:
            return
        signed: dict[str, str] = {}
        if not self.relayed:
            for role, receipts in self.signed.items():
                signed[f"{role}_key"] = receipts.key.hex()
                signed[f"{role}_text"] = receipts.text(receipts.signed)
                signed[f"{role}_signature"] = receipts.last
        self._parts.append(
            Part(
                introduction=self.id,
                way=Evidence.RELAYED if self.relayed else Evidence.RECEIPTED,
                start=self._part_start,
                stop=self.confirmed,
                begun_us=self.begun_us,
                ended_us=at_us,
                signed=signed,
            )
        )
        self._part_start = self.confirmed
