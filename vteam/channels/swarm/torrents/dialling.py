"""Whom the witness may call: clients that announced, and nobody who could be hurt by it.

A stranger chooses the port it announces, so calling could be turned against somebody. The bound: only the address an
announce came from is called, only on the internet (or in networks the operator names), only ports from 1024, never our
own; a port once an interval, three ports of an address an hour, ten calls a minute into a /24 or /64, twenty a second
in all. Pure: times are given (s).
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from vteam.rules.networks import IPNetwork, near_network

PORT_MIN = 1024
PORTS_PER_ADDRESS_HOUR, CALLS_PER_NEAR_MINUTE, CALLS_PER_SECOND = 3, 10, 20
HOUR_S, MINUTE_S = 3600.0, 60.0
REMEMBERED_MAX = 20_000
# They carry other addresses inside: 6to4, Teredo, NAT64.
_CARRIERS = tuple(map(ip_network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class Dials:
    """What was called lately. `allowed`: networks beside the internet's; `ports`: our own."""

    def __init__(
        self, *, interval_s: float, allowed: Sequence[IPNetwork] = (), ports: Collection[int] = ()
    ) -> None:
        self._interval_s, self._allowed, self._ports = interval_s, tuple(allowed), frozenset(ports)
        self._own: set[str] = set()
        self._ports_of: OrderedDict[str, dict[int, float]] = OrderedDict()
        self._calls_near: OrderedDict[str, list[float]] = OrderedDict()
        self._calls: list[float] = []

    def is_ours(self, address: str) -> None:
        """Remembers an address of this machine."""
        if len(self._own) < 64:
            self._own.add(address)

    def may(self, address: str, port: int, *, now: float) -> bool:
        """Whether to call there now; a yes is used up by asking."""
        if not self._is_somebody(address, port):
            return False
        near = near_network(address)
        ports = {at: when for at, when in self._ports_of.get(address, {}).items() if when > now - HOUR_S}
        calls = [when for when in self._calls_near.get(near, []) if when > now - MINUTE_S]
        self._calls = [when for when in self._calls if when > now - 1]
        if (
            now - ports.get(port, -HOUR_S) < self._interval_s
            or (port not in ports and len(ports) >= PORTS_PER_ADDRESS_HOUR)
            or len(calls) >= CALLS_PER_NEAR_MINUTE
            or len(self._calls) >= CALLS_PER_SECOND
            or not self._is_room(address, near, now)
        ):
            return False
        self._ports_of[address] = {**ports, port: now}
        self._calls_near[near] = [*calls, now]
        self._calls.append(now)
        self._ports_of.move_to_end(address)
        self._calls_near.move_to_end(near)
        return True

    def _is_somebody(self, address: str, port: int) -> bool:
        found = ip_address(address)
        is_allowed = any(found in network for network in self._allowed)
        if (
            port < PORT_MIN
            or port > 65_535
            or (address in self._own and (port in self._ports or not is_allowed))
        ):
            return False
        return is_allowed or _is_on_the_internet(found)

    def _is_room(self, address: str, near: str, now: float) -> bool:
        """Whether what is called can be remembered: what is old goes, what is not yet is never forgotten."""
        while self._ports_of and max(next(iter(self._ports_of.values())).values()) < now - HOUR_S:
            self._ports_of.popitem(last=False)
        while self._calls_near and next(iter(self._calls_near.values()))[-1] < now - MINUTE_S:
            self._calls_near.popitem(last=False)
        known = address in self._ports_of, near in self._calls_near
        return (known[0] or len(self._ports_of) < REMEMBERED_MAX) and (
            known[1] or len(self._calls_near) < REMEMBERED_MAX
        )


def _is_on_the_internet(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _CARRIERS)
