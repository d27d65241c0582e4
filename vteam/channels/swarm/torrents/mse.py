"""Message Stream Encryption, the obfuscated handshake many clients prefer or insist on; no socket in it.

Diffie-Hellman over a 768 bit prime, then RC4 under a key that needs the info hash. It keeps networks from slowing
BitTorrent down and nothing secret, so plain text is chosen after it wherever the other end offers it. Bytes in, plain
text out, and bytes to send. Strangers speak here too: every pad and every wait has its length.
"""

import hashlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from vteam.channels.swarm.torrents.messages import PROTOCOL, Garbage

# Its own: not one of the Oakley groups, whose first it begins like.
PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563",
    16,
)
GENERATOR = 2
KEY_BYTES = 96
SECRET_BITS = 160
PAD_BYTES_MAX = 512
DROPPED_BYTES = 1024
VERIFICATION = bytes(8)
FIRST_BYTES_MAX = 16 * 1024
PLAIN, RC4 = 1, 2

Finds = Callable[[bytes], bytes | None]
"""The info hash whose `hash_of_key` this is; None where no torrent lately introduced has it."""


def is_plain(start: bytes | bytearray) -> bool | None:
    """Whether a connection that begins so is not obfuscated; None while nobody can tell."""
    if start[: len(PROTOCOL)] != PROTOCOL[: len(start)]:
        return False
    return True if len(start) >= len(PROTOCOL) else None


def hash_of_key(info_hash: bytes) -> bytes:
    """What a torrent is looked up by, since its info hash does not pass in the clear (20 bytes)."""
    return _sha1(b"req2", info_hash)


class Obfuscated(ABC):
    """Either end of a connection. `is_open`: the handshake is over, `to_wire` and `receive` carry the stream."""

    def __init__(self) -> None:
        self._secret = secrets.randbits(SECRET_BITS)
        self._buffer = bytearray()
        self._out = bytearray(pow(GENERATOR, self._secret, PRIME).to_bytes(KEY_BYTES, "big") + _pad())
        self._step: Callable[[], bytes | None] = self._shared
        self._sends: _Rc4 | None = None
        self._reads: _Rc4 | None = None
        self._s = b""
        self.is_open = False

    def to_send(self) -> bytes:
        """What the handshake itself sends now."""
        out, self._out = bytes(self._out), bytearray()
        return out

    def to_wire(self, plain: bytes) -> bytes:
        """The stream's bytes as they go out; only once it is open."""
        return self._sends.turned(plain) if self._sends else plain

    def receive(self, data: bytes) -> bytes:
        """The plain text these bytes bring; Garbage when they are no such handshake."""
        if self.is_open:
            return self._reads.turned(data) if self._reads else data
        self._buffer += data
        while not self.is_open:
            found = self._step()
            if found is None:
                return b""
        begun, self._buffer = found, bytearray()
        return begun

    def _shared(self) -> bytes | None:
        if len(self._buffer) < KEY_BYTES:
            return None
        theirs = int.from_bytes(self._take(KEY_BYTES), "big")
        if not 1 < theirs < PRIME - 1:
            raise Garbage("a key that hides nothing")
        self._s = pow(theirs, self._secret, PRIME).to_bytes(KEY_BYTES, "big")
        self._secret = 0
        self._agreed()
        return b""

    @abstractmethod
    def _agreed(self) -> None:
        """Both ends have the same secret: says what is next."""

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _found(self, mark: bytes) -> bool:
        """Whether the mark that ends a pad is there; what stands before it, and itself, is taken."""
        at = self._buffer.find(mark, 0, PAD_BYTES_MAX + len(mark))
        if at < 0:
            if len(self._buffer) >= PAD_BYTES_MAX + len(mark):
                raise Garbage("a pad without an end")
            return False
        self._take(at + len(mark))
        return True

    def _keyed(self, info_hash: bytes, *, sends: bytes, reads: bytes) -> None:
        self._sends = _Rc4(_sha1(sends, self._s, info_hash))
        self._reads = _Rc4(_sha1(reads, self._s, info_hash))

    def _chosen(self, method: int, begun: bytes = b"") -> bytes:
        """The stream begins; `begun`: what came of it already, in plain text."""
        rest = bytes(self._buffer)
        if method == RC4 and self._reads:
            rest = self._reads.turned(rest)
        elif method == PLAIN:
            self._sends = self._reads = None
        self.is_open = True
        return begun + rest


