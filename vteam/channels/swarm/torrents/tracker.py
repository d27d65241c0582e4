"""Who is where: the swarms of fans' torrents, in memory, and whom of them each client is told of.

A friend is told of the fan's own computers alone, a fan's computer of friends who still lack something; friends never
of each other, so that what a friend gets can only have come from the fan. Everything is bounded, and whoever is silent
for long is gone. Pure: times are given (s).
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from vteam.channels.swarm.torrents.announce import Announce, Event, Peer, Role, compact
from vteam.channels.swarm.torrents.metainfo import Torrent

SWARM_MAX, ADDRESS_MAX = 2_000, 4
"""Peers of one swarm, and of those at one address."""
TIDIED_AT_ONCE = 2_000


@dataclass(slots=True)
class Entry:
    """A peer. `where`: its address and port, packed; `until`: when it is gone unless it announces again (s)."""

    where: bytes
    until: float
    left: int


@dataclass(slots=True)
class Swarm:
    """A torrent's peers, by their peer ids and the family of their address: many clients have both."""

    title: int
    keys: tuple[str, str]
    seeders: dict[bytes, Entry] = field(default_factory=dict)
    friends: dict[bytes, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer is told: some peers, how many seed here and how many download."""

    peers: list[Peer]
    complete: int
    incomplete: int


class Swarms:
    """Every swarm. `stays_s`: for how long a peer is believed to be there."""

    def __init__(self, *, peers_max: int, stays_s: float) -> None:
        self._peers_max, self._stays_s = peers_max, stays_s
        self._swarms: dict[bytes, Swarm] = {}
        self._tidying: Iterator[bytes] = iter(())
        self.peers = self.turned_away = 0

    @property
    def swarms(self) -> int:
        """How many swarms have peers."""
        return len(self._swarms)

    def titles(self) -> set[int]:
        """The titles there are peers of."""
        return {swarm.title for swarm in self._swarms.values()}

    def announce(
        self, torrent: Torrent, role: Role, announce: Announce, address: str, *, now: float
    ) -> Told | None:
        """Takes in an announce; None where there are too many peers already."""
        swarm = self._swarms.get(torrent.info_hash)
        keys = torrent.seed_key, torrent.friend_key
        if swarm is not None and swarm.keys != keys:
            self._drop(torrent.info_hash)  # its fan made new files: who came by the old ones is not here
            swarm = None
        if announce.event is Event.STOPPED:
            if swarm is not None:
                self._leave(torrent.info_hash, swarm, announce, compact(address, announce.port))
            return Told([], *_counts(swarm))
        if swarm is None:
            swarm = Swarm(torrent.title, keys)
        where = compact(address, announce.port)
        if not self._enter(swarm, role, announce, where, now):
            self.turned_away += 1
            return None
        self._swarms[torrent.info_hash] = swarm
        return Told(_told(swarm, role, announce, where, now), *_counts(swarm))

    def _enter(self, swarm: Swarm, role: Role, announce: Announce, where: bytes, now: float) -> bool:
        """Puts a peer in its place; whether there is one for it."""
        own, other = swarm.seeders, swarm.friends
        if role is Role.FRIEND:
            own, other = other, own
        name = _name(announce, where)
        entry = own.get(name)
        if entry is not None:
            entry.where, entry.until, entry.left = where, now + self._stays_s, announce.left
            return True
        # Nobody is anybody else by saying their peer id.
        if name in other and other[name].where[:-2] == where[:-2]:
            del other[name]
            self.peers -= 1
        if own and not self._has_room(own, where, now):
            return False
        if self.peers >= self._peers_max:
            return False
        own[name] = Entry(where, now + self._stays_s, announce.left)
        self.peers += 1
        return True

    def _has_room(self, peers: dict[bytes, Entry], where: bytes, now: float) -> bool:
        """Whether one more fits at an address; a client that started anew takes its own place again."""
        there = [name for name, entry in peers.items() if entry.where[:-2] == where[:-2]]
        for name in there:
            if peers[name].where == where or peers[name].until < now:
                del peers[name]
                self.peers -= 1
        return len(peers) < SWARM_MAX and sum(name in peers for name in there) < ADDRESS_MAX

    def _leave(self, info_hash: bytes, swarm: Swarm, announce: Announce, where: bytes) -> None:
        name = _name(announce, where)
        for peers in (swarm.seeders, swarm.friends):
            if name in peers and peers[name].where[:-2] == where[:-2]:
                del peers[name]
                self.peers -= 1
        if not swarm.seeders and not swarm.friends:
            del self._swarms[info_hash]

    def tidy(self, *, now: float) -> None:
        """Every second: the next few swarms lose who is gone, so that all are seen in turn and no call takes long."""
        due = list(islice(self._tidying, TIDIED_AT_ONCE))
        if len(due) < TIDIED_AT_ONCE:
            self._tidying = iter(list(self._swarms))
        for info_hash in due:
            swarm = self._swarms.get(info_hash)
            if swarm is None:
                continue
            for peers in (swarm.seeders, swarm.friends):
                for name in [name for name, entry in peers.items() if entry.until < now]:
                    del peers[name]
                    self.peers -= 1
            if not swarm.seeders and not swarm.friends:
                del self._swarms[info_hash]

    def close_titles(self, titles: Collection[int]) -> None:
        """Forgets the swarms of titles that may not be passed on any more."""
        for info_hash in [info_hash for info_hash, swarm in self._swarms.items() if swarm.title in titles]:
            self._drop(info_hash)

    def _drop(self, info_hash: bytes) -> None:
        swarm = self._swarms.pop(info_hash)
        self.peers -= len(swarm.seeders) + len(swarm.friends)


def _counts(swarm: Swarm | None) -> tuple[int, int]:
    if swarm is None:
        return 0, 0
    complete = {name[:20] for name, entry in swarm.seeders.items() if not entry.left}
    return len(complete), len({name[:20] for name, entry in swarm.friends.items() if entry.left})


def _name(announce: Announce, where: bytes) -> bytes:
    return announce.peer_id + (b"4" if len(where) == 6 else b"6")


def _told(swarm: Swarm, role: Role, announce: Announce, where: bytes, now: float) -> list[Peer]:
    """Whom a peer is told of: at random where there are more than it wants."""
    wants_seeders = role is Role.FRIEND
    if wants_seeders and not announce.left:
        return []
    others = swarm.seeders if wants_seeders else swarm.friends
    places: dict[bytes, bytes] = {}
    for name, entry in others.items():
        # Of a client's two families the one the asker came by: called over both at once, clients hang up on both.
        is_nearer = len(entry.where) == len(where) or name[:20] not in places
        if entry.until >= now and entry.where != where and wants_seeders == (not entry.left) and is_nearer:
            places[name[:20]] = entry.where
    peers = list(places.items())
    return peers if len(peers) <= announce.most else random.sample(peers, announce.most)
