"""What is going on around every torrent that somebody seeds or downloads, and what becomes of it: evidence and facts.

The tracker tells what clients announce, the witness what it sees of them; both come together here, by where they come
from: however many peers, ports and names one address has (a /64 in IPv6), it is one listener. A client that comes over
both families says so by its peer id, and is one too. Addresses stay in memory while a client is about; what is kept
are hashes under the campaign's key.

Pure: times are given (µs), rows go to whoever makes them durable. Everything is bounded, and goes when it is idle.
"""

import hmac
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice
from typing import Any

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.torrents.announce import ADDRESSES_CACHED, COUNTER_MAX, Announce, Event, Role
from vteam.channels.swarm.torrents.downloads import SECOND_US, Download, Ends
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.programs import program_of
from vteam.rules.canonical import canonical, digest
from vteam.rules.decisions import NOTHING_SEEN
from vteam.rules.facts import EVIDENCE, WATCHED, Doubt, Evidence, copy_served
from vteam.rules.networks import Networks

logger = logging.getLogger(__name__)
CHECKPOINT_US = 10 * SECOND_US
CHECKPOINT_DOWNLOADS = 20
STIRRED_US = 300 * SECOND_US
"""How things stand is kept so often; where there are many downloads, as many times less; and so seldom where clients
only said that they are still there."""
STAYS_US_MIN = 750 * SECOND_US
"""libtorrent's clients announce every five minutes whatever they are asked to."""
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
IDLE_US = 6 * HOUR_US
CLIENT_MAX = 60
LISTENERS_MAX, SEEDERS_MAX, HOMES_MAX, KNOWN_MAX = 200, 8, 16, 512
TURNED_AT_ONCE, TURNS = 500, 30
DOUBTED_PER_DAY = 20
"""Facts a day and torrent of downloads that showed nothing: strangers must not fill what is kept for ever."""


