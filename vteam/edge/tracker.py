"""The tracker's door: `/announce/KEY`, where torrent clients say how they stand and are told whom to meet.

Whatever comes is answered in the tracker's own language: what cannot be read, is not ours, or may not be, with a
failure in words. An announce whose torrent was seen lately is answered without a question to anybody.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from vteam.channels.links.redirect import NetworkOf, Reply, Request, with_body
from vteam.channels.swarm.torrents.announce import (
    PREFIX,
    Announce,
    Event,
    Failure,
    Peer,
    Role,
    announce_in,
    answered,
    compact,
    plain_address,
    refused,
)
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.tracker import Swarms
from vteam.edge.budget import MinuteBudget
from vteam.edge.lookups import Cached
from vteam.edge.torrents import FoundTorrent
from vteam.errors import Away

NOT_OURS = "this torrent is not ours"
KEY_ENDED = "this file is no longer good: get a new one from the page it came from"
SEASON_OVER = "the season is over"
WITHDRAWN = "the band has taken this title back"
AWAY = "we cannot answer just now"
TOO_MANY = "too many announces from your network"
FULL = "too many clients are here"
GET_ONLY = "only GET is understood here"
OUR_FAULT = "something broke on our side"
AGAIN_SECONDS = 2.0
SOON, LATER = 1, 5
"""Minutes after which a client may come again."""
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class AnnounceBudget(MinuteBudget):
    """How often the clients of one network may announce in a minute."""

    over: ClassVar[str] = "%d announces were refused: more than one network may make a minute"


@dataclass(slots=True, kw_only=True)
class Tracker:
    """Answers announces. `address_of`: where a request comes from; `is_open`: whether a title may be passed on now.

    `witness`: how our own peer is told to a client, by the address it asked at and its own. `heard`: hears of every
    announce that was answered.
    """

    swarms: Swarms
    torrents: Cached[bytes, FoundTorrent]
    budget: AnnounceBudget
    network_of: NetworkOf
    address_of: Callable[[Request], str]
    is_open: Callable[[int], Awaitable[bool]]
    witness: Callable[[str, str], Sequence[Peer]]
    heard: Callable[[Torrent, Role, str, Announce], None]
    interval_s: int
    now: Callable[[], float]
    now_us: Callable[[], int]
    refused: int = 0
    _open: set[int] = field(default_factory=set)

    def reply(self, request: Request) -> Reply | Awaitable[Reply]:
        """The answer to an announce; to be awaited where its torrent or its title has to be looked up."""
        if request.method not in ("GET", "HEAD"):
            return self._refused(GET_ONLY)
        announce = announce_in(request.query)
        if isinstance(announce, Failure):
            return self._refused(announce.reason)
        if not self.budget.spend(self.network_of(request)):
            return self._refused(TOO_MANY, retry_minutes=LATER)
        found = self.torrents.remembered(announce.info_hash)
        torrent = found.torrent if found else None
        if torrent is None or torrent.title not in self._open or _role(torrent, request) is None:
            return self._looked_up(request, announce)
        return self._answered(request, announce, torrent)

    async def _looked_up(self, request: Request, announce: Announce) -> Reply:
        try:
            found = self.torrents.remembered(announce.info_hash)
            if found is None or found.torrent is None or _role(found.torrent, request) is None:
                # It may be new, or its keys may be.
                found = self.torrents.remembered(announce.info_hash, within=AGAIN_SECONDS)
                found = found or await self.torrents.find(announce.info_hash)
            if found.torrent is not None and found.torrent.title not in self._open:
                if not await self.is_open(found.torrent.title):
                    return self._refused(WITHDRAWN)
                self._open.add(found.torrent.title)
            return self._answered(request, announce, found.torrent)
        except Away:
            return self._refused(AWAY, retry_minutes=SOON)
        except Exception:
            logger.exception("an announce was not answered as it should be: our own fault")
            return self._refused(OUR_FAULT, retry_minutes=LATER)

    def _answered(self, request: Request, announce: Announce, torrent: Torrent | None) -> Reply:
        if torrent is None:
            return self._refused(NOT_OURS)
        role = _role(torrent, request)
        if role is None:
            return self._refused(KEY_ENDED)
        if self.now_us() >= torrent.ends_us:
            return self._refused(SEASON_OVER)
        address = self.address_of(request)
        told = self.swarms.announce(torrent, role, announce, address, now=self.now())
        if told is None:
            return self._refused(FULL, retry_minutes=LATER)
        self.heard(torrent, role, address, announce)
        ours = [] if announce.event is Event.STOPPED else self.witness(request.local, address)
        body = answered(
            [*ours, *told.peers],
            complete=told.complete,
            incomplete=told.incomplete,
            interval_s=self.interval_s,
            to=address,
            is_compact=announce.compact,
        )
        return Reply(with_body(body))

    def _refused(self, reason: str, *, retry_minutes: int | None = None) -> Reply:
        self.refused += 1
        return Reply(with_body(refused(reason, retry_minutes=retry_minutes)))

    # The gate ----------------------------------------------------------------------------------------------------
    def titles(self) -> set[int]:
        """The titles whose announces are answered without asking the gate."""
        return self._open | self.swarms.titles()

    def close_titles(self, titles: set[int]) -> None:
        """These may not be passed on any more, or it cannot be known: the gate is asked again at the next announce."""
        self._open -= titles
        self.swarms.close_titles(titles)


def _role(torrent: Torrent, request: Request) -> Role | None:
    key = request.path[len(PREFIX) :]
    if key == torrent.friend_key:
        return Role.FRIEND
    return Role.SEEDER if key == torrent.seed_key else None


def client_address(request: Request, address_of: Callable[[str, str], str], *, behind_proxies: bool) -> str:
    """Where a client is: the socket's other end, or what trusted proxies say of it."""
    if not behind_proxies:
        return plain_address(request.peer)
    forwarded = request.headers.get(b"x-forwarded-for", b"")
    return plain_address(address_of(request.peer, forwarded.decode("latin-1")))


def witness_told(
    addresses: Sequence[str], port: int, *, behind_proxies: bool
) -> Callable[[str, str], Sequence[Peer]]:
    """How clients are told of the witness: at its addresses, else where they asked us; not at all at port 0."""
    fixed = [(b"", compact(address, port)) for address in addresses] if port else []

    def told(local: str, peer: str) -> Sequence[Peer]:
        if not port or fixed or behind_proxies or not local:
            return fixed
        return [(b"", compact(plain_address(local), port))]

    return told
