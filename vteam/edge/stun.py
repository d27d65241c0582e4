"""STUN (RFC 8489): tells a browser the address and port it is seen at, so that two can meet without a third party.

Only Binding requests are answered, without a password, over UDP. Everything else is met with silence: whoever writes
somebody else's address on a datagram must not gain much by it, so an answer is small, one network gets so many a
minute, and what waits to leave has an end. No address is kept for longer than that minute, none is logged.
"""

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar, cast

from vteam.edge.budget import MinuteBudget
from vteam.errors import CannotStart
from vteam.rules.networks import near_network

BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0101, 0x0111
MAGIC_COOKIE = 0x2112A442
HEADER = struct.Struct("!HHI12s")  # kind, length of the attributes, magic cookie, transaction
ATTRIBUTE = struct.Struct("!HH")  # kind, length of the value without its padding
DATAGRAM_BYTES_MAX = 548

ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, FINGERPRINT = 0x0009, 0x000A, 0x0020, 0x8028
FINGERPRINT_BYTES = 8
FINGERPRINT_XOR = 0x5354554E
# Attributes from here on may be passed over by whoever does not know them.
OPTIONAL_FROM = 0x8000
# Below, what RFC 8489 defines. None of it changes the answer to somebody who needs no password.
KNOWN = frozenset(
    (0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E, XOR_MAPPED_ADDRESS)
)
UNKNOWN_NAMED_MAX = 16
# Error 420 without its words: nobody reads them, and they would make the answer the bigger one.
UNKNOWN_ATTRIBUTE = bytes((0, 0, 4, 20))
FAMILY = {4: 1, 6: 2}

MINUTE_SECONDS = 60
# A browser that keeps a path open asks about six times a minute; a school yard stays below.
ANSWERS_PER_NETWORK_MINUTE = 3000

Attribute = tuple[int, bytes]


def answer(datagram: bytes, address: tuple[str, int]) -> bytes | None:
    """The answer to what came from `address` (host, port), at most 2.2 times as long; None: there is none.

    "RFC 8489, 6.3". A fingerprint is checked where there is one, and then the answer has one too.
    """
    attributes = _attributes_of_request(datagram)
    if attributes is None:
        return None
    has_fingerprint = FINGERPRINT in (kind for kind, _ in attributes)
    if has_fingerprint and not _fingerprint_holds(datagram, attributes):
        return None
    transaction = datagram[8 : HEADER.size]
    unknown = [kind for kind, _ in attributes if kind < OPTIONAL_FROM and kind not in KNOWN]
    if unknown:
        return _message(BINDING_ERROR, transaction, _refusal(unknown), has_fingerprint=has_fingerprint)
    mapped = _attribute(XOR_MAPPED_ADDRESS, _masked(address, transaction))
    return _message(BINDING_SUCCESS, transaction, mapped, has_fingerprint=has_fingerprint)


def _attributes_of_request(datagram: bytes) -> list[Attribute] | None:
    """What a Binding request says, in its order; None when it is no such request, or not a whole one."""
    if not HEADER.size <= len(datagram) <= DATAGRAM_BYTES_MAX:
        return None
    kind, length, cookie, _ = HEADER.unpack_from(datagram)
    if (kind, cookie) != (BINDING_REQUEST, MAGIC_COOKIE):
        return None
    body = datagram[HEADER.size :]
    return _attributes(body) if length == len(body) and length % 4 == 0 else None


def _attributes(body: bytes) -> list[Attribute] | None:
    """The attributes in `body`, whole words; None when the last one is longer than what is there."""
    found: list[Attribute] = []
    at = 0
    while at < len(body):
        kind, length = ATTRIBUTE.unpack_from(body, at)
        at += ATTRIBUTE.size
        found.append((kind, body[at : at + length]))
        at += length + -length % 4
    return found if at == len(body) else None