def stays_us(interval_us: int) -> int:
    """How long a client is believed to be there after it announced (µs), asked to every so often."""
    return max(interval_us * 5 // 2, STAYS_US_MIN)


class Reach(StrEnum):
    """What became of dialling a client."""

    OPEN = "open"
    ENCRYPTED = "encrypted"
    SILENT = "silent"
    CLOSED = "closed"


Record = Callable[[Sequence[InboxRow]], None]


@lru_cache(maxsize=ADDRESSES_CACHED)
def whereabouts(address: str) -> str:
    """What of an address is one listener: all of an IPv4 one, a /64 of an IPv6 one."""
    found = ip_address(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


def _shown(client: str) -> str:
    """What a client calls itself, fit to be kept and shown."""
    return "".join(letter for letter in client if letter.isprintable())[:CLIENT_MAX].strip()


def _named(peer_id: bytes, address: str, *, other: bool = False) -> bytes:
    """What a peer is known by over the family of its address, or over the other one."""
    return peer_id + (b"6" if (":" in address) != other else b"4")


def listener_at(address: str, key: bytes) -> str:
    """The keyed hash (32 hex digits) a listener at an address is known by; one for all titles of a campaign."""
    return _keyed(f"torrent client at {whereabouts(address)}", key)


@lru_cache(maxsize=ADDRESSES_CACHED)
def _keyed(text: str, key: bytes) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()[:32]


class Seeder:
    """One of the fan's own clients, as it shows itself."""

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
        }


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
    """One torrent that somebody is about: the fan's clients, their listeners, and whom the tracker introduced."""

    def __init__(self, torrent: Torrent) -> None:
        self.torrent = torrent
        self.seeders: dict[str, Seeder] = {}
        self.downloads: dict[str, Download] = {}
        self.known: dict[bytes | str, Known] = {}
        self.aliases: dict[str, str] = {}
        self.here: dict[str, int] = {}
        self.sent = self.claimed = 0
        self.seeder_told_us = 0
        self.seeder_fell = False
        self.mistake_us = 0
        self.doubted: tuple[int, int] = (0, 0)
        self.unkept = 0
        self.changed = self.stirred = False
        self.kept_us = 0

    def told(self, at_us: int) -> dict[str, Any]:
        """How it stands, for the fan's page and to go on from."""
        return {
            "torrent": self.torrent.id,
            "at_us": at_us,
            "pieces": self.torrent.template.pieces,
            "seeders": [seeder.told() for seeder in self.seeders.values()],
            "own": list(self.seeders),
            "aliases": self.aliases,
            "downloads": [each.kept() for each in self.downloads.values()],
            "here": [listener for listener, count in self.here.items() if count],
            "sent": self.sent,
            "claimed": self.claimed,
            "mistake_us": self.mistake_us,
            "unkept": self.unkept,
        }


class Meeting:
    """One connection between a client and the witness. `left` is called once, when it ends."""

    __slots__ = ("_asking", "_book", "_download", "_seeder", "_watched", "torrent")

    def __init__(
        self, book: "Book", watched: Watched, download: Download | None, seeder: Seeder | None
    ) -> None:
        self._book, self._watched, self._download, self._seeder = book, watched, download, seeder
        self._asking = False
        self.torrent = watched.torrent

    def has(self, pieces: int, at_us: int) -> None:
        """It has so many pieces now."""
        watched, template = self._watched, self.torrent.template
        watched.changed = True
        if self._seeder:
            self._seeder.has, self._seeder.last_us = pieces, at_us
        if self._download:
            self._download.has(
                pieces, template, at_us=at_us, seeder=self._book.seeder_is_here(watched, at_us)
            )

    def wants(self, at_us: int) -> bool:
        """Whether a piece should be asked for now; the answer is then awaited."""
        if self._asking or not self._download or not self._download.wants(self.torrent.template):
            return False
        self._asking = True
        return True

    def answered(self, index: int, right: bool, at_us: int) -> None:
        """The piece that was asked for came."""
        self._asking, self._watched.changed = False, True
        if self._download:
            self._download.asked.append([index, right])

    def unanswered(self, at_us: int) -> None:
        """It did not come, or was refused."""
        self._asking = False
        if self._download:
            self._download.asked.append([-1, None])

    def left(self, at_us: int) -> None:
        """The connection ended."""
        watched, self._asking = self._watched, False
        watched.changed = True
        if self._download:
            listener = self._download.listener
            watched.here[listener] = watched.here.get(listener, 1) - 1
            if watched.here[listener] <= 0:
                del watched.here[listener]


class Book:
    """Everything watched. `record` makes rows durable in their order; `interval_us`: how often clients announce."""

    def __init__(self, *, record: Record, interval_us: int, torrents_max: int = 20_000) -> None:
        self._record, self._interval_us, self._torrents_max = record, interval_us, torrents_max
        self._stays_us = stays_us(interval_us)
        self._settle_us = interval_us + 15 * SECOND_US
        self._watched: dict[bytes, Watched] = {}
        self._turning: Iterator[bytes] = iter(())
        # Where each fan's own computers are, across their torrents.
        self._own: dict[int, dict[str, int]] = {}
        self.turned_away = self.counted = self.doubted = 0

    # What the tracker tells --------------------------------------------------------------------------------------
    def announced(self, torrent: Torrent, role: Role, address: str, announce: Announce, at_us: int) -> None:
        """A client announced with one of the torrent's keys, and was answered."""
        if self._said_again(torrent, role, address, announce, at_us):
            return
        watched = self._at(torrent, at_us)
        if watched is None:
            return
        before = len(watched.seeders)
        self._took_in(watched, role, address, announce, at_us)
        watched.stirred = True
        # A friend who was not met yet is worth no row of their own.
        if announce.event in (Event.COMPLETED, Event.STOPPED) or before != len(watched.seeders):
            watched.changed = True

    def _said_again(self, torrent: Torrent, role: Role, address: str, announce: Announce, at_us: int) -> bool:
        """Whether a client only said what it had said before, as most announces are: it is still there."""
        watched = self._watched.get(torrent.info_hash)
        known = watched.known.get(_named(announce.peer_id, address)) if watched else None
        if watched is None or known is None or known.role is not role or known.address != address:
            return False
        if known.said != announce or announce.event is not Event.SOME_TIME:
            return False
        if role is Role.SEEDER:
            seeder, own = watched.seeders.get(known.listener), self._own.get(torrent.fan)
            if seeder is None or own is None or known.place not in own:
                return False
            seeder.last_us = seeder.ends.told_us = watched.seeder_told_us = own[known.place] = at_us
        else:
            download = watched.downloads.get(known.listener)
            if download is None or not announce.left:
                return False
            download.last_us = download.ends.told_us = at_us
        known.until_us, watched.torrent, watched.stirred = at_us + self._stays_us, torrent, True
        return True

    def _took_in(self, watched: Watched, role: Role, address: str, announce: Announce, at_us: int) -> None:
        torrent = watched.torrent
        listener = self._knows(watched, address, announce, role, at_us)
        if role is Role.SEEDER:
            self._seeder_told(watched, listener, announce, at_us, over_six=":" in address)
            self._is_home(torrent, listener_at(address, torrent.network_key), at_us)
            return
        download = self._download(watched, listener, address, at_us)
        if download:
            download.client = download.client or " ".join(program_of(announce.peer_id)).strip()
            seeder = self.seeder_is_here(watched, at_us)
            over_six = ":" in address
            download.told(announce, torrent.template, at_us=at_us, seeder=seeder, over_six=over_six)

    def _seeder_told(
        self, watched: Watched, listener: str, announce: Announce, at_us: int, *, over_six: bool
    ) -> None:
        if announce.left and watched.seeders and listener not in watched.seeders:
            watched.mistake_us = at_us  # somebody else has the file that was for the fan's computer alone
            return
        if listener not in watched.seeders and len(watched.seeders) >= SEEDERS_MAX:
            oldest = min(watched.seeders, key=lambda one: watched.seeders[one].last_us)
            del watched.seeders[oldest]
        seeder = watched.seeders.setdefault(listener, Seeder())
        seeder.client, seeder.last_us = " ".join(program_of(announce.peer_id)).strip(), at_us
        sent = watched.sent + seeder.ends.told(announce, at_us, over_six=over_six)
        watched.sent = min(sent, COUNTER_MAX)
        watched.seeder_told_us, watched.seeder_fell = at_us, watched.seeder_fell or seeder.ends.fell
        if announce.event is Event.STOPPED:
            seeder.last_us = at_us - self._stays_us

    def _is_home(self, torrent: Torrent, listener: str, at_us: int) -> None:
        """A computer of the fan's own is here."""
        watched = self._watched[torrent.info_hash]
        if watched.mistake_us == at_us:
            return
        own = self._own.setdefault(torrent.fan, {})
        own[listener] = at_us
        if len(own) > HOMES_MAX:
            del own[min(own, key=lambda one: own[one])]

    def _knows(self, watched: Watched, address: str, announce: Announce, role: Role, at_us: int) -> str:
        """Expects a peer from now on; returns who it is."""
        listener = self._who(watched, address, announce.peer_id)
        place = listener_at(address, watched.torrent.network_key)
        here = Known(at_us + self._stays_us, role, listener, address, place, announce)
        for name in (_named(announce.peer_id, address), whereabouts(address)):
            before = watched.known.pop(name, None)
            is_taken = (
                before and before.role is Role.SEEDER and role is Role.FRIEND and before.address != address
            )
            # A friend who says a seeder's peer id does not become it.
            watched.known[name] = before if before and is_taken else here
        while len(watched.known) > KNOWN_MAX:
            del watched.known[next(iter(watched.known))]
        return listener

    def _who(self, watched: Watched, address: str, peer_id: bytes) -> str:
        """Who a peer is: the same client as over the other family, or whoever is at that place."""
        place = listener_at(address, watched.torrent.network_key)
        if place in watched.aliases:
            return watched.aliases[place]
        other = watched.known.get(_named(peer_id, address, other=True))
        if other is None or place in watched.downloads or place in watched.seeders:
            return place
        if other.listener != place and len(watched.aliases) < KNOWN_MAX:
            watched.aliases[place] = other.listener
        return other.listener

    # What the witness tells --------------------------------------------------------------------------------------
    def active(self, info_hash: bytes) -> Torrent | None:
        """The torrent of an info hash (20 bytes), while somebody is about it."""
        watched = self._watched.get(info_hash)
        return watched.torrent if watched else None

    def expects(self, torrent: Torrent, address: str, peer_id: bytes) -> bool:
        """Whether the tracker introduced this peer lately."""
        return self._role(torrent, address, peer_id) is not None

    def _role(self, torrent: Torrent, address: str, peer_id: bytes) -> Role | None:
        watched = self._watched.get(torrent.info_hash)
        if watched is None:
            return None
        known = watched.known
        found = known.get(_named(peer_id, address)) or known.get(whereabouts(address))
        found = found or known.get(_named(peer_id, address, other=True))
        return found.role if found else None

    def meet(self, torrent: Torrent, address: str, peer_id: bytes, client: str, at_us: int) -> Meeting:
        """A client and the witness have shaken hands; it was expected."""
        watched = self._watched[torrent.info_hash]
        watched.changed = True
        listener = self._who(watched, address, peer_id)
        seeder = watched.seeders.get(listener)
        if self._role(torrent, address, peer_id) is Role.SEEDER:
            if seeder:
                seeder.met_us = at_us
            return Meeting(self, watched, None, seeder)
        download = self._download(watched, listener, address, at_us)
        if download:
            download.met, download.client = True, _shown(client) or download.client
            watched.here[listener] = watched.here.get(listener, 0) + 1
        return Meeting(self, watched, download, None)

    def should_dial(self, torrent: Torrent, address: str, at_us: int) -> bool:
        """Whether a seeder is to be dialled, though it may have come by itself, to learn whether it can be reached."""
        watched = self._watched.get(torrent.info_hash)
        seeder = watched.seeders.get(self._who(watched, address, b"")) if watched else None
        if seeder is None or seeder.ends.left or at_us - seeder.dialled_us < HOUR_US:
            return False
        seeder.dialled_us = at_us
        return True

    def reached(self, torrent: Torrent, address: str, how: Reach, at_us: int) -> None:
        """What became of dialling a client. One that is here already may take the call and say nothing: it is open."""
        watched = self._watched.get(torrent.info_hash)
        seeder = watched.seeders.get(self._who(watched, address, b"")) if watched else None
        if watched and seeder:
            seeder.reach = Reach.OPEN if how is Reach.SILENT and seeder.met_us else how
            watched.changed = True

    def seeder_is_here(self, watched: Watched, at_us: int) -> bool:
        """Whether a computer of the fan's own that has all of the title is about."""
        return any(
            not seeder.ends.left and at_us - seeder.last_us < self._stays_us
            for seeder in watched.seeders.values()
        )

    # Bounds ------------------------------------------------------------------------------------------------------
    def _at(self, torrent: Torrent, at_us: int) -> Watched | None:
        watched = self._watched.get(torrent.info_hash)
        if watched is None:
            if len(self._watched) >= self._torrents_max:
                self.turned_away += 1
                return None
            watched = self._watched[torrent.info_hash] = Watched(torrent)
            watched.kept_us = at_us - CHECKPOINT_US
        watched.torrent = torrent
        return watched

    def _download(self, watched: Watched, listener: str, address: str, at_us: int) -> Download | None:
        """The listener's download, begun if there is none; None where there are too many already."""
        found = watched.downloads.get(listener)
        if found is None:
            if len(watched.downloads) >= LISTENERS_MAX:
                self.turned_away += 1
                return None
            near = Networks.of(address, key=watched.torrent.network_key).near
            found = Download(listener=listener, near=near, first_us=at_us, last_us=at_us)
            watched.downloads[listener] = found
        places = {listener, listener_at(address, watched.torrent.network_key)}
        found.same = found.same or not places.isdisjoint(self._own.get(watched.torrent.fan, {}))
        return found

    # Time --------------------------------------------------------------------------------------------------------
    def turn(self, at_us: int) -> None:
        """Every second: judges what is ready, keeps how things stand, lets go of what is idle.

        Of very many torrents a part is looked at, so that no call takes long; all are within some seconds.
        """
        most = max(TURNED_AT_ONCE, len(self._watched) // TURNS + 1)
        due = list(islice(self._turning, most))
        if not due:
            self._turning = iter(list(self._watched))
            due = list(islice(self._turning, most))
        for watched in [self._watched[info_hash] for info_hash in due if info_hash in self._watched]:
            for download in list(watched.downloads.values()):
                self._judge(watched, download, at_us)
            self._tidy(watched, at_us)
            pause_us = CHECKPOINT_US * (1 + len(watched.downloads) // CHECKPOINT_DOWNLOADS)
            is_due = watched.changed and at_us - watched.kept_us >= pause_us
            if is_due or (watched.stirred and at_us - watched.kept_us >= STIRRED_US):
                self._record([self._kept(watched, at_us)])
            if not watched.downloads and not watched.seeders and not watched.known:
                del self._watched[watched.torrent.info_hash]

    def keep(self, at_us: int) -> None:
        """Keeps how everything stands that changed: the edge ends."""
        for watched in self._watched.values():
            if watched.changed:
                self._record([self._kept(watched, at_us)])

    def _tidy(self, watched: Watched, at_us: int) -> None:
        for name in [name for name, known in watched.known.items() if known.until_us < at_us]:
            del watched.known[name]
        for listener, seeder in list(watched.seeders.items()):
            if at_us - seeder.last_us > HOUR_US:
                del watched.seeders[listener]
        for listener, each in list(watched.downloads.items()):
            stays_us = DAY_US if each.judged_us else IDLE_US
            if at_us - max(each.judged_us or each.last_us, each.first_us) > stays_us:
                del watched.downloads[listener]
                watched.changed = True
        own = self._own.get(watched.torrent.fan, {})
        for listener in [one for one, last_us in own.items() if at_us - last_us > DAY_US]:
            del own[listener]
        if not own:
            self._own.pop(watched.torrent.fan, None)

    def _kept(self, watched: Watched, at_us: int) -> InboxRow:
        watched.changed, watched.stirred, watched.kept_us = False, False, at_us
        return (watched.torrent.campaign, WATCHED, "", at_us, canonical(watched.told(at_us)))

    def close_titles(self, titles: Collection[int]) -> None:
        """These may not be passed on any more: what is under way counts nothing."""
        for info_hash, watched in list(self._watched.items()):
            if watched.torrent.title in titles:
                del self._watched[info_hash]

    def titles(self) -> set[int]:
        """The titles somebody is about."""
        return {watched.torrent.title for watched in self._watched.values()}

    @property
    def torrents(self) -> int:
        """How many torrents somebody is about."""
        return len(self._watched)

    def restore(self, torrent: Torrent, content: dict[str, Any], at_us: int) -> None:
        """Goes on from what was kept; what was under way then has a gap. What cannot be read is left, and said."""
        try:
            downloads = [Download.again(kept) for kept in content["downloads"]]
            own = [str(one) for one in content["own"]]
            sent, claimed = int(content["sent"]), int(content["claimed"])
            aliases = {str(place): str(listener) for place, listener in content["aliases"].items()}
        except (AttributeError, TypeError, KeyError, ValueError):
            logger.warning("how a torrent's downloads stood cannot be read: it begins anew")
            return
        watched = self._at(torrent, at_us)
        if watched is None:
            return
        watched.downloads = {each.listener: each for each in downloads[:LISTENERS_MAX]}
        watched.sent, watched.claimed, watched.aliases = sent, claimed, aliases
        self._own.setdefault(torrent.fan, {}).update(dict.fromkeys(own[:SEEDERS_MAX], at_us))

    # Judging -----------------------------------------------------------------------------------------------------
    def _judge(self, watched: Watched, download: Download, at_us: int) -> None:
        torrent = watched.torrent
        if not download.is_ready(
            torrent.template,
            at_us=at_us,
            here=bool(watched.here.get(download.listener)),
            seeder_told_us=watched.seeder_told_us,
            settle_us=self._settle_us,
        ):
            return
        download.same = download.same or download.listener in self._own.get(torrent.fan, {})
        doubt = download.verdict(
            torrent.template,
            sent=watched.sent - watched.claimed,
            seeder_told_us=watched.seeder_told_us,
            seeder_fell=watched.seeder_fell,
        )
        download.judged_us, download.doubt, watched.changed = at_us, str(doubt or ""), True
        if doubt is None:
            watched.claimed = min(
                watched.sent, watched.claimed + download.seen * torrent.template.piece_bytes
            )
        if doubt in NOTHING_SEEN and self._too_many_doubted(watched, at_us):
            watched.unkept += 1
            return
        self.doubted += doubt is not None
        self.counted += doubt is None
        # How it stands goes with it: what was judged before the edge fell is not judged again after.
        self._record([*self._rows(watched, download, doubt), self._kept(watched, at_us)])

    def _too_many_doubted(self, watched: Watched, at_us: int) -> bool:
        day, count = watched.doubted
        count = count + 1 if day == at_us // DAY_US else 1
        watched.doubted = (at_us // DAY_US, count)
        return count > DOUBTED_PER_DAY

    def _rows(self, watched: Watched, download: Download, doubt: Doubt | None) -> list[InboxRow]:
        torrent, whole_us = watched.torrent, download.whole_us
        introduction = download.introduction
        body = canonical(_evidence(watched, download))
        fact = copy_served(
            introduction=introduction,
            fan=torrent.fan,
            title=torrent.title,
            listener=download.listener,
            by=None,
            same_person=download.same,
            network=download.near,
            evidence=Evidence.WITNESSED,
            proof=digest(body),
            at_us=whole_us,
            doubt=doubt,
        )
        campaign = torrent.campaign
        return [
            (campaign, EVIDENCE, introduction, whole_us, body),
            (campaign, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body)),
        ]


def _evidence(watched: Watched, download: Download) -> dict[str, Any]:
    """What was seen, in the words that are kept."""
    torrent, ends = watched.torrent, download.ends
    return {
        "introduction": download.introduction,
        "fan": torrent.fan,
        "title": torrent.title,
        "torrent": torrent.info_hash.hex(),
        "listener": download.listener,
        "network": download.near,
        "client": download.client,
        "bytes": torrent.template.size,
        "pieces": torrent.template.pieces,
        "first_us": download.first_us,
        "whole_us": download.whole_us,
        "first_have": download.first_have,
        "seen": download.seen,
        "curve": download.curve,
        "asked": download.asked,
        "listener_says": {"uploaded": ends.uploaded, "downloaded": ends.downloaded, "left": ends.left},
        "seeders": [
            {"client": each.client, "uploaded": each.ends.uploaded} for each in watched.seeders.values()
        ],
        "sent": watched.sent,
        "gap": download.gap,
        "salt": download.salt,
    }
