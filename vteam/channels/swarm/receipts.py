"""Receipts: both ends of a direct passing sign how far it came, and the edge checks every word.

A receipt is a short text signed with Ed25519 (RFC 8032) by a key its page made for this one introduction:

    vteam receipt 1
    <introduction>            32 hex digits, made by the edge for these two and never again
    seeder | listener
    <first piece> <pieces>    those between the two have passed
    <bytes>
    <sum>                     SHA-256 over the hashes of these pieces

The edge works out the text itself from what it knows, so a signature can only be right for what is true; and it takes
receipts in order, one step after the other.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vteam.channels.swarm.pieces import Pieces

STEP_BYTES = 512 * 1024
KEY_BYTES, SIGNATURE_BYTES = 32, 64


class Refused(StrEnum):
    """Why a receipt does not count; the page that sent it is told."""

    NO_KEY = "no_key"
    OUT_OF_ORDER = "out_of_order"
    TOO_FAR = "too_far"
    BAD_SIGNATURE = "bad_signature"
    TOO_LATE = "too_late"


@dataclass(slots=True)
class Receipts:
    """What one end of an introduction has signed: pieces from `start` up to `signed`; `last` is its last signature."""

    introduction: str
    role: str
    pieces: Pieces
    start: int
    key: bytes
    signed: int
    last: str = ""

    def take(self, stop: int, signature: str) -> Refused | None:
        """Believe a receipt for the pieces up to `stop` (excluded), or say why not."""
        if len(self.key) != KEY_BYTES:
            return Refused.NO_KEY
        if not self.signed < stop <= self.pieces.count:
            return Refused.OUT_OF_ORDER
        if stop > self.signed + step_of(self.pieces):
            return Refused.TOO_FAR
        if not signed_by(self.key, self.text(stop), signature):
            return Refused.BAD_SIGNATURE
        self.signed, self.last = stop, signature
        return None

    def text(self, stop: int) -> str:
        """What has to be signed for the pieces up to `stop` (excluded)."""
        return receipt_text(self.introduction, self.role, self.pieces, self.start, stop)


def step_of(pieces: Pieces) -> int:
    """How many pieces at most lie between two receipts."""
    return max(1, STEP_BYTES // pieces.length)


def receipt_text(introduction: str, role: str, pieces: Pieces, start: int, stop: int) -> str:
    """The text of a receipt, to be signed as UTF-8."""
    passed, total = pieces.bytes_between(start, stop), pieces.sum_of(start, stop)
    return f"vteam receipt 1\n{introduction}\n{role}\n{start} {stop}\n{passed}\n{total}"


def signed_by(key: bytes, text: str, signature: str) -> bool:
    """Whether a signature (base64) over a text is of this public key (32 bytes)."""
    try:
        raw = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(key).verify(raw, text.encode())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def key_from(text: object) -> bytes:
    """A public key (base64) a page names: 32 bytes, or none at all where it names no such thing."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        return b""
    return raw if len(raw) == KEY_BYTES else b""
