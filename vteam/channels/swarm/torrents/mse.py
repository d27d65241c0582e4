"""The obfuscated handshake that some clients insist on (Message Stream Encryption, RC4), for either end.

It hides nothing from us nor makes anything secret; it is spoken so that such clients can be met. Both ends agree on a
key (Diffie-Hellman, 768 bits), the caller shows that it knows the torrent, and both go on in clear where that is
offered, else under RC4. Pure: bytes go in, bytes to send come out.
"""

import hashlib
import secrets
import warnings
from collections.abc import Callable
from typing import Protocol, cast

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.utils import CryptographyDeprecationWarning

from vteam.channels.swarm.torrents.wire import Malformed

with warnings.catch_warnings():
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4

PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563",
    16,
)
GENERATOR, KEY_BYTES, SECRET_BITS = 2, 96, 160
PAD_MAX, DISCARDED = 512, 1024
VERIFY = bytes(8)
CLEAR, RC4 = 1, 2


class Stream(Protocol):
    """A direction's cipher."""

    def update(self, data: bytes) -> bytes:
        """The same bytes, turned over."""


def sha1(*parts: bytes) -> bytes:
    """The hash the handshake is made of."""
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()


def torrent_mark(info_hash: bytes) -> bytes:
    """What a torrent is looked up by, since its hash itself is not sent."""
    return sha1(b"req2", info_hash)


def stream(name: bytes, shared: bytes, info_hash: bytes) -> Stream:
    """One direction's RC4: `name` is keyA for the caller's bytes, keyB for the other's."""
    cipher = Cipher(ARC4(sha1(name, shared, info_hash)), mode=None).encryptor()
    cipher.update(bytes(DISCARDED))
    return cast(Stream, cipher)


class Obfuscated:
    """A handshake under way. When `is_done`: `clear` holds what came after it, `sends` and `reads` the ciphers.

    `find`: the info hash behind a mark, for the called end. `info_hash`: for the calling end.
    """

    def __init__(self, *, find: Callable[[bytes], bytes | None], info_hash: bytes | None = None) -> None:
        self._find, self._calls, self._hash = find, info_hash is not None, info_hash or b""
        self._secret = secrets.randbits(SECRET_BITS) | 1
        self._in = bytearray()
        self.out = bytearray(pow(GENERATOR, self._secret, PRIME).to_bytes(KEY_BYTES, "big"))
        self.is_done = False
        self.clear = b""
        self.sends: Stream | None = None
        self.reads: Stream | None = None
        self._shared = b""
        self._step = self._caller if self._calls else self._called
        if not self._calls:
            self._waits, self.out = bytes(self.out), bytearray()

    def feed(self, data: bytes) -> None:
        """Bytes of the other end; Malformed where they cannot be this handshake."""
        self._in += data
        if len(self._in) > KEY_BYTES + 3 * PAD_MAX + 8192:
            raise Malformed("too long a handshake")
        if not self._shared:
            if len(self._in) < KEY_BYTES:
                return
            self._share()
        self._step()

    def _share(self) -> None:
        theirs = int.from_bytes(self._in[:KEY_BYTES], "big")
        if not 1 < theirs < PRIME - 1:
            raise Malformed("no key")
        self._shared = pow(theirs, self._secret, PRIME).to_bytes(KEY_BYTES, "big")
        del self._in[:KEY_BYTES]
        if self._calls:
            self.sends = stream(b"keyA", self._shared, self._hash)
            self.reads = stream(b"keyB", self._shared, self._hash)
            mark = _either(torrent_mark(self._hash), sha1(b"req3", self._shared))
            offer = VERIFY + (CLEAR | RC4).to_bytes(4, "big") + bytes(4)
            self.out += sha1(b"req1", self._shared) + mark + self.sends.update(offer)
        else:
            self.out += self._waits

    # The called end ----------------------------------------------------------------------------------------------
    def _called(self) -> None:
        """Finds where the caller's padding ends, which torrent it means, and answers what it offers."""
        if self.reads is None and not self._found():
            return
        if not self._plain(14):
            return
        offer, pad = int.from_bytes(self.clear[8:12], "big"), int.from_bytes(self.clear[12:14], "big")
        if self.clear[:8] != VERIFY or pad > PAD_MAX or not offer & (CLEAR | RC4):
            raise Malformed("nothing we speak is offered")
        if not self._plain(16 + pad):
            return
        first = int.from_bytes(self.clear[14 + pad : 16 + pad], "big")
        if not self._plain(16 + pad + first):
            return
        assert self.sends is not None
        chosen = CLEAR if offer & CLEAR else RC4
        self.out += self.sends.update(VERIFY + chosen.to_bytes(4, "big") + bytes(2))
        self._end(chosen, self.clear[16 + pad :])

    def _found(self) -> bool:
        """Whether the caller's mark has come; ends in nothing where it is of no torrent."""
        begin = self._in.find(sha1(b"req1", self._shared), 0, PAD_MAX + 20)
        if begin < 0 and len(self._in) > PAD_MAX + 20:
            raise Malformed("no such handshake")
        if begin < 0 or len(self._in) < begin + 40:
            return False
        found = self._find(_either(self._in[begin + 20 : begin + 40], sha1(b"req3", self._shared)))
        if found is None:
            raise Malformed("not expected")
        self._hash = found
        self.reads = stream(b"keyA", self._shared, found)
        self.sends = stream(b"keyB", self._shared, found)
        del self._in[: begin + 40]
        return True

    # The calling end ---------------------------------------------------------------------------------------------
    def _caller(self) -> None:
        """Finds the other's first bytes behind its padding, and hears what it chose."""
        if not self.clear and not self._answered():
            return
        if not self._plain(14):
            return
        chosen, pad = int.from_bytes(self.clear[8:12], "big"), int.from_bytes(self.clear[12:14], "big")
        if chosen not in (CLEAR, RC4) or pad > PAD_MAX:
            raise Malformed("nothing we speak was chosen")
        if self._plain(14 + pad):
            self._end(chosen, b"")

    def _answered(self) -> bool:
        """Whether the other's first eight bytes have come, turned over as they are."""
        begin = self._in.find(
            stream(b"keyB", self._shared, self._hash).update(VERIFY), 0, PAD_MAX + len(VERIFY)
        )
        if begin < 0 and len(self._in) > PAD_MAX + len(VERIFY):
            raise Malformed("no such handshake")
        if begin < 0:
            return False
        del self._in[:begin]
        return self._plain(len(VERIFY))

    # Either ------------------------------------------------------------------------------------------------------
    def _plain(self, size: int) -> bool:
        """Turns over as many bytes as are needed and no more: what follows may be in clear. Whether they are there."""
        missing = size - len(self.clear)
        if missing > 0:
            assert self.reads is not None
            self.clear += self.reads.update(bytes(self._in[:missing]))
            del self._in[:missing]
        return len(self.clear) >= size

    def _end(self, chosen: int, early: bytes) -> None:
        assert self.reads is not None
        rest = bytes(self._in)
        self.clear = early + (rest if chosen == CLEAR else self.reads.update(rest))
        if chosen == CLEAR:
            self.sends = self.reads = None
        self._in.clear()
        self.is_done = True


def _either(one: bytes | bytearray, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
