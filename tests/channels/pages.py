"""Pages that pass a title on, as the edge's meetings meet them: their tickets, their keys, what they say."""

import base64
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vteam.channels.swarm.passing import FRAME, Page
from vteam.channels.swarm.pieces import BLOCK_BYTES, Pieces, pieces_of
from vteam.channels.swarm.receipts import receipt_text
from vteam.channels.swarm.tickets import Role, Ticket

AT_US = 1_795_000_000_000_000
HOUR_US = 3_600_000_000
LENGTH = 64 * 1024
COPY = hashlib.shake_256(b"a copy of Les digues").digest(5 * LENGTH + 1000)
PIECES = pieces_of([COPY], length=LENGTH)
BIG = hashlib.shake_256(b"a long one").digest(24 * LENGTH + 7)
BO, TITLE = 21, 5


def browser(name: str) -> str:
    """What stands in a ticket for somebody's browser."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def ticket(role: Role = Role.SEEDER, *, pieces: Pieces = PIECES, name: str = "", **changed: Any) -> Ticket:
    """Bo's ticket, or a stranger's for Bo's copy."""
    bo = Ticket(
        role=role,
        campaign=3,
        fan=BO,
        title=TITLE,
        by=BO if role is Role.SEEDER else None,
        browser=browser(name or role),
        network=f"net of {name or role}",
        expires_us=AT_US + HOUR_US,
        ends_us=AT_US + 1000 * HOUR_US,
        pieces=pieces if role is Role.SEEDER else None,
    )
    return replace(bo, **changed)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass(eq=False)
class Told:
    """The far end of a wire: keeps what it was sent."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    closed: bool = False
    is_full: bool = False

    def tell(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def pass_on(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self) -> None:
        self.closed = True

    def words(self) -> list[str]:
        return [message["now"] for message in self.messages]

    def last(self, now: str) -> dict[str, Any]:
        return next(message for message in reversed(self.messages) if message["now"] == now)


def page(
    role: Role = Role.SEEDER, *, direct: bool = False, **changed: Any
) -> tuple[Page, Told, Ed25519PrivateKey]:
    """A page of one role with what it is told and the key it signs with."""
    told, key = Told(), Ed25519PrivateKey.generate()
    return Page(end=told, ticket=ticket(role, **changed), key=public(key), direct=direct), told, key


def blocks(number: int, piece: int, *, copy: bytes = COPY, length: int = LENGTH) -> list[bytes]:
    """A piece as its seeder sends it."""
    content = copy[piece * length : (piece + 1) * length]
    return [
        FRAME.pack(number, piece, offset) + content[offset : offset + BLOCK_BYTES]
        for offset in range(0, len(content), BLOCK_BYTES)
    ]


def signature(
    key: Ed25519PrivateKey,
    introduction: str,
    role: Role,
    stop: int,
    *,
    start: int = 0,
    pieces: Pieces = PIECES,
) -> str:
    """A receipt's signature as a page sends it."""
    text = receipt_text(introduction, role, pieces, start, stop)
    return base64.b64encode(key.sign(text.encode())).decode()
