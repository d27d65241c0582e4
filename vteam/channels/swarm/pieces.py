"""A copy in pieces: their size, their hashes, and how far along it somebody is.

Pieces are BitTorrent's (BEP 3) with SHA-256 (BEP 52's choice): the first ones carry the fan's tag, all others are the
same for everybody.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HASH_BYTES = 32
BLOCK_BYTES = 16 * 1024
"""What travels at once; a browser's data channel takes it everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """`size`: bytes in all; `length`: of each piece but the last; `hashes`: SHA-256 of each, one after the other."""

    size: int
    length: int
    hashes: bytes

    @property
    def count(self) -> int:
        """How many pieces."""
        return -(-self.size // self.length)

    def told(self) -> dict[str, Any]:
        """As tickets and pages have it, the hashes in base64."""
        return {"size": self.size, "length": self.length, "hashes": base64.b64encode(self.hashes).decode()}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Pieces":
        """What `told` told."""
        return cls(size=told["size"], length=told["length"], hashes=base64.b64decode(told["hashes"]))

    def bytes_of(self, piece: int) -> int:
        """How long one piece is."""
        return min(self.length, self.size - piece * self.length)

    def bytes_between(self, start: int, stop: int) -> int:
        """How many bytes the pieces `start` to `stop` (excluded) have."""
        return max(0, min(stop * self.length, self.size) - start * self.length)

    def hash_of(self, piece: int) -> bytes:
        """The SHA-256 of one piece: 32 bytes."""
        return self.hashes[piece * HASH_BYTES : (piece + 1) * HASH_BYTES]

    def sum_of(self, start: int, stop: int) -> str:
        """One hash (64 hex digits) over the pieces `start` to `stop` (excluded): what a receipt names."""
        return hashlib.sha256(self.hashes[start * HASH_BYTES : stop * HASH_BYTES]).hexdigest()


def pieces_of(chunks: Iterable[bytes], *, length: int) -> Pieces:
    """The pieces of a content that comes in chunks of any size."""
    hashes, size, now, filled = [], 0, hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        view = memoryview(chunk)
        while view:
            part = view[: length - filled]
            now.update(part)
            filled += len(part)
            view = view[len(part) :]
            if filled == length:
                hashes.append(now.digest())
                now, filled = hashlib.sha256(), 0
    if filled:
        hashes.append(now.digest())
    return Pieces(size=size, length=length, hashes=b"".join(hashes))
