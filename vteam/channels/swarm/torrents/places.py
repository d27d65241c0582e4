"""Where a client is, as far as it matters: one IPv4 address, or one /64, is one place, and is kept as a keyed hash."""

import hmac
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from vteam.channels.swarm.torrents.announce import ADDRESSES_CACHED


@lru_cache(maxsize=ADDRESSES_CACHED)
def whereabouts(address: str) -> str:
    """What of an address is one place: all of an IPv4 one, a /64 of an IPv6 one."""
    found = ip_address(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


def listener_at(address: str, key: bytes) -> str:
    """The keyed hash (32 hex digits) of a place; one for all titles of a campaign."""
    return _keyed(f"torrent client at {whereabouts(address)}", key)


@lru_cache(maxsize=ADDRESSES_CACHED)
def _keyed(text: str, key: bytes) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()[:32]


def is_six(address: str) -> bool:
    """Whether an address (canonical text) is of IPv6."""
    return ":" in address
