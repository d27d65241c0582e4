"""A fan whose torrent client seeds, friends who download, and the book that watches them, with its clock."""

import json
from collections.abc import Sequence
from typing import Any

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.torrents.announce import Announce, Event, Role
from vteam.channels.swarm.torrents.metainfo import Template, Torrent, info_hash_of
from vteam.channels.swarm.torrents.watch import Book, Meeting
from vteam.channels.swarm.torrents.watched import Watched
from vteam.rules.facts import WATCHED, Kind
from vteam.rules.shapes import problem_with

PIECES, PIECE = 40, 65_536
SIZE = PIECES * PIECE
SECOND = 1_000_000
AT = 1_795_000_000 * SECOND
HOME, FRIEND, OTHER = "81.2.69.142", "81.2.70.7", "2a02:c7c:1:2::9"
TEMPLATE = Template(id=1, name="Song.mp3", size=SIZE, piece_bytes=PIECE, body=bytes(20 * (PIECES - 1)))
TORRENT = Torrent(
    id=5,
    info_hash=info_hash_of(TEMPLATE, bytes(20)),
    campaign=3,
    fan=7,
    title=11,
    ends_us=AT * 2,
    network_key=b"k" * 32,
    seed_key="s",
    friend_key="f",
    first=bytes(20),
    template=TEMPLATE,
)
SEEDING, LOADING = b"-TR3000-aaaaaaaaaaaa", b"-qB4520-bbbbbbbbbbbb"


class Scene:
    """A book with its clock, and what it recorded."""

    def __init__(self) -> None:
        self.rows: list[InboxRow] = []
        self.at = AT
        self.book = Book(record=self._keep, keep=lambda row: self._keep([row]), interval_us=90 * SECOND)

    def _keep(self, rows: Sequence[InboxRow]) -> None:
        self.rows += rows

    def later(self, seconds: float) -> None:
        """Time goes by, the book turning every second."""
        until = self.at + int(seconds * SECOND)
        while self.at < until:
            self.at = min(self.at + SECOND, until)
            self.book.turn(self.at)

    def says(
        self, role: Role, address: str, *, peer: bytes = LOADING, torrent: Torrent = TORRENT, **of: object
    ) -> None:
        """An announce, at this moment."""
        told = Announce(
            info_hash=torrent.info_hash, peer_id=peer, port=6881, uploaded=0, downloaded=0, left=SIZE,
            event=Event.SOME_TIME, compact=True, most=50,
        )  # fmt: skip
        self.book.announced(torrent, role, address, told._replace(**of), self.at)  # type: ignore[arg-type]

    def seeds(self, uploaded: int = 0, *, address: str = HOME, event: Event = Event.SOME_TIME) -> None:
        """The fan's client announces."""
        self.says(Role.SEEDER, address, peer=SEEDING, left=0, uploaded=uploaded, event=event)

    def meets(self, address: str = FRIEND, peer: bytes = LOADING) -> Meeting:
        """A client shakes hands with the witness."""
        assert self.book.expects(TORRENT, address, peer)
        return self.book.meet(TORRENT, address, peer, "qBittorrent/4.5.2", self.at)

    def grows(
        self, meeting: Meeting, *, start: int = 0, stop: int = PIECES, right: bool | None = True
    ) -> None:
        """A client's pieces come one after the other; asked, it gives what it has."""
        for have in range(start, stop + 1):
            meeting.has(have, self.at)
            if meeting.wants(self.at):
                if right is None:
                    meeting.unanswered(self.at)
                else:
                    meeting.answered(max(have - 1, 0), right, self.at)
            self.later(0.5)

    def downloads(
        self, address: str = FRIEND, *, peer: bytes = LOADING, right: bool | None = True
    ) -> Meeting:
        """A whole honest download, to the client's last word."""
        self.says(Role.FRIEND, address, peer=peer, event=Event.STARTED)
        meeting = self.meets(address, peer)
        self.grows(meeting, right=right)
        self.says(Role.FRIEND, address, peer=peer, left=0, downloaded=SIZE, event=Event.COMPLETED)
        return meeting

    @property
    def watched(self) -> Watched:
        """What is known of the torrent."""
        return self.book._watched[TORRENT.info_hash]

    @property
    def kept(self) -> dict[str, Any]:
        """How it stood when that was last kept."""
        found: dict[str, Any] = json.loads([body for _, kind, *_, body in self.rows if kind == WATCHED][-1])
        return found

    @property
    def facts(self) -> list[dict[str, object]]:
        """The bodies of the facts recorded."""
        return [json.loads(body) for _, kind, _, _, body in self.rows if kind == Kind.COPY_SERVED]

    @property
    def evidence(self) -> list[str]:
        """The evidence rows recorded."""
        return [body for _, kind, _, _, body in self.rows if kind == "Evidence"]

    def doubt(self) -> str | None:
        """Of the one fact there is."""
        (fact,) = self.facts
        assert problem_with(Kind.COPY_SERVED, fact) is None
        return fact.get("doubt")  # type: ignore[return-value]
