"""What lets a page speak to the edge: a short-lived paper of the site's that says who it is and what may pass.

The edge knows no sessions and no campaign's key; it believes what the site signed (HMAC-SHA-256 under the
installation's secret) and nothing else. A ticket opens the door for a few minutes; who came in stays until they leave.
"""

import base64
import hashlib
import hmac
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from vteam.channels.swarm.pieces import Pieces
from vteam.rules.canonical import canonical

MINUTES = 10
# The hashes of 1,024 pieces, written in letters, and what else a ticket says.
LENGTH_MAX = 64 * 1024
_PURPOSE = b"vteam.swarm.ticket\n"


class Role(StrEnum):
    """Which end of a passing a page is."""

    SEEDER = "seeder"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What the site says of a page.

    `fan`: whose copy passes. `by`: the fan (if any) who is signed in on this page. `browser`: a keyed hash (32 hex
    digits) of it. `network`: a keyed hash of its near network.
    `expires_us`: until when the door opens for it; `ends_us`: the season's end. `pieces`: of a seeder, its copy.
    """

    role: Role
    campaign: int
    fan: int
    title: int
    by: int | None
    browser: str
    network: str
    expires_us: int
    ends_us: int
    pieces: Pieces | None = None

    @property
    def room(self) -> tuple[int, int]:
        """Where seeders and listeners of one fan's copy of one title meet."""
        return self.fan, self.title

    def same_person(self, other: "Ticket") -> bool:
        """Whether both ends are one person, as far as it can be told."""
        return self.browser == other.browser or (self.by is not None and self.by == other.by)


def sealed(ticket: Ticket, *, key: bytes) -> str:
    """The ticket as its page carries it."""
    pieces = ticket.pieces.told() if ticket.pieces else None
    content = asdict(ticket) | {"role": str(ticket.role), "pieces": pieces}
    body = base64.urlsafe_b64encode(canonical(content).encode()).decode()
    return f"{body}.{_signature(body, key)}"


def opened(text: str, *, key: bytes, at_us: int) -> Ticket | None:
    """The ticket in a text; None where we did not write it, or too long ago."""
    body, _, signature = text.rpartition(".")
    if (
        len(text) > LENGTH_MAX
        or not text.isascii()
        or not hmac.compare_digest(signature, _signature(body, key))
    ):
        return None
    ticket = _read(orjson.loads(base64.urlsafe_b64decode(body)))
    return ticket if at_us < ticket.expires_us else None


def _read(content: dict[str, Any]) -> Ticket:
    told = content.pop("pieces")
    return Ticket(pieces=Pieces.of(told) if told else None, role=Role(content.pop("role")), **content)


def _signature(body: str, key: bytes) -> str:
    return hmac.new(key, _PURPOSE + body.encode(), hashlib.sha256).hexdigest()
