"""Everything that is going on around fans' torrents, and what becomes of it: evidence and facts.

The tracker tells what clients announce, the witness what it sees of them; both come together here. Addresses stay in
memory while a client is about; what is kept are hashes under the campaign's key.

Pure: times are given (µs), rows go to whoever makes them durable. Everything is bounded, and goes when it is idle.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.torrents.announce import Announce, Event, Role
from vteam.channels.swarm.torrents.downloads import SECOND_US, Download
from vteam.channels.swarm.torrents.homes import Homes
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.places import listener_at
from vteam.channels.swarm.torrents.programs import name_of
from vteam.channels.swarm.torrents.watched import HOUR_US, Reach, Seeder, Watched
from vteam.channels.swarm.torrents.witnessed import rows_of
from vteam.rules.canonical import canonical
from vteam.rules.decisions import NOTHING_SEEN
from vteam.rules.facts import WATCHED

logger = logging.getLogger(__name__)
CHECKPOINT_US = 10 * SECOND_US
CHECKPOINT_DOWNLOADS = 20
STIRRED_US = 300 * SECOND_US
"""How things stand is kept so often; where there are many downloads, as many times less; and so seldom where clients
only said that they are still there."""
STAYS_US_MIN = 750 * SECOND_US
"""libtorrent's clients announce every five minutes whatever they are asked to."""
SETTLE_US = 15 * SECOND_US
TURNED_AT_ONCE, TURNS = 500, 30

Record = Callable[[Sequence[InboxRow]], None]
"""Makes rows durable, in their order and all of them, however long it takes."""
Keep = Callable[[InboxRow], None]
"""Keeps how one torrent stands; where that cannot be now, `Book.not_kept` is told, and a later one takes its place."""


