"""One torrent that somebody is about: the fan's clients, their listeners, and whom the tracker introduced.

However many peers, ports and names one place has, it is one listener; a client that comes over both families says so by
its peer id, and is one too. Everything is bounded: who was never met makes room first, and nobody's seeder does.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from vteam.channels.swarm.torrents.announce import COUNTER_MAX, Announce, Event, Role
from vteam.channels.swarm.torrents.downloads import SECOND_US, Download
from vteam.channels.swarm.torrents.ends import Ends
from vteam.channels.swarm.torrents.homes import Homes
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.places import is_six, listener_at, whereabouts
from vteam.channels.swarm.torrents.programs import name_of
from vteam.rules.networks import Networks

HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
IDLE_US = 6 * HOUR_US
LISTENERS_MAX, SEEDERS_MAX, KNOWN_MAX = 200, 8, 512
DOUBTED_PER_DAY = 20
"""Facts a day and torrent of downloads that showed no piece: strangers must not fill what is kept for ever."""


class Reach(StrEnum):
    """What became of dialling a client."""

    OPEN = "open"
    ENCRYPTED = "encrypted"
    SILENT = "silent"
    CLOSED = "closed"


class Seeder:
    """The fan's own clients at one place, as they show themselves."""

    __slots__ = ("client", "dialled_us", "ends", "has", "last_us", "met_us", "reach")

    def __init__(self) -> None:
        self.client, self.ends, self.last_us = "", Ends(), 0
        self.reach: Reach | None = None
        self.met_us, self.dialled_us, self.has = 0, -HOUR_US, -1

    def told(self) -> dict[str, Any]:
        """What its fan's page shows."""
        return {
            "client": self.client,
            "reach": str(self.reach) if self.reach else "",
            "met": bool(self.met_us),
            "has": self.has,
            "left": self.ends.left,
            "last_us": self.last_us,
            "ends": self.ends.kept(),
        }

    @classmethod
    def again(cls, told: dict[str, Any]) -> Self:
        """Who was told of before; how it can be reached is looked at anew."""
        found = cls()
        found.client, found.last_us = str(told["client"]), int(told["last_us"])
        found.ends = Ends.again(told["ends"])
        return found


@dataclass(slots=True)
class Known:
    """Whom the tracker introduced: until when it is expected (µs), with which key it came, who that is, and where.

    `place`: the keyed hash of the address it announced from; `said`: its last announce.
    """

    until_us: int
    role: Role
    listener: str
    address: str
    place: str
    said: Announce


