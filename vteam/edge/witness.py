"""The witness: a peer in every swarm that gives nothing, sees downloads grow and asks for pieces of them.

It listens and dials; what it sees goes to the book, which judges. Strangers reach it, so there is an end to
everything: connections in all, of one near network, of one address in a swarm; metadata an hour; the rest stands in
`peers`. Whom it dials, and how little that can be used against anybody, stands in `dials`. Nothing is logged.
"""

import asyncio
import secrets
import socket
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from ipaddress import ip_network
from typing import cast

from vteam import clock
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.mse import hash_of_key
from vteam.channels.swarm.torrents.places import whereabouts
from vteam.channels.swarm.torrents.watch import Book
from vteam.channels.swarm.torrents.watched import Reach
from vteam.edge.dials import Dials, Peer
from vteam.edge.peers import Connection
from vteam.edge.protocol import hang_up_on_the_late
from vteam.reachable import IPNetwork

CONNECT_SECONDS_MAX = 5.0
PER_NETWORK_MAX, PER_WIDE_MAX = 32, 256
PER_ADDRESS_AND_TORRENT_MAX = 4
TORRENTS_KNOWN_MAX = 20_000
METADATA_TIMES_HOUR = 20
METADATA_ADDRESSES_MAX = 20_000
MINUTE_SECONDS, HOUR_SECONDS = 60.0, 3600.0
BACKLOG = 512

Active = Callable[[bytes], Torrent | None]
"""The torrent of an info hash, if the tracker introduced somebody to it lately."""


