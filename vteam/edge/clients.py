"""Torrent clients at the edge: tracker, book and witness, and the gate that is asked every second for all three."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from vteam import clock
from vteam.channels.links.redirect import InboxRow, NetworkOf, Request
from vteam.channels.networks import address_of
from vteam.channels.swarm.torrents.announce import Announce, Event, Role, plain_address
from vteam.channels.swarm.torrents.downloads import SECOND_US
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.tracker import Swarms
from vteam.channels.swarm.torrents.watch import Book, stays_us
from vteam.channels.swarm.torrents.watched import DAY_US
from vteam.edge.commits import GroupCommit
from vteam.edge.offers import Offers
from vteam.edge.rights import PassOnRights
from vteam.edge.torrents import Torrents
from vteam.edge.tracker import AnnounceBudget, Tracker, client_address, witness_told
from vteam.edge.witness import Witness
from vteam.errors import Away, CannotStart
from vteam.rules.networks import IPNetwork

TURN_SECONDS = 1.0
UNASKED_SECONDS_MAX = 4.0
# No client calls itself so: it is dialled although it may be here.
NOBODY_MET = bytes(20)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What torrent clients meet. `witness`: the host and port it listens at; None: nowhere.

    `addresses`: where clients are told to find it (none: where they ask the tracker). `dials`: networks it may dial
    beside the internet's.
    """

    witness: tuple[str, int] | None
    addresses: Sequence[str] = ()
    dials: Sequence[IPNetwork] = ()
    interval_s: int = 90
    connections_max: int = 4_000
    peers_max: int = 200_000
    announces_per_network: int = 1_200
    behind_proxies: bool = False


class Clients:
    """Made in the running loop; `listen`, then `run`, which goes on until it is cancelled."""

    def __init__(
        self,
        options: ClientOptions,
        *,
        inbox: GroupCommit,
        rights: PassOnRights,
        torrents: Torrents,
        network_of: NetworkOf,
    ) -> None:
        self._options, self._rights, self._torrents = options, rights, torrents
        self._now = asyncio.get_running_loop().time
        self.offers = Offers(inbox)
        self.lost = 0
        self._inbox = inbox
        self.book = Book(record=self._record, keep=self._keep, interval_us=options.interval_s * SECOND_US)
        self.witness = Witness(
            book=self.book,
            active=self.book.active,
            own=options.addresses,
            allowed=options.dials,
            interval_s=options.interval_s,
            connections_max=options.connections_max,
        )
        port = options.witness[1] if options.witness else 0
        self.tracker = Tracker(
            swarms=Swarms(
                peers_max=options.peers_max, stays_s=stays_us(options.interval_s * SECOND_US) / SECOND_US
            ),
            torrents=torrents.seen,
            budget=AnnounceBudget(per_network=options.announces_per_network),
            network_of=network_of,
            address_of=self._address_of,
            is_open=self._is_open,
            witness=witness_told(options.addresses, port, behind_proxies=options.behind_proxies),
            heard=self._heard,
            interval_s=options.interval_s,
            now=self._now,
            now_us=clock.now_us,
        )

    # What the tracker tells --------------------------------------------------------------------------------------
    def _address_of(self, request: Request) -> str:
        if request.local:
            self.witness.dials.owns(plain_address(request.local))
        return client_address(request, address_of, behind_proxies=self._options.behind_proxies)

    def _heard(self, torrent: Torrent, role: Role, address: str, announce: Announce) -> None:
        self.book.announced(torrent, role, address, announce, clock.now_us())
        if self._options.witness is None or announce.event is Event.STOPPED:
            return
        self.witness.knows(torrent.info_hash)
        if role is Role.FRIEND:
            self.witness.consider(torrent, address, announce.port, self._now(), peer_id=announce.peer_id)
        elif self.book.should_dial(torrent, address, clock.now_us()):
            self.witness.consider(
                torrent, address, announce.port, self._now(), peer_id=NOBODY_MET, at_once=True
            )

    async def _is_open(self, title: int) -> bool:
        return title in await self._rights.open_titles([title], at_us=clock.now_us())

    def _record(self, rows: Sequence[InboxRow]) -> None:
        self.offers.record(rows, self._recorded)

    def _recorded(self, away: Away | None) -> None:
        self.lost += away is not None

    def _keep(self, row: InboxRow) -> None:
        self._inbox.record(row, self._kept)

    def _kept(self, away: Away | None) -> None:
        # A later one says more: it must not stand in the way of facts that are offered again.
        if away is not None:
            self.book.not_kept(clock.now_us())

    # Its life ----------------------------------------------------------------------------------------------------
    async def listen(self) -> None:
        """The witness takes connections; CannotStart where its address cannot be had."""
        if self._options.witness is None:
            return
        host, port = self._options.witness
        try:
            await self.witness.listen(host, port)
        except OSError as error:
            raise CannotStart(
                f"The witness cannot listen on {host}, port {port}: {error.strerror}. Choose others with "
                "VTEAM_WITNESS_HOST and VTEAM_WITNESS_PORT, or none with VTEAM_WITNESS_PORT=0."
            ) from error

    async def run(self) -> None:
        """Goes on from what was kept, and looks after everything every second until it is cancelled."""
        await self._restore()
        asked_at = time.monotonic()
        try:
            while True:
                await asyncio.sleep(TURN_SECONDS)
                asked_at = await self._turn(asked_at)
        finally:
            await self.witness.close()

    async def _turn(self, asked_at: float) -> float:
        """One second's work, the gate first; returns when it was last asked."""
        try:
            await self._ask_the_gate()
            asked_at = time.monotonic()
        except Exception as fault:
            if not isinstance(fault, Away):
                logger.exception("asking the gate failed: our own fault")
            if time.monotonic() - asked_at > UNASKED_SECONDS_MAX:
                logger.warning("whether titles may be passed on cannot be asked")
                self._interrupt()
        for work in (self.offers.again, self._look_after, self.witness.tick, self._tidy):
            try:
                work()
            except Exception:
                logger.exception("looking after torrent clients failed: our own fault")
        return asked_at

    def _look_after(self) -> None:
        at_us = clock.now_us()
        self.book.turn(at_us)
        self._close(self.book.titles_over(at_us))

    def _tidy(self) -> None:
        self.tracker.swarms.tidy(now=self._now())

    def _interrupt(self) -> None:
        """Nobody is introduced any more, and connections end; what was seen is not forgotten."""
        titles = self._titles()
        self.tracker.close_titles(titles)
        self.witness.close_titles(titles)
        self.book.interrupt()

    def _titles(self) -> set[int]:
        return self.tracker.titles() | self.book.titles()

    async def _ask_the_gate(self) -> None:
        titles = self._titles()
        if titles:
            self._close(titles - await self._rights.open_titles(titles, at_us=clock.now_us()))

    def _close(self, titles: set[int]) -> None:
        if titles:
            self.tracker.close_titles(titles)
            self.book.close_titles(titles)
            self.witness.close_titles(titles)

    async def _restore(self) -> None:
        """How downloads stood when the edge last said so; tried until the database is there."""
        while True:
            try:
                for torrent, content in await self._torrents.watched_since(clock.now_us() - DAY_US):
                    self.book.restore(torrent, content, clock.now_us())
            except Away:
                await asyncio.sleep(TURN_SECONDS)
                continue
            except Exception:
                logger.exception("how downloads stood cannot be read: our own fault; they begin anew")
            return

    def close(self) -> None:
        """The last try for what could not be recorded before."""
        try:
            self.book.keep(clock.now_us())
        except Exception:
            logger.exception("how downloads stand could not be kept: our own fault")
        self.offers.again()
