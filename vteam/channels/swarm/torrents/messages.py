"""What the peer protocol's messages are, and what of them is plain reading: BEPs 3, 6 and 10."""

from enum import IntEnum
from typing import Any

from fastbencode import bdecode, bencode

from vteam.errors import VTeamError

PROTOCOL = b"\x13BitTorrent protocol"
HANDSHAKE_BYTES = 68
# Extensions (BEP 10) and fast (BEP 6); no DHT, since every torrent here is private.
RESERVED = bytes.fromhex("0000000000100004")
EXTENSIONS_BYTE, EXTENSIONS_BIT = 5, 0x10
FAST_BYTE, FAST_BIT = 7, 0x04
NAME = "vTeam witness"
REQUESTS_ALLOWED = 250
OUR_METADATA = 2  # under this number others send us `ut_metadata`
CLIENT_CHARACTERS_MAX = 60


class Kind(IntEnum):
    """What a message is (BEPs 3, 6 and 10)."""

    CHOKE = 0
    UNCHOKE = 1
    INTERESTED = 2
    NOT_INTERESTED = 3
    HAVE = 4
    BITFIELD = 5
    REQUEST = 6
    PIECE = 7
    CANCEL = 8
    PORT = 9
    SUGGEST = 13
    HAVE_ALL = 14
    HAVE_NONE = 15
    REJECT = 16
    ALLOWED_FAST = 17
    EXTENDED = 20


class Garbage(VTeamError):
    """The other end sent what the protocol does not allow; the text says what, without a word of theirs."""


SIZES: dict[int, int] = {
    Kind.CHOKE: 0,
    Kind.UNCHOKE: 0,
    Kind.INTERESTED: 0,
    Kind.NOT_INTERESTED: 0,
    Kind.HAVE: 4,
    Kind.REQUEST: 12,
    Kind.CANCEL: 12,
    Kind.PORT: 2,
    Kind.SUGGEST: 4,
    Kind.HAVE_ALL: 0,
    Kind.HAVE_NONE: 0,
    Kind.REJECT: 12,
    Kind.ALLOWED_FAST: 4,
}


def printable(name: str) -> str:
    """A name strangers chose, short enough and fit to be shown."""
    return "".join(each if each.isprintable() else "?" for each in name[:CLIENT_CHARACTERS_MAX])


def about_us(metadata_bytes: int) -> bytes:
    """What the witness says in its extended handshake (BEP 10)."""
    # No `upload_only`: libtorrent parts from peers that neither give nor take.
    told = {
        b"m": {b"ut_metadata": OUR_METADATA},
        b"metadata_size": metadata_bytes,
        b"reqq": REQUESTS_ALLOWED,
        b"v": NAME.encode(),
    }
    whole: bytes = bencode(told)
    return whole


def dictionary(content: bytes) -> dict[bytes, Any]:
    """The bencoded dictionary that an extended message is; Garbage when it is none."""
    try:
        found = bdecode(content)
    except (ValueError, RecursionError) as error:
        raise Garbage("an extended message nobody can read") from error
    if not isinstance(found, dict):
        raise Garbage("an extended message that is no dictionary")
    return found