class Responder(Obfuscated):
    """The end that was dialled. It finds the torrent among those it may speak of."""

    def __init__(self, finds: Finds) -> None:
        super().__init__()
        self._finds = finds
        self._provided = self._wanted = 0

    def _agreed(self) -> None:
        self._step = self._begins

    def _begins(self) -> bytes | None:
        if not self._found(_sha1(b"req1", self._s)):
            return None
        self._step = self._torrent
        return b""

    def _torrent(self) -> bytes | None:
        if len(self._buffer) < 20 + 14:
            return None
        masked = int.from_bytes(self._take(20), "big") ^ int.from_bytes(_sha1(b"req3", self._s), "big")
        info_hash = self._finds(masked.to_bytes(20, "big"))
        if info_hash is None:
            raise Garbage("a torrent that was not introduced")
        self._keyed(info_hash, sends=b"keyB", reads=b"keyA")
        head = self._read(14)
        self._provided, pad = int.from_bytes(head[8:12], "big"), int.from_bytes(head[12:], "big")
        if head[:8] != VERIFICATION or pad > PAD_BYTES_MAX:
            raise Garbage("a handshake that cannot be verified")
        self._wanted = pad + 2
        self._step = self._padded
        return b""

    def _padded(self) -> bytes | None:
        if len(self._buffer) < self._wanted:
            return None
        self._wanted = int.from_bytes(self._read(self._wanted)[-2:], "big")
        if self._wanted > FIRST_BYTES_MAX:
            raise Garbage("first words longer than any greeting")
        self._step = self._first_words
        return b""

    def _first_words(self) -> bytes | None:
        # What came first is always encrypted, whatever is chosen for the rest.
        if len(self._buffer) < self._wanted:
            return None
        begun = self._read(self._wanted)
        method = next((each for each in (PLAIN, RC4) if self._provided & each), None)
        if method is None:
            raise Garbage("no way to speak that we know")
        answer = VERIFICATION + method.to_bytes(4, "big") + bytes(2)
        self._out += self.to_wire(answer)
        return self._chosen(method, begun)

    def _read(self, count: int) -> bytes:
        assert self._reads is not None
        return self._reads.turned(self._take(count))


class Initiator(Obfuscated):
    """The end that dials. `first`: the first words of the stream, which go along with the handshake."""

    def __init__(self, info_hash: bytes, first: bytes) -> None:
        super().__init__()
        self._info_hash = info_hash
        self._first = first

    def _agreed(self) -> None:
        self._keyed(self._info_hash, sends=b"keyA", reads=b"keyB")
        masked = int.from_bytes(hash_of_key(self._info_hash), "big") ^ int.from_bytes(
            _sha1(b"req3", self._s), "big"
        )
        offer = VERIFICATION + (PLAIN | RC4).to_bytes(4, "big") + bytes(2)
        self._out += _sha1(b"req1", self._s) + masked.to_bytes(20, "big")
        self._out += self.to_wire(offer + len(self._first).to_bytes(2, "big") + self._first)
        assert self._reads is not None
        self._mark = self._reads.turned(VERIFICATION)
        self._step = self._verified

    def _verified(self) -> bytes | None:
        if not self._found(self._mark):
            return None
        self._step = self._method
        return b""

    def _method(self) -> bytes | None:
        if len(self._buffer) < 6:
            return None
        assert self._reads is not None
        head = self._reads.turned(self._take(6))
        self._selected, self._pad = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        if self._selected not in (PLAIN, RC4) or self._pad > PAD_BYTES_MAX:
            raise Garbage("a handshake that cannot be verified")
        self._step = self._end
        return b""

    def _end(self) -> bytes | None:
        if len(self._buffer) < self._pad:
            return None
        assert self._reads is not None
        self._reads.turned(self._take(self._pad))
        return self._chosen(self._selected)


class _Rc4:
    """One direction's key stream, its beginning thrown away."""

    __slots__ = ("_context",)

    def __init__(self, key: bytes) -> None:
        self._context = Cipher(ARC4(key), mode=None).encryptor()
        self._context.update(bytes(DROPPED_BYTES))

    def turned(self, content: bytes) -> bytes:
        """Encrypted, or decrypted: the same to RC4."""
        return self._context.update(content)


def _sha1(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()


def _pad() -> bytes:
    return secrets.token_bytes(secrets.randbelow(PAD_BYTES_MAX + 1))
