"""Sealing what belongs to a person: each has a key of their own, wrapped by a master key outside the database.

Destroying a person's wrapped key makes everything sealed under it unreadable. Addresses are found again by a
keyed hash (HMAC-SHA256), never by their text. AES-256-GCM from `cryptography`.

There may be several master keys, the ring: the newest wraps and hashes, the older ones still open and find what
is from their time. A wrapped key begins with the mark of the master key that wrapped it.
"""

import contextlib
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
NONCE_BYTES, TAG_BYTES = 12, 16
MARK_BYTES = 4
# Keys were wrapped without a mark while there was one master key for ever.
UNMARKED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
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
    """The keyed hash (32 bytes) an address is kept under: of the newest master key."""
    return lookups_of(address)[0]


def lookups_of(address: str) -> tuple[bytes, ...]:
    """Every keyed hash an address may be kept under, one a master key, newest first."""
    return _hashes(b"address lookup", normal_address(address))


def new_key() -> bytes:
    """A fresh key for one person, wrapped: what the database keeps (64 bytes)."""
    return _wrap(secrets.token_bytes(KEY_BYTES))


def rewrapped(wrapped_key: bytes) -> bytes:
    """The same key wrapped by the newest master key; as it is where that one wrapped it. SealError as `unseal`."""
    place, key = _unwrapped(wrapped_key)
    return bytes(wrapped_key) if place == 0 else _wrap(key)


def age_of(wrapped_key: bytes) -> int:
    """Which master key wrapped a key: 0 for the newest, 1 for the one before, and so on. SealError as `unseal`."""
    return _unwrapped(wrapped_key)[0]


def seal(wrapped_key: bytes, text: str) -> bytes:
    """Seal a text under a person's wrapped key."""
    return _seal(_unwrapped(wrapped_key)[1], text.encode())


def unseal(wrapped_key: bytes, sealed: bytes) -> str:
    """Open what `seal` sealed. SealError where the key is another, or wrapped by none of our master keys."""
    return _open(_unwrapped(wrapped_key)[1], sealed).decode()


def keyed_hash(purpose: str, text: str) -> bytes:
    """A keyed hash (32 bytes) of a text for one purpose (codes, tokens), of the newest master key."""
    return keyed_hashes(purpose, text)[0]


def keyed_hashes(purpose: str, text: str) -> tuple[bytes, ...]:
    """`keyed_hash` of every master key, newest first: what was handed out before the newest came is still good."""
    return _hashes(purpose.encode(), text)


def _hashes(purpose: bytes, text: str) -> tuple[bytes, ...]:
    return tuple(
        hmac.digest(_derived(master, purpose), text.encode(), hashlib.sha256) for master in _masters()
    )


def _masters() -> tuple[str, ...]:
    """The ring, newest first."""
    return settings.MASTER_KEY, *reversed(settings.MASTER_KEYS[:-1])


def _mark(master: str) -> bytes:
    return _derived(master, b"mark")[:MARK_BYTES]


def _wrap(key: bytes) -> bytes:
    newest = settings.MASTER_KEY
    return _mark(newest) + _seal(_derived(newest, b"wrapping"), key)


def _unwrapped(wrapped_key: bytes) -> tuple[int, bytes]:
    """The place in the ring of the master key that wrapped a key, and the key."""
    wrapped_key = bytes(wrapped_key)
    marked = len(wrapped_key) > UNMARKED_BYTES
    body = wrapped_key[MARK_BYTES:] if marked else wrapped_key
    for place, master in enumerate(_masters()):
        if not marked or wrapped_key.startswith(_mark(master)):
            with contextlib.suppress(SealError):  # the next may open it
                return place, _open(_derived(master, b"wrapping"), body)
    raise SealError(_NOT_OURS)


def _seal(key: bytes, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def _open(key: bytes, sealed: bytes) -> bytes:
    sealed = bytes(sealed)
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except (InvalidTag, ValueError) as error:
        raise SealError(_NOT_OURS) from error


_NOT_OURS = (
    "sealed with another key: is keys/master the one this database was made with, and every line still there?"
)


@functools.lru_cache(maxsize=64)
def _derived(master: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=b"vteam " + purpose).derive(
        master.encode()
    )
