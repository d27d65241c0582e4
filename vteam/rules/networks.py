"""Which network somebody comes from: keyed hashes of it, never the address itself.

Addresses come in as text and leave as hashes under a key which is destroyed when a campaign's appeals are over.
A forwarded address is believed only as far as trusted proxies vouch for it; everything else in the header is
whatever a stranger typed, and ignored.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# How much of an address is "near" (a home, a school, a phone carrier's gateway) and "wide" (a provider's region).
NEAR_BITS = {4: 24, 6: 64}
WIDE_BITS = {4: 16, 6: 48}
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Networks:
    """Three keyed hashes (32 hex digits each) of one address: itself, /24 or /64, /16 or /48."""

    address: str
    near: str
    wide: str

    @classmethod
    def of(cls, address: str, *, key: bytes, host: str | None = None) -> Self:
        """The hashes of an address (text; ValueError when it is none) under `key`.

        `host` makes the same address another network for each host name (the demo: `bo.localhost`).
        """
        whole = _address(address)
        return cls(
            address=_keyed(key, "address", str(whole), host),
            near=_keyed(key, "near", _around(whole, NEAR_BITS), host),
            wide=_keyed(key, "wide", _around(whole, WIDE_BITS), host),
        )

    def as_tuple(self) -> tuple[str, str, str]:
        """Address, near, wide: the order facts keep."""
        return (self.address, self.near, self.wide)


def near_network(address: str) -> str:
    """The /24 or /64 around an address, as text, for counting in memory only; ValueError when it is no address."""
    return _around(_address(address), NEAR_BITS)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[IPNetwork]) -> str:
    """The address a request came from, in its canonical text.

    `peer`: the socket's other end (ValueError when it is no address). `forwarded_for`: X-Forwarded-For, several
    lines joined by commas in their order. It is read from right to left, past trusted proxies: the first address
    which is none of them is the client. Something unreadable ends the reading, since nobody trusted wrote what
    stands left of it.
    """
    client = _address(peer)
    hops = forwarded_for.split(",") if forwarded_for and trusted else []
    while hops and any(client in network for network in trusted):
        hop = _hop(hops.pop())
        if hop is None:
            break
        client = hop
    return str(client)


def trusted_network(text: str) -> IPNetwork:
    """A trusted proxy as written by an administrator: an address, or a network with no bits beyond its mask.

    Raises ValueError saying what is wrong.
    """
    return ip_network(text.strip())


def _hop(text: str) -> IPAddress | None:
    """One entry of X-Forwarded-For: an address, perhaps with a port or in brackets; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return _address(text)
    except ValueError:
        return None


def _address(text: str) -> IPAddress:
    """An address without zone, an IPv4 one carried inside IPv6 as itself."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _around(address: IPAddress, bits: dict[int, int]) -> str:
    return str(ip_network((address, bits[address.version]), strict=False))


def _keyed(key: bytes, purpose: str, network: str, host: str | None) -> str:
    text = f"vteam network {purpose}\0{network}\0{host or ''}"
    return hmac.new(key, text.encode(), hashlib.sha256).digest()[:HASH_BYTES].hex()