class Watched:
    """`stays_us`: how long a client is believed to be there after it announced.

    `sent`: bytes the fan's clients say they sent; `claimed`: those of them that believed downloads took. `era`: goes up
    when what was introduced before is worth nothing any more.
    """

    def __init__(self, torrent: Torrent, *, stays_us: int) -> None:
        self.torrent, self._stays_us = torrent, stays_us
        self.seeders: dict[str, Seeder] = {}
        self.downloads: dict[str, Download] = {}
        self.known: dict[bytes | str, Known] = {}
        self.aliases: dict[str, str] = {}
        self.here: dict[str, int] = {}
        self.sent = self.claimed = 0
        self.seeder_told_us = self.mistake_us = 0
        self.doubted = [0, 0]
        self.unkept = self.era = 0
        self.changed = self.stirred = False
        self.kept_us = 0

    # Who is who --------------------------------------------------------------------------------------------------
    def who(self, address: str, peer_id: bytes) -> str:
        """Who a peer is: the same client as over the other family, or whoever is at that place."""
        place = listener_at(address, self.torrent.network_key)
        if place in self.aliases:
            return self.aliases[place]
        other = self.known.get(named(peer_id, address, other=True))
        if other is None or place in self.downloads or place in self.seeders:
            return place
        if other.listener != place and len(self.aliases) < KNOWN_MAX:
            self.aliases[place] = other.listener
        return other.listener

    def role_of(self, address: str, peer_id: bytes) -> Role | None:
        """With which key a peer came lately; None where it did not."""
        known = self.known
        found = known.get(named(peer_id, address)) or known.get(whereabouts(address))
        found = found or known.get(named(peer_id, address, other=True))
        return found.role if found else None

    def knows(self, address: str, announce: Announce, role: Role, at_us: int) -> str:
        """Expects a peer from now on; returns who it is."""
        listener = self.who(address, announce.peer_id)
        place = listener_at(address, self.torrent.network_key)
        here = Known(at_us + self._stays_us, role, listener, address, place, announce)
        for name in (named(announce.peer_id, address), whereabouts(address)):
            before = self.known.pop(name, None)
            is_taken = before is not None and _is_a_seeders(before, role, address)
            # A friend who says a seeder's peer id does not become it.
            self.known[name] = before if before is not None and is_taken else here
        while len(self.known) > KNOWN_MAX:
            del self.known[self._least_known()]
        return listener

    def _least_known(self) -> bytes | str:
        """Who makes room: the oldest friend who is not here, else the oldest friend, and seeders last of all."""
        friends = [name for name, known in self.known.items() if known.role is Role.FRIEND]
        away = (name for name in friends if self.known[name].listener not in self.here)
        return next(away, friends[0] if friends else next(iter(self.known)))

    def said_again(self, role: Role, address: str, announce: Announce, at_us: int, homes: Homes) -> bool:
        """Whether a client only said what it had said before, as most announces are: it is still there."""
        known = self.known.get(named(announce.peer_id, address))
        if known is None or known.role is not role or known.address != address:
            return False
        if announce.event is not Event.SOME_TIME or known.said != announce:
            return False
        if role is Role.SEEDER:
            seeder = self.seeders.get(known.listener)
            if seeder is None or not homes.still_here(self.torrent.fan, known.place, at_us):
                return False
            seeder.last_us = seeder.ends.told_us = self.seeder_told_us = at_us
        else:
            download = self.downloads.get(known.listener)
            if download is None or not announce.left:
                return False
            download.last_us = download.ends.told_us = at_us
        known.until_us, self.stirred = at_us + self._stays_us, True
        return True

    # What is told of them ----------------------------------------------------------------------------------------
    def seeder_told(self, listener: str, address: str, announce: Announce, at_us: int) -> bool:
        """A client with the fan's own key announced; whether it is the fan's, as far as can be told."""
        if announce.left and self.seeders and listener not in self.seeders:
            self.mistake_us = at_us  # somebody else has the file that was for the fan's computer alone
            return False
        if listener not in self.seeders:
            self.changed = True
            if len(self.seeders) >= SEEDERS_MAX:
                del self.seeders[min(self.seeders, key=lambda one: self.seeders[one].last_us)]
        seeder = self.seeders.setdefault(listener, Seeder())
        seeder.client, seeder.last_us = name_of(announce.peer_id), at_us
        more = seeder.ends.told(announce, at_us, over_six=is_six(address))
        self.sent, self.seeder_told_us = min(self.sent + more, COUNTER_MAX), at_us
        if announce.event is Event.STOPPED:
            seeder.last_us = at_us - self._stays_us
        return True

    def seeder_is_here(self, at_us: int) -> bool:
        """Whether a computer of the fan's own that has all of the title is about."""
        return any(
            not seeder.ends.left and at_us - seeder.last_us < self._stays_us
            for seeder in self.seeders.values()
        )

    def seeder_fell(self, since_us: int) -> bool:
        """Whether a counter of the fan's clients has gone backwards since then."""
        return any(seeder.ends.fell_us >= since_us for seeder in self.seeders.values() if seeder.ends.fell_us)

    def download_of(self, listener: str, address: str, at_us: int) -> Download | None:
        """The listener's download, begun if there is none; None where there are too many that were met already."""
        found = self.downloads.get(listener)
        if found is None:
            if len(self.downloads) >= LISTENERS_MAX and not self._make_room():
                return None
            near = Networks.of(address, key=self.torrent.network_key).near
            found = Download(listener=listener, near=near, first_us=at_us, last_us=at_us)
            self.downloads[listener] = found
        return found

    def _make_room(self) -> bool:
        """Lets go of whoever was heard of longest ago and never met; whether there was one."""
        unmet = [name for name, each in self.downloads.items() if not each.met and not each.judged_us]
        if not unmet:
            return False
        del self.downloads[min(unmet, key=lambda name: self.downloads[name].last_us)]
        return True

    def shows_nothing(self, at_us: int) -> bool:
        """One more download of which no piece was shown; whether the day has had too many of them."""
        day = at_us // DAY_US
        self.doubted = [day, self.doubted[1] + 1 if self.doubted[0] == day else 1]
        return self.doubted[1] > DOUBTED_PER_DAY

    # Time --------------------------------------------------------------------------------------------------------
    def tidy(self, at_us: int) -> None:
        """Lets go of what is idle."""
        for name in [name for name, known in self.known.items() if known.until_us < at_us]:
            del self.known[name]
        for listener in [one for one, seeder in self.seeders.items() if at_us - seeder.last_us > HOUR_US]:
            del self.seeders[listener]
        for listener, each in list(self.downloads.items()):
            stays_us = DAY_US if each.judged_us else IDLE_US
            if at_us - max(each.judged_us or each.last_us, each.first_us) > stays_us:
                del self.downloads[listener]
                self.changed = True
        for place, listener in list(self.aliases.items()):
            if listener not in self.downloads and listener not in self.seeders:
                del self.aliases[place]

    @property
    def is_idle(self) -> bool:
        """Whether nobody is about it any more."""
        return not self.downloads and not self.seeders and not self.known

    def renew(self, torrent: Torrent) -> None:
        """The torrent as it is now. With new keys whoever came by the old ones is nobody, and what they had under way
        counts nothing.
        """
        before, self.torrent = self.torrent, torrent
        if (before.seed_key, before.friend_key) != (torrent.seed_key, torrent.friend_key):
            self.known.clear()
            self.here.clear()
            self.downloads = {name: each for name, each in self.downloads.items() if each.whole_us}
            self.era, self.changed = self.era + 1, True

    def interrupt(self) -> None:
        """What goes on from here may have gone unseen for a while."""
        self.known.clear()
        self.here.clear()
        self.era += 1
        for download in self.downloads.values():
            download.interrupt()

    # Kept --------------------------------------------------------------------------------------------------------
    def told(self, at_us: int, homes: Homes) -> dict[str, Any]:
        """How it stands, for the fan's page and to go on from."""
        return {
            "torrent": self.torrent.id,
            "at_us": at_us,
            "pieces": self.torrent.template.pieces,
            "seeders": [seeder.told() | {"place": place} for place, seeder in self.seeders.items()],
            "own": homes.of(self.torrent.fan),
            "aliases": self.aliases,
            "downloads": [each.kept() for each in self.downloads.values()],
            "here": list(self.here),
            "sent": self.sent,
            "claimed": self.claimed,
            "doubted": self.doubted,
            "mistake_us": self.mistake_us,
            "unkept": self.unkept,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Adds what was kept; what was under way then has a gap. Raises where it cannot be read, and adds nothing."""
        downloads = [Download.again(kept) for kept in content["downloads"]]
        seeders = {str(told["place"]): Seeder.again(told) for told in content["seeders"]}
        aliases = {str(place): str(listener) for place, listener in content["aliases"].items()}
        sent, claimed = int(content["sent"]), int(content["claimed"])
        day, count = (int(number) for number in content["doubted"])
        for place, seeder in list(seeders.items())[:SEEDERS_MAX]:
            self.seeders.setdefault(place, seeder)
            self.seeder_told_us = max(self.seeder_told_us, seeder.ends.told_us)
        for each in downloads[:LISTENERS_MAX]:
            self.downloads.setdefault(each.listener, each)
        for place, listener in aliases.items():
            self.aliases.setdefault(place, listener)
        self.sent, self.claimed = min(self.sent + sent, COUNTER_MAX), min(self.claimed + claimed, COUNTER_MAX)
        self.doubted = [day, count]


def _is_a_seeders(known: Known, role: Role, address: str) -> bool:
    """Whether a name is a seeder's, and somebody else's who says it comes from elsewhere with a friend's key."""
    return known.role is Role.SEEDER and role is Role.FRIEND and known.address != address


def named(peer_id: bytes, address: str, *, other: bool = False) -> bytes:
    """What a peer is known by over the family of its address, or over the other one."""
    return peer_id + (b"6" if is_six(address) != other else b"4")
