"""Whom the witness may dial, and how often: it must not become a scanner, nor a stick to hit somebody with.

An address comes from the socket of whoever announced, and only its port is their word. What one stranger can bring
about, whatever they announce, is this and no more: connections that carry one greeting and end within 15 seconds
(two of them where the first is hung up on), to ports from 1024 on, `PORTS_PER_ADDRESS_HOUR` different ones an hour at
an address, `PER_NETWORK_MINUTE` a minute in a near network (/24 or /64), one per peer and announce interval, and of
all strangers together `PER_SECOND`. Hours and minutes begin for all at once: around such a beginning it may be twice
as much. Each refusal is counted. Addresses stand here for an hour at most, in memory only.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.reachable import IPNetwork, is_public
from vteam.rules.networks import near_network

PORT_MIN = 1024
AFTER_SECONDS = 10.0
AT_ONCE_MAX = 50
PER_SECOND = 20
PORTS_PER_ADDRESS_HOUR = 3
PER_NETWORK_MINUTE = 10
WAITING_MAX = 2_000
OWN_MAX = 64
# As many as can be dialled in an hour.
ADDRESSES_MAX = 3600 * PER_SECOND
MINUTE_SECONDS, HOUR_SECONDS = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who announced. `peer_id`: as announced, b"" where it is not known."""

    torrent: Torrent
    address: str
    port: int
    peer_id: bytes = b""

    @property
    def key(self) -> tuple[bytes, str, int]:
        """What it is once."""
        return self.torrent.info_hash, self.address, self.port


class Dials:
    """Who waits to be dialled and who was. `own`: our addresses; `allowed`: networks allowed though not global.

    Times are seconds of a clock that does not go back.
    """

    def __init__(self, *, own: Iterable[str], allowed: Iterable[IPNetwork], interval_s: float) -> None:
        self._named = set(own)
        self._own = {ip_address(address) for address in self._named}
        self._allowed = tuple(allowed)
        self._interval_s = interval_s
        self._waiting: OrderedDict[tuple[bytes, str, int], tuple[float, Peer]] = OrderedDict()
        self._dialled: OrderedDict[tuple[bytes, str, int], float] = OrderedDict()
        self._ports: dict[str, set[int]] = {}
        self._networks: dict[str, int] = {}
        self._minute = self._hour = 0.0
        self.refused = 0

    def owns(self, address: str) -> None:
        """An address of this machine, as somebody reached it at."""
        if address not in self._named and len(self._own) < OWN_MAX:
            self._named.add(address)
            self._own.add(ip_address(address))

    def may_dial(self, address: str, port: int) -> bool:
        """Whether this address (canonical text) is one that may be dialled at all, at this port."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if not PORT_MIN <= port <= 65_535 or found in self._own or "%" in address:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            return False
        return any(found in network for network in self._allowed) or is_public(found)

    def consider(self, peer: Peer, now: float, *, at_once: bool = False) -> None:
        """Somebody announced: they are dialled in `AFTER_SECONDS`, unless they have met us by then."""
        if peer.key in self._waiting:
            return
        last = self._dialled.get(peer.key)
        if last is not None and now - last < self._interval_s:
            return
        if len(self._waiting) >= WAITING_MAX or not self.may_dial(peer.address, peer.port):
            self.refused += 1
            return
        self._waiting[peer.key] = (now if at_once else now + AFTER_SECONDS, peer)
        if at_once:
            self._waiting.move_to_end(peer.key, last=False)

    def due(self, now: float, *, under_way: int) -> list[Peer]:
        """Who is to be looked for this second, at most `PER_SECOND`; to be called once a second.

        `under_way`: how many are being dialled. Whoever is given was not yet charged: see `spend`.
        """
        self._turn(now)
        found: list[Peer] = []
        most = min(PER_SECOND, AT_ONCE_MAX - under_way)
        while self._waiting and len(found) < most:
            key, (at, peer) = next(iter(self._waiting.items()))
            if at > now:
                break
            del self._waiting[key]
            found.append(peer)
        return found

    def spend(self, peer: Peer, now: float) -> bool:
        """Whether this peer may be dialled now; then it counts as dialled."""
        near = near_network(peer.address)
        ports = self._ports.get(peer.address)
        is_new_port = ports is None or peer.port not in ports
        if (
            self._networks.get(near, 0) >= PER_NETWORK_MINUTE
            or (ports is not None and is_new_port and len(ports) >= PORTS_PER_ADDRESS_HOUR)
            or (ports is None and len(self._ports) >= ADDRESSES_MAX)
        ):
            self.refused += 1
            return False
        self._networks[near] = self._networks.get(near, 0) + 1
        self._ports.setdefault(peer.address, set()).add(peer.port)
        self._dialled[peer.key] = now
        self._dialled.move_to_end(peer.key)
        return True

    def forget(self, titles: frozenset[int]) -> None:
        """Nobody is dialled for these titles any more."""
        for key in [key for key, (_, peer) in self._waiting.items() if peer.torrent.title in titles]:
            del self._waiting[key]

    def _turn(self, now: float) -> None:
        if now - self._minute >= MINUTE_SECONDS:
            self._minute = now
            self._networks.clear()
        if now - self._hour >= HOUR_SECONDS:
            self._hour = now
            self._ports.clear()
        while self._dialled and now - next(iter(self._dialled.values())) >= self._interval_s:
            self._dialled.popitem(last=False)
