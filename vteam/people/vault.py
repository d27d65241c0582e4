"""Sealing what belongs to a person: each has a key of their own, wrapped by a master key outside the database.

Destroying a person's wrapped key makes everything sealed under it unreadable. Addresses are found again by a
keyed hash (HMAC-SHA256), never by their text. AES-256-GCM from `cryptography`.
"""

import functools
import hashlib
import hmac
import secrets
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from vteam.errors import SealError

KEY_BYTES = 32
NONCE_BYTES = 12


def normal_address(typed: str) -> str:
    """One spelling for a mail address: trimmed, Unicode NFC, lower case."""
    return unicodedata.normalize("NFC", typed.strip()).lower()


def lookup_of(address: str) -> bytes:
    """The keyed hash (32 bytes) a normal address is found by."""
    return hmac.digest(_derived(b"address lookup"), normal_address(address).encode(), hashlib.sha256)


def new_key() -> bytes:
    """A fresh key for one person, wrapped: what the database keeps."""
    return _seal(_derived(b"wrapping"), secrets.token_bytes(KEY_BYTES))


def seal(wrapped_key: bytes, text: str) -> bytes:
    """Seal a text under a person's wrapped key."""
    return _seal(_unwrapped(wrapped_key), text.encode())


def unseal(wrapped_key: bytes, sealed: bytes) -> str:
    """Open what `seal` sealed. SealError where the key or the master key is another."""
    return _open(_unwrapped(wrapped_key), sealed).decode()


def keyed_hash(purpose: str, text: str) -> bytes:
    """A keyed hash (32 bytes) of a text for one purpose: codes, tokens."""
    return hmac.digest(_derived(purpose.encode()), text.encode(), hashlib.sha256)


def _unwrapped(wrapped_key: bytes) -> bytes:
    return _open(_derived(b"wrapping"), wrapped_key)


def _seal(key: bytes, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def _open(key: bytes, sealed: bytes) -> bytes:
    sealed = bytes(sealed)
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except (InvalidTag, ValueError) as error:
        raise SealError(
            "sealed with another key: is keys/master the one this database was made with?"
        ) from error


def _derived(purpose: bytes) -> bytes:
    return _derive(settings.MASTER_KEY, purpose)


@functools.lru_cache(maxsize=16)
def _derive(master: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=b"vteam " + purpose).derive(
        master.encode()
    )
