"""How an object and the platform prove to each other who speaks (docs/worlds.md, "Signature").

Two hashes with the secret before each: LSL has SHA-256 of a text, and no HMAC. Pure.
"""

import hmac
import re
from hashlib import sha256

PATIENCE_SECONDS = 300
"""So far apart an object's clock and ours may be."""
SECRET_BYTES = 16
KEY = re.compile("[a-z0-9]{16}")
TIME = re.compile("[0-9]{1,12}")
NONCE = re.compile("[A-Za-z0-9-]{8,64}")


def signature(secret: str, message: bytes) -> str:
    """64 hex digits. `message`: as `message_of` or `push_message` gives it."""
    begun = secret.encode() + b":"
    return sha256(begun + sha256(begun + message).hexdigest().encode()).hexdigest()


def message_of(*, key: str, time: str, nonce: str, path: str, body: bytes) -> bytes:
    """What an object signs: none of the parts before the body has a line end in it."""
    return "\n".join((key, time, nonce, path, "")).encode() + body


def push_message(*, time: str, line: str) -> bytes:
    """What we sign when we tell an object another line."""
    return f"push\n{time}\n{line}".encode()


def is_signed(secret: str, message: bytes, given: str) -> bool:
    """Whether a signature is the one; how long this takes tells nobody how much of it was right."""
    return hmac.compare_digest(signature(secret, message).encode(), given.encode())


def is_now(time: str, *, at_seconds: int) -> bool:
    """Whether the time an object wrote (seconds since 1970) is close to ours."""
    return TIME.fullmatch(time) is not None and abs(int(time) - at_seconds) <= PATIENCE_SECONDS


def is_key(key: str) -> bool:
    """Whether a text can be a key of ours; no database is asked for another (PostgreSQL's knows no NUL)."""
    return KEY.fullmatch(key) is not None


def is_nonce(nonce: str) -> bool:
    """Whether a text can be a nonce."""
    return NONCE.fullmatch(nonce) is not None
