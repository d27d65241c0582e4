"""What a ticket's code says, and what becomes of it at a door. Pure: bytes and values in, texts and values out.

A code is `VT1` and, in base 32, 16 random bytes and their signature (Ed25519, RFC 8032, over `signed_bytes`): capitals
and digits alone, which a QR code packs best. Doors know tickets by the SHA-256 of the random bytes, so that no list of
theirs lets anybody in.
"""

import base64
import binascii
import hashlib
from enum import StrEnum
from typing import NamedTuple

MARK = "VT1"
SECRET_BYTES, SIGNATURE_BYTES = 16, 64
LENGTH = len(MARK) + -(-(SECRET_BYTES + SIGNATURE_BYTES) * 8 // 5)
MARK_LENGTH = 4


class Became(StrEnum):
    """What a door says of a ticket."""

    IN = "in"
    ALREADY_IN = "already_in"
    GIVEN_ON = "given_on"
    TAKEN_BACK = "taken_back"
    OTHER_CONCERT = "other_concert"
    TOO_EARLY = "too_early"
    NOT_OURS = "not_ours"
    TOLD_LATE = "told_late"  # that somebody was let in, after the door was closed


class Read(NamedTuple):
    """What a code says: the random bytes, and their signature."""

    secret: bytes
    signature: bytes


def code_of(secret: bytes, signature: bytes) -> str:
    """The code of a ticket, for a QR code in alphanumeric mode."""
    return MARK + base64.b32encode(secret + signature).decode()


def read_code(scanned: str) -> Read | None:
    """What a scanned code says; None where it is no ticket's."""
    text = scanned.strip().upper()
    if len(text) != LENGTH or not text.startswith(MARK):
        return None
    try:
        found = base64.b32decode(text[len(MARK) :])
    except (binascii.Error, ValueError):
        return None
    return Read(found[:SECRET_BYTES], found[SECRET_BYTES:])


def signed_bytes(campaign: int, secret: bytes) -> bytes:
    """What a ticket's signature is over: which campaign's it is, and its random bytes."""
    return b"vTeam ticket %d\n" % campaign + secret


def hash_of(secret: bytes) -> bytes:
    """What doors know a ticket by (32 bytes)."""
    return hashlib.sha256(secret).digest()


def mark_of(token_hash: bytes) -> str:
    """Four letters by which people tell two tickets of one name apart; no secret."""
    return base64.b32encode(token_hash).decode()[:MARK_LENGTH]
