"""The signature of docs/worlds.md and what it refuses, written after the document alone, for the doors of tests.

It disagrees with the platform where the document was read differently.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

PATIENCE_SECONDS = 300


def signature(secret: str, message: bytes) -> str:
    """64 hex digits."""
    inner = hashlib.sha256(secret.encode() + b":" + message).hexdigest()
    return hashlib.sha256(f"{secret}:{inner}".encode()).hexdigest()


def message_of(key: str, time: str, nonce: str, path: str, body: bytes) -> bytes:
    """What an object signs."""
    return "\n".join((key, time, nonce, path, "")).encode() + body


@dataclass(slots=True)
class Known:
    """Objects that were enrolled: their secrets by key, and the numbers they have used."""

    secrets: dict[str, str] = field(default_factory=dict)
    nonces: set[tuple[str, str]] = field(default_factory=set)

    def refusal(self, path: str, headers: Mapping[str, str], raw: bytes, *, now: float) -> str:
        """Why a signed request is refused, as scripts are told; "" where it is not."""
        key, time, nonce, given = (
            headers.get(f"X-VTeam-{name}", "") for name in ("Key", "Time", "Nonce", "Sig")
        )
        if key not in self.secrets:
            return "unknown"
        well = 8 <= len(nonce) <= 64 and nonce.replace("-", "").isalnum()
        expected = signature(self.secrets[key], message_of(key, time, nonce, path, raw))
        if not well or not hmac.compare_digest(expected, given):
            return "wrong"
        if abs(int(time) - now) > PATIENCE_SECONDS:
            return "late"
        if (key, nonce) in self.nonces:
            return "repeated"
        self.nonces.add((key, nonce))
        return ""