class Witness:
    """All of a process's connections to torrent clients. `own`: our addresses, never dialled.

    `allowed`: networks that may be dialled though they are not global. `interval_s`: how often clients announce.
    `refused`: connections there was no room for.
    """

    def __init__(
        self,
        *,
        book: Book,
        active: Active,
        own: Iterable[str] = (),
        allowed: Iterable[IPNetwork] = (),
        interval_s: float = 90.0,
        connections_max: int = 4_000,
        per_network_max: int = PER_NETWORK_MAX,
    ) -> None:
        self.book = book
        self.active = active
        self.our_id = b"-VT0100-" + secrets.token_bytes(12)
        self.dials = Dials(own=own, allowed=allowed, interval_s=interval_s)
        self.dialled = self.refused = 0
        self.metadata_refused = 0
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._connections_max, self._per_network_max = connections_max, per_network_max
        self._connections: set[Connection] = set()
        self._networks: Counter[str] = Counter()
        self._wide: Counter[str] = Counter()
        self._met: dict[tuple[bytes, str], list[Connection]] = {}
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        self._info_hashes: dict[bytes, bytes] = {}
        self._metadata: dict[str, int] = {}
        self._minute = self._hour = self.now()
        self._dialling: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._is_open = True

    # Its life ----------------------------------------------------------------------------------------------------

    async def listen(self, host: str, port: int) -> int:
        """Takes connections at a numeric address (port 0: any free one); the port. OSError where it cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # IPv6's "every address" means IPv4's too.
        listener = socket.create_server(
            (host, port), family=family, dualstack_ipv6=host == "::", backlog=BACKLOG
        )
        server = await self._loop.create_server(lambda: Connection(self), sock=listener)
        self._servers.append(server)
        return cast(int, server.sockets[0].getsockname()[1])

    async def run(self) -> None:
        """The one clock of all connections, until it is cancelled."""
        while True:
            await asyncio.sleep(1)
            self.tick()

    def tick(self) -> None:
        """A second is over: who is late is hung up on, pieces are asked for, and whoever is due is dialled."""
        now, at_us = self.now(), clock.now_us()
        hang_up_on_the_late(self._connections, now=now)
        is_minute = now - self._minute >= MINUTE_SECONDS
        if is_minute:
            self._minute = now
        if now - self._hour >= HOUR_SECONDS:
            self._hour = now
            self._metadata.clear()
        for connection in list(self._connections):
            connection.tick(now, at_us, is_minute=is_minute)
        for peer in self.dials.due(now, under_way=len(self._dialling)):
            if not self._has_met(peer) and self.dials.spend(peer, now):
                self._dial(peer)

    def close_titles(self, titles: Iterable[int]) -> None:
        """Hangs up at once on everybody who is here for these titles."""
        withdrawn = frozenset(titles)
        self.dials.forget(withdrawn)
        for connection in list(self._connections):
            if connection.torrent is not None and connection.torrent.title in withdrawn:
                connection.hang_up()

    async def close(self) -> None:
        """Takes and makes no connection any more, and ends those there are."""
        self._is_open = False
        for server in self._servers:
            server.close()
        for task in list(self._dialling):
            task.cancel()
        for connection in list(self._connections):
            connection.hang_up()
        await asyncio.gather(*self._dialling, return_exceptions=True)

    @property
    def figures(self) -> dict[str, int]:
        """Connections now; since the start: dials, and how often there was no room, no dial, no metadata."""
        return {
            "connections": len(self._connections),
            "dials": self.dialled,
            "refused": self.refused,
            "dials_refused": self.dials.refused,
            "metadata_refused": self.metadata_refused,
        }

    # What the tracker tells ----------------------------------------------------------------------------------------

    def consider(
        self,
        torrent: Torrent,
        address: str,
        port: int,
        now: float,
        *,
        peer_id: bytes = b"",
        at_once: bool = False,
    ) -> None:
        """Somebody was introduced to us and we to them: they may come, and are dialled soon if they do not.

        `address`: canonical text, the socket's; `now`: of the running loop's clock; `at_once`: for a seeder.
        """
        self.knows(torrent.info_hash)
        peer = Peer(torrent, address, port, peer_id)
        if not self._has_met(peer):
            self.dials.consider(peer, now, at_once=at_once)

    def knows(self, info_hash: bytes) -> None:
        """A torrent somebody was introduced to just now: it can be found from an obfuscated greeting."""
        hashed = self._known.get(info_hash)
        if hashed is None:
            hashed = hash_of_key(info_hash)
            if len(self._known) >= TORRENTS_KNOWN_MAX:
                _, oldest = self._known.popitem(last=False)
                del self._info_hashes[oldest]
            self._known[info_hash] = hashed
            self._info_hashes[hashed] = info_hash
        else:
            self._known.move_to_end(info_hash)

    def finds(self, hashed: bytes) -> bytes | None:
        """The info hash of an active torrent behind an obfuscated greeting's."""
        info_hash = self._info_hashes.get(hashed)
        return info_hash if info_hash is not None and self.active(info_hash) is not None else None

    def _has_met(self, peer: Peer) -> bool:
        met = self._met.get((peer.torrent.info_hash, peer.address), ())
        return any(not peer.peer_id or connection.peer_id == peer.peer_id for connection in met)

    # Room ----------------------------------------------------------------------------------------------------------

    def enters(self, connection: "Connection", network: str) -> bool:
        """Whether there is room for one more connection, of this near network."""
        is_full = len(self._connections) >= self._connections_max
        wide = _wide(network)
        is_crowded = self._networks[network] >= self._per_network_max or self._wide[wide] >= PER_WIDE_MAX
        if not self._is_open or is_full or is_crowded:
            self.refused += 1
            return False
        self._connections.add(connection)
        self._networks[network] += 1
        if wide:
            self._wide[wide] += 1
        return True

    def greeted(self, connection: "Connection", torrent: Torrent) -> bool:
        """Whether there is room for one more connection of this address in this swarm."""
        met = self._met.setdefault((torrent.info_hash, connection.address), [])
        if len(met) >= PER_ADDRESS_AND_TORRENT_MAX:
            self.refused += 1
            return False
        met.append(connection)
        return True

    def left(self, connection: "Connection", network: str, torrent: Torrent | None) -> None:
        """A connection that entered is over."""
        self._connections.discard(connection)
        for counted, name in ((self._networks, network), (self._wide, _wide(network))):
            counted[name] -= 1
            if counted[name] <= 0:
                del counted[name]
        key = (torrent.info_hash if torrent else b"", connection.address)
        met = self._met.get(key)
        if met and connection in met:
            met.remove(connection)
        if not met:
            self._met.pop(key, None)

    def may_have_metadata(self, address: str, block_bytes: int, whole_bytes: int) -> bool:
        """Whether this place gets so many bytes more this hour; it is charged if so."""
        near = whereabouts(address)
        given = self._metadata.get(near, 0)
        is_one_too_many = near not in self._metadata and len(self._metadata) >= METADATA_ADDRESSES_MAX
        if is_one_too_many or given + block_bytes > METADATA_TIMES_HOUR * whole_bytes:
            self.metadata_refused += 1
            return False
        self._metadata[near] = given + block_bytes
        return True

    # Dialling ------------------------------------------------------------------------------------------------------

    def _dial(self, peer: Peer) -> None:
        self.dialled += 1
        task = self._loop.create_task(self._reach(peer))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _reach(self, peer: Peer) -> None:
        """Once in the clear, once obfuscated where that was hung up on; the book is told how it went."""
        for obfuscated, reach in ((False, Reach.OPEN), (True, Reach.ENCRYPTED)):
            greeting = self._loop.create_future()
            connection = Connection(self, dialled=peer, greeting=greeting, obfuscated=obfuscated)
            try:
                async with asyncio.timeout(CONNECT_SECONDS_MAX):
                    await self._loop.create_connection(partial(_itself, connection), peer.address, peer.port)
            except OSError:  # a TimeoutError is one too
                self._tell(peer, Reach.CLOSED)
                return
            if await greeting:
                self._tell(peer, reach)
                return
            if not connection.had_room:
                return
        self._tell(peer, Reach.SILENT)

    def _tell(self, peer: Peer, reach: Reach) -> None:
        # Who came to us meanwhile may have hung up on our second connection: that says nothing of them.
        if reach in (Reach.OPEN, Reach.ENCRYPTED) or not self._has_met(peer):
            self.book.reached(peer.torrent, peer.address, reach, clock.now_us())


def _wide(network: str) -> str:
    """The /48 around a /64: as easily had as one; "" of an IPv4 network, of which so many are not."""
    return str(ip_network(network).supernet(new_prefix=48)) if ":" in network else ""


def _itself(connection: Connection) -> Connection:
    return connection
