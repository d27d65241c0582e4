"""Sealing what belongs to a person: each has a key of their own, wrapped by a master key outside the database.

Destroying a person's wrapped key makes everything sealed under it unreadable. Addresses are found again by a
keyed hash (HMAC-SHA256), never by their text. AES-256-GCM from `cryptography`.
"""

import functools
import hashlib
import hmac
import re
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
# RFC 5322, 3.2.3 (dot-atom): what stands before the @, without the quoted and encoded ways of writing it, which
# are other spellings of the same mailbox to some programs and other mailboxes to the rest.
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)*(?![0-9]+\Z){_LABEL}", re.ASCII)
LOCAL_LENGTH, ADDRESS_LENGTH = 64, 254  # RFC 5321, 4.5.3.1, and its erratum 1690
# The two standards of international names lead these to different domains, and so to different people.
_AMBIGUOUS = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")


def plain_address(typed: str) -> str | None:
    """The one spelling of a mail address, for finding it and for writing to it; None where it has no plain one.

    Trimmed and lower case; a plain dot-atom before the @, an international domain as its A-label (RFC 3490).
    Refused: quoted, encoded and non-ASCII local parts, address literals, domains that two standards read apart.
    """
    local, _, domain = typed.strip().rpartition("@")
    if not local.isascii() or "=?" in local or _LOCAL.fullmatch(local.lower()) is None:
        return None
    name = _a_label(domain)
    if name is None or len(local) > LOCAL_LENGTH or len(local) + 1 + len(name) > ADDRESS_LENGTH:
        return None
    return f"{local.lower()}@{name}"


def _a_label(domain: str) -> str | None:
    if not _AMBIGUOUS.isdisjoint(domain):
        return None
    try:
        name = unicodedata.normalize("NFC", domain).encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return name if _DOMAIN.fullmatch(name) else None


def normal_address(typed: str) -> str:
    """`plain_address` of what a form has checked; ValueError where there is none."""
    address = plain_address(typed)
    if address is None:
        raise ValueError("this is not a plain mail address; forms refuse it before it comes here")
    return address


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