def _fingerprint_holds(datagram: bytes, attributes: Sequence[Attribute]) -> bool:
    """Whether the fingerprint is what stands last, and that of all before it."""
    kind, value = attributes[-1]
    return (kind, value) == (FINGERPRINT, _fingerprint(datagram[:-FINGERPRINT_BYTES]))


def _fingerprint(before: bytes) -> bytes:
    return (zlib.crc32(before) ^ FINGERPRINT_XOR).to_bytes(4, "big")


def _masked(address: tuple[str, int], transaction: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS: masked, since some routers rewrite whatever looks like an address of theirs."""
    host = ip_address(address[0].partition("%")[0])
    if isinstance(host, IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    mask = MAGIC_COOKIE.to_bytes(4, "big") + transaction
    masked = bytes(ours ^ theirs for ours, theirs in zip(host.packed, mask, strict=False))
    return struct.pack("!xBH", FAMILY[host.version], address[1] ^ MAGIC_COOKIE >> 16) + masked


def _refusal(unknown: Sequence[int]) -> bytes:
    named = list(dict.fromkeys(unknown))[:UNKNOWN_NAMED_MAX]
    kinds = struct.pack(f"!{len(named)}H", *named)
    return _attribute(ERROR_CODE, UNKNOWN_ATTRIBUTE) + _attribute(UNKNOWN_ATTRIBUTES, kinds)


def _attribute(kind: int, value: bytes) -> bytes:
    return ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _message(kind: int, transaction: bytes, body: bytes, *, has_fingerprint: bool) -> bytes:
    # The length counts the fingerprint before it is known, "RFC 8489, 14.7".
    length = len(body) + FINGERPRINT_BYTES * has_fingerprint
    message = HEADER.pack(kind, length, MAGIC_COOKIE, transaction) + body
    return message + _attribute(FINGERPRINT, _fingerprint(message)) if has_fingerprint else message


# The port ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class AnswerBudget(MinuteBudget):
    """How many answers one network gets in a minute."""

    over: ClassVar[str] = "%d STUN requests were not answered: more than one network may make a minute"


class StunProtocol(asyncio.DatagramProtocol):
    """A UDP socket's requests, answered at once or never; its budget turns with the minutes while it is open."""

    def __init__(self, budget: AnswerBudget) -> None:
        self._budget = budget
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open: the first minute begins."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._begin_minute()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed: the last minute ends early."""
        self._minute.cancel()
        self._budget.turn()

    def pause_writing(self) -> None:
        """Answers do not leave as fast as they are asked for: no more of them are made."""
        self._is_full = True

    def resume_writing(self) -> None:
        """They leave again."""
        self._is_full = False

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Strangers' bytes; only those which have an answer cost their network something."""
        reply = None if self._is_full else answer(data, (addr[0], addr[1]))
        if reply is not None and self._budget.spend(near_network(addr[0])):
            self._transport.sendto(reply, addr)

    def _begin_minute(self) -> None:
        self._minute = asyncio.get_running_loop().call_later(MINUTE_SECONDS, self._end_minute)

    def _end_minute(self) -> None:
        self._budget.turn()
        self._begin_minute()


@asynccontextmanager
async def answering(address: tuple[str, int] | None) -> AsyncIterator[None]:
    """Answers at this address (numeric host, UDP port) until the block ends; None: nowhere.

    CannotStart when it cannot be had.
    """
    if address is None:
        yield
        return
    budget = AnswerBudget(per_network=ANSWERS_PER_NETWORK_MINUTE)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: StunProtocol(budget), sock=opened(*address)
    )
    try:
        yield
    finally:
        transport.close()


def opened(host: str, port: int) -> socket.socket:
    """A UDP socket (port 0: any free one); CannotStart when the address cannot be had."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise CannotStart(
            f"The edge cannot answer STUN on {host}, UDP port {port}: {error.strerror}. "
            "Choose others with VTEAM_STUN_HOST and VTEAM_STUN_PORT, or none with VTEAM_STUN_PORT=0."
        ) from error
    door.setblocking(False)
    return door
