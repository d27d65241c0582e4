"""Torrent clients of real people, what they download, and a book that writes down what the witness tells it."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import libtorrent

from vteam.channels.swarm.torrents.metainfo import Template, Torrent, hashes_of, info_hash_of, torrent_file
from vteam.channels.swarm.torrents.watch import Book
from vteam.channels.swarm.torrents.watched import Reach
from vteam.edge.witness import Witness

PIECE_BYTES = 32 * 1024
LOOPBACK = [ip_network("127.0.0.0/8")]


def content_of(size: int) -> bytes:
    return hashlib.shake_256(b"a song").digest(size)


def torrent_of(content: bytes, *, number: int = 1, title: int = 5, piece_bytes: int = PIECE_BYTES) -> Torrent:
    """The torrent of one piece that is a fan's own, and a body that all have."""
    hashes = hashes_of(content, piece_bytes)
    template = Template(
        id=1, name=f"song {number}.mp3", size=len(content), piece_bytes=piece_bytes, body=hashes[20:]
    )
    return Torrent(
        id=number,
        info_hash=info_hash_of(template, hashes[:20]),
        campaign=3,
        fan=7,
        title=title,
        ends_us=2**60,
        network_key=b"a network key",
        seed_key="s",
        friend_key="f",
        first=hashes[:20],
        template=template,
    )


@dataclass(slots=True)
class Seen:
    """What one connection showed."""

    torrent: Torrent
    address: str
    client: str
    had: list[int] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    unanswered_times: int = 0
    has_left: bool = False
    asks_at: float = 0.2
    asking: bool = False

    @property
    def is_over(self) -> bool:
        return False

    def has(self, pieces: int, at_us: int) -> None:
        self.had.append(pieces)

    def wants(self, at_us: int) -> bool:
        """Once on the way, and once at the end."""
        whole = self.torrent.template.pieces
        due = 1 + (self.had[-1] == whole) if self.had and self.had[-1] >= self.asks_at * whole else 0
        self.asking = len(self.answers) + self.unanswered_times < due
        return self.asking

    def answered(self, index: int, right: bool, at_us: int) -> None:
        self.answers.append(right)

    def unanswered(self, at_us: int) -> None:
        self.unanswered_times += 1

    def left(self, at_us: int) -> None:
        self.has_left = True


@dataclass(slots=True)
class Notes:
    """The book's side of the witness, written down instead of judged. `strangers`: addresses never introduced."""

    meetings: list[Seen] = field(default_factory=list)
    reaches: list[tuple[str, Reach]] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)

    def expects(self, torrent: Torrent, address: str, peer_id: bytes) -> bool:
        return address not in self.strangers

    def meet(self, torrent: Torrent, address: str, peer_id: bytes, client: str, at_us: int) -> Seen:
        self.meetings.append(Seen(torrent, address, client))
        return self.meetings[-1]

    def reached(self, torrent: Torrent, address: str, how: Reach, at_us: int) -> None:
        self.reaches.append((address, how))

    def at(self, address: str) -> list[Seen]:
        return [each for each in self.meetings if each.address == address]


def witness_of(*torrents: Torrent, notes: Notes, **options: Any) -> Witness:
    known = {torrent.info_hash: torrent for torrent in torrents}
    options = {"allowed": LOOPBACK, "interval_s": 5.0} | options
    witness = Witness(book=cast(Book, notes), active=known.get, **options)
    for torrent in torrents:
        witness.knows(torrent.info_hash)
    return witness


async def until(happened: Callable[[], object], *, seconds: float = 30) -> None:
    """Waits for what must happen; fails when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.02)


PLAIN_ONLY = libtorrent.enc_policy.disabled
FORCED = libtorrent.enc_policy.forced


def client(address: str, *, encryption: Any = libtorrent.enc_policy.enabled, rc4_only: bool = False) -> Any:
    """A libtorrent session on an address of loopback, with nothing that asks the network by itself."""
    level = libtorrent.enc_level.rc4 if rc4_only else libtorrent.enc_level.both
    return libtorrent.session(
        {
            "listen_interfaces": f"{address}:0",
            "outgoing_interfaces": address,
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "enable_outgoing_utp": False,
            "enable_incoming_utp": False,
            "in_enc_policy": int(encryption),
            "out_enc_policy": int(encryption),
            "allowed_enc_level": int(level),
            "allow_multiple_connections_per_ip": True,
            "alert_mask": 0,
        }
    )


def taking_part(
    session: Any,
    torrent: Torrent,
    folder: Path,
    *,
    peers: list[tuple[str, int]],
    by_magnet: bool = False,
    rate: int = 0,
) -> Any:
    """The session's handle of a torrent: from its file, or knowing its hash alone."""
    wanted = libtorrent.add_torrent_params()
    if by_magnet:
        wanted.info_hashes = libtorrent.info_hash_t(libtorrent.sha1_hash(torrent.info_hash))
    else:
        wanted.ti = libtorrent.torrent_info(
            libtorrent.bdecode(torrent_file(torrent.info(), announce="http://127.0.0.1:1/announce/"))
        )
        wanted.trackers = []
    wanted.save_path = str(folder)
    if rate:
        wanted.download_limit = rate
    handle = session.add_torrent(wanted)
    for peer in peers:
        handle.connect_peer(peer)
    return handle
