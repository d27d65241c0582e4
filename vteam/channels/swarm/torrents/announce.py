"""What a torrent client tells the tracker over HTTP, and what it is answered: BEPs 3, 7, 23, 24 and 31.

Reading refuses with words for whoever looks into their client's log. What a client says of its own address (`ip`,
`ipv4`, `ipv6`) is not read at all: the socket knows better.
"""

import re
from binascii import a2b_qp
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from fastbencode import bencode

PREFIX = "/announce/"
QUERY_BYTES_MAX = 4096
COUNTER_MAX = 2**60
# What some say is left before they know how much there is.
LARGEST = 2**64 - 1
PEERS_MAX = 50
ADDRESSES_CACHED = 16_384
DIGITS_MAX = 20
_PAIR = re.compile(rb"([^&=]+)=([^&]*)")


class Event(StrEnum):
    """What a client announces of itself; SOME_TIME: nothing new, as it does every interval."""

    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"
    SOME_TIME = ""


class Role(StrEnum):
    """Which of a torrent's two keys a client came with."""

    SEEDER = "seeder"
    FRIEND = "friend"


class Announce(NamedTuple):
    """One announce as a client made it; the three counters are bytes and its own word. `most`: peers it wants."""

    info_hash: bytes
    peer_id: bytes
    port: int
    uploaded: int
    downloaded: int
    left: int
    event: Event
    compact: bool
    most: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an announce is refused, in words."""

    reason: str


def announce_in(query: bytes) -> Announce | Failure:
    """The announce in a request's query."""
    if len(query) > QUERY_BYTES_MAX:
        return Failure("this announce is too long")
    # What is said twice counts as it was said first.
    given: dict[bytes, bytes] = dict(_PAIR.findall(query)[::-1])
    info_hash, peer_id = _unquoted(given.get(b"info_hash", b"")), _unquoted(given.get(b"peer_id", b""))
    if len(info_hash) != 20 or len(peer_id) != 20:
        return Failure("info_hash and peer_id are 20 bytes each")
    port = _number(given.get(b"port", b""), 65_535)
    if not port:
        return Failure("port is a number from 1 to 65535")
    uploaded = _number(given.get(b"uploaded", b"0"), LARGEST)
    downloaded = _number(given.get(b"downloaded", b"0"), LARGEST)
    left = _number(given.get(b"left", b"0"), LARGEST)
    if uploaded is None or downloaded is None or left is None:
        return Failure("uploaded, downloaded and left are whole numbers of bytes")
    event = _EVENTS.get(given.get(b"event", b""))
    if event is None:
        return Failure("event is started, completed, stopped or nothing")
    most = _number(given.get(b"numwant", b""), COUNTER_MAX)
    return Announce(
        info_hash,
        peer_id,
        port,
        min(uploaded, COUNTER_MAX),
        min(downloaded, COUNTER_MAX),
        min(left, COUNTER_MAX),
        event,
        given.get(b"compact") != b"0",
        PEERS_MAX if most is None else min(most, PEERS_MAX),
    )


# "paused" (BEP 21) is a downloader that wants no more than it has: nothing new to us.
_EVENTS = {
    **{event.encode(): event for event in Event},
    b"empty": Event.SOME_TIME,
    b"paused": Event.SOME_TIME,
}


def _unquoted(value: bytes) -> bytes:
    """A value with its %XX as bytes. Mail's "quoted-printable" is the same with another sign, and read in one go."""
    if b"%" not in value:
        return value
    return a2b_qp(value.replace(b"=", b"=3D").replace(b"%", b"="))


def _number(text: bytes, most: int) -> int | None:
    """The whole number a text is, if it is at most `most`."""
    if len(text) > DIGITS_MAX or not text.isdigit():
        return None
    number = int(text)
    return number if number <= most else None


Peer = tuple[bytes, bytes]
"""A peer as others are told of it: peer id (20 bytes; b"" where none is known), address and port, packed (BEP 23)."""


def compact(address: str, port: int) -> bytes:
    """An address and a port in 6 bytes (18 for IPv6)."""
    return packed(address) + port.to_bytes(2, "big")


@lru_cache(maxsize=ADDRESSES_CACHED)
def packed(address: str) -> bytes:
    """An address in 4 or 16 bytes. Of those that announced lately it is not worked out again."""
    return ip_address(address).packed


def answered(
    peers: Iterable[Peer], *, complete: int, incomplete: int, interval_s: int, to: str, is_compact: bool
) -> bytes:
    """The tracker's answer. `to`: the address that asked, which it is told of too (BEP 24)."""
    least_s, external = max(interval_s // 2, 1), packed(to)
    if is_compact:
        places = [where for _, where in peers]
        four = b"".join([where for where in places if len(where) == 6])
        six = b"".join([where for where in places if len(where) == 18])
        # Written out, since nearly every client is answered so.
        return _COMPACT % (
            complete, len(external), external, incomplete, interval_s, least_s, len(four), four, len(six), six
        )  # fmt: skip
    told: dict[bytes, object] = {
        b"complete": complete,
        b"external ip": external,
        b"incomplete": incomplete,
        b"interval": interval_s,
        b"min interval": least_s,
        b"peers": [_spelled(peer_id, where) for peer_id, where in peers],
    }
    answer: bytes = bencode(told)
    return answer


_COMPACT = (
    b"d8:completei%de11:external ip%d:%b10:incompletei%de8:intervali%de12:min intervali%de"
    b"5:peers%d:%b6:peers6%d:%be"
)


def _spelled(peer_id: bytes, where: bytes) -> dict[bytes, object]:
    """A peer in the older form (BEP 3)."""
    place: dict[bytes, object] = {
        b"ip": str(ip_address(where[:-2])).encode(),
        b"port": int.from_bytes(where[-2:], "big"),
    }
    return {**place, b"peer id": peer_id} if peer_id else place


def refused(reason: str, *, retry_minutes: int | None = None) -> bytes:
    """A refusal in words; `retry_minutes`: when to come again, None: never (BEP 31)."""
    retry: object = b"never" if retry_minutes is None else retry_minutes
    answer: bytes = bencode({b"failure reason": reason.encode(), b"retry in": retry})
    return answer


@lru_cache(maxsize=ADDRESSES_CACHED)
def plain_address(address: str) -> str:
    """An address without zone, an IPv4 one carried inside IPv6 as itself; ValueError where it is none."""
    found = ip_address(address.partition("%")[0])
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)