def stays_us(interval_us: int) -> int:
    """How long a client is believed to be there after it announced (µs), asked to every so often."""
    return max(interval_us * 5 // 2, STAYS_US_MIN)


class Meeting:
    """One connection between a client and the witness. `left` is called once, when it ends."""

    __slots__ = ("_asking", "_download", "_era", "_seeder", "_watched", "torrent")

    def __init__(self, watched: Watched, download: Download | None, seeder: Seeder | None) -> None:
        self._watched, self._download, self._seeder = watched, download, seeder
        self._era, self._asking = watched.era, False
        self.torrent = watched.torrent

    @property
    def is_over(self) -> bool:
        """Whether it is to be ended: the title was taken back, the keys are new, or the season is over."""
        return self._era != self._watched.era

    def has(self, pieces: int, at_us: int) -> None:
        """It has so many pieces now."""
        watched = self._watched
        watched.changed = True
        if self._seeder:
            self._seeder.has, self._seeder.last_us = pieces, at_us
        if self._download:
            seeder = watched.seeder_is_here(at_us)
            self._download.has(pieces, self.torrent.template, at_us=at_us, seeder=seeder)

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
        watched = self._watched
        watched.changed = True
        if self._asking:
            self.unanswered(at_us)
        if self._download and not self.is_over:
            listener = self._download.listener
            watched.here[listener] = watched.here.get(listener, 1) - 1
            if watched.here[listener] <= 0:
                del watched.here[listener]


class Book:
    """Everything watched. `interval_us`: how often clients are asked to announce."""

    def __init__(self, *, record: Record, keep: Keep, interval_us: int, torrents_max: int = 20_000) -> None:
        self._record, self._keep, self._torrents_max = record, keep, torrents_max
        self._stays_us = stays_us(interval_us)
        self._settle_us = interval_us + SETTLE_US
        self._watched: dict[bytes, Watched] = {}
        self._turning: Iterator[bytes] = iter(())
        self._homes = Homes()
        self.turned_away = self.counted = self.doubted = 0

    # What the tracker tells --------------------------------------------------------------------------------------
    def announced(self, torrent: Torrent, role: Role, address: str, announce: Announce, at_us: int) -> None:
        """A client announced with one of the torrent's keys, and was answered."""
        watched = self._at(torrent, at_us)
        if watched is None or watched.said_again(role, address, announce, at_us, self._homes):
            return
        watched.stirred = True
        # A friend who was not met yet is worth no row of their own.
        watched.changed = watched.changed or announce.event in (Event.COMPLETED, Event.STOPPED)
        listener = watched.knows(address, announce, role, at_us)
        if role is Role.SEEDER:
            if watched.seeder_told(listener, address, announce, at_us):
                self._homes.here(torrent.fan, listener_at(address, torrent.network_key), at_us)
            return
        download = self._download(watched, listener, address, at_us)
        if download:
            download.client = download.client or name_of(announce.peer_id)
            download.told(
                announce, torrent.template, at_us=at_us, seeder=watched.seeder_is_here(at_us), address=address
            )

    # What the witness tells --------------------------------------------------------------------------------------
    def active(self, info_hash: bytes) -> Torrent | None:
        """The torrent of an info hash (20 bytes), while somebody is about it."""
        watched = self._watched.get(info_hash)
        return watched.torrent if watched else None

    def expects(self, torrent: Torrent, address: str, peer_id: bytes) -> bool:
        """Whether the tracker introduced this peer lately."""
        watched = self._watched.get(torrent.info_hash)
        return watched is not None and watched.role_of(address, peer_id) is not None

    def meet(self, torrent: Torrent, address: str, peer_id: bytes, client: str, at_us: int) -> Meeting:
        """A client and the witness have shaken hands; it was expected. `client`: what it calls itself, fit to show."""
        watched = self._watched[torrent.info_hash]
        watched.changed = True
        listener = watched.who(address, peer_id)
        if watched.role_of(address, peer_id) is Role.SEEDER:
            seeder = watched.seeders.get(listener)
            if seeder:
                seeder.met_us = at_us
            return Meeting(watched, None, seeder)
        download = self._download(watched, listener, address, at_us)
        if download:
            download.met, download.client = True, client or download.client
            watched.here[listener] = watched.here.get(listener, 0) + 1
        return Meeting(watched, download, None)

    def should_dial(self, torrent: Torrent, address: str, at_us: int) -> bool:
        """Whether a seeder is to be dialled, though it may have come by itself, to learn whether it can be reached."""
        seeder = self._seeder_at(torrent, address)
        if seeder is None or seeder.ends.left or at_us - seeder.dialled_us < HOUR_US:
            return False
        seeder.dialled_us = at_us
        return True

    def reached(self, torrent: Torrent, address: str, how: Reach, at_us: int) -> None:
        """What became of dialling a client. One that is here already may take the call and say nothing: it is open."""
        seeder = self._seeder_at(torrent, address)
        if seeder:
            seeder.reach = Reach.OPEN if how is Reach.SILENT and seeder.met_us else how
            self._watched[torrent.info_hash].changed = True

    def _seeder_at(self, torrent: Torrent, address: str) -> Seeder | None:
        watched = self._watched.get(torrent.info_hash)
        return watched.seeders.get(watched.who(address, b"")) if watched else None

    def _at(self, torrent: Torrent, at_us: int) -> Watched | None:
        watched = self._watched.get(torrent.info_hash)
        if watched is None:
            if len(self._watched) >= self._torrents_max:
                self.turned_away += 1
                return None
            watched = self._watched[torrent.info_hash] = Watched(torrent, stays_us=self._stays_us)
            watched.kept_us = at_us - CHECKPOINT_US
        elif watched.torrent is not torrent:
            watched.renew(torrent)
        return watched

    def _download(self, watched: Watched, listener: str, address: str, at_us: int) -> Download | None:
        found = watched.download_of(listener, address, at_us)
        if found is None:
            self.turned_away += 1
            return None
        torrent = watched.torrent
        place = listener_at(address, torrent.network_key)
        found.same = found.same or self._homes.includes(torrent.fan, listener, place)
        return found

    # Time --------------------------------------------------------------------------------------------------------
    def turn(self, at_us: int) -> None:
        """Every second: judges what is ready, keeps how things stand, lets go of what is idle.

        Of very many torrents a part is looked at, so that no call takes long; all are within some seconds. One that
        cannot be looked after hinders none of the others.
        """
        most = max(TURNED_AT_ONCE, len(self._watched) // TURNS + 1)
        due = list(islice(self._turning, most))
        if not due:
            self._turning = iter(list(self._watched))
            due = list(islice(self._turning, most))
        for watched in [self._watched[info_hash] for info_hash in due if info_hash in self._watched]:
            try:
                self._look_after(watched, at_us)
            except Exception:
                logger.exception("a torrent could not be looked after: our own fault; it begins anew")
                self._forget(watched)

    def _look_after(self, watched: Watched, at_us: int) -> None:
        for download in list(watched.downloads.values()):
            self._judge(watched, download, at_us)
        watched.tidy(at_us)
        self._homes.tidy(watched.torrent.fan, at_us)
        pause_us = CHECKPOINT_US * (1 + len(watched.downloads) // CHECKPOINT_DOWNLOADS)
        is_due = watched.changed and at_us - watched.kept_us >= pause_us
        if is_due or (watched.stirred and at_us - watched.kept_us >= STIRRED_US):
            self._keep(self._kept(watched, at_us))
        if watched.is_idle:
            self._forget(watched)

    def keep(self, at_us: int) -> None:
        """Keeps how everything stands that changed: the edge ends."""
        for watched in self._watched.values():
            if watched.changed:
                self._keep(self._kept(watched, at_us))

    def not_kept(self, at_us: int) -> None:
        """What was kept lately may not have been: it is kept again."""
        for watched in self._watched.values():
            watched.changed = watched.changed or at_us - watched.kept_us <= 2 * CHECKPOINT_US

    def _kept(self, watched: Watched, at_us: int) -> InboxRow:
        watched.changed, watched.stirred, watched.kept_us = False, False, at_us
        return (watched.torrent.campaign, WATCHED, "", at_us, canonical(watched.told(at_us, self._homes)))

    def _forget(self, watched: Watched) -> None:
        watched.era += 1
        self._watched.pop(watched.torrent.info_hash, None)

    def close_titles(self, titles: Collection[int]) -> None:
        """These may not be passed on any more: what is under way counts nothing."""
        for watched in list(self._watched.values()):
            if watched.torrent.title in titles:
                self._forget(watched)

    def interrupt(self) -> None:
        """Whether anything may be passed on is not known: nobody is expected, and what is under way has a gap."""
        for watched in self._watched.values():
            watched.interrupt()

    def titles(self) -> set[int]:
        """The titles somebody is about."""
        return {watched.torrent.title for watched in self._watched.values()}

    def titles_over(self, at_us: int) -> set[int]:
        """Those whose season has ended, long enough ago that what was whole by then has been judged."""
        patience_us = 3 * self._settle_us
        return {
            watched.torrent.title
            for watched in self._watched.values()
            if at_us >= watched.torrent.ends_us + patience_us
        }

    @property
    def torrents(self) -> int:
        """How many torrents somebody is about."""
        return len(self._watched)

    def restore(self, torrent: Torrent, content: dict[str, Any], at_us: int) -> None:
        """Goes on from what was kept; what was under way then has a gap. What cannot be read is left, and said."""
        watched = self._at(torrent, at_us)
        if watched is None:
            return
        try:
            own = {str(place): int(last_us) for place, last_us in content["own"].items()}
            watched.restore(content)
        except (AttributeError, TypeError, KeyError, ValueError):
            logger.warning("how a torrent's downloads stood cannot be read: it begins anew")
            return
        for place, last_us in own.items():
            self._homes.here(torrent.fan, place, min(last_us, at_us))

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
        download.same = download.same or self._homes.includes(torrent.fan, download.listener)
        doubt = download.verdict(
            torrent.template,
            sent=watched.sent - watched.claimed,
            seeder_told_us=watched.seeder_told_us,
            seeder_fell=watched.seeder_fell(download.first_us),
        )
        download.judged_us, download.doubt, watched.changed = at_us, str(doubt or ""), True
        if doubt is None:
            took = download.seen * torrent.template.piece_bytes
            watched.claimed = min(watched.sent, watched.claimed + took)
        if (doubt in NOTHING_SEEN or not download.right) and watched.shows_nothing(at_us):
            watched.unkept += 1
            return
        self.doubted += doubt is not None
        self.counted += doubt is None
        # How it stands goes with it: what was judged before the edge fell is not judged again after.
        self._record([*rows_of(watched, download, doubt), self._kept(watched, at_us)])
