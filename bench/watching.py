"""A witness alone, with a book that only counts: `python -m bench.watching PORT PIECES FILE`, a process of its own.

At its end it writes into FILE, as JSON, what it saw: a `Watched`.
"""

import asyncio
import json
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import uvloop

from bench.downloads import content_of, torrent_of
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.watch import Book
from vteam.channels.swarm.torrents.watched import Reach
from vteam.edge.witness import Witness


@dataclass(slots=True, kw_only=True)
class Watched:
    """Downloads seen from nothing to the end with a right piece after it; all `has` told; wrong or missing pieces."""

    whole: int = 0
    told: int = 0
    not_right: int = 0


class Look:
    """One connection: asks for a piece on the way, and for one at the end."""

    __slots__ = ("_answers", "_pieces", "_seen", "_told", "torrent")

    def __init__(self, torrent: Torrent, seen: Watched) -> None:
        self.torrent = torrent
        self._seen = seen
        self._answers = self._told = 0
        self._pieces = -1

    def has(self, pieces: int, at_us: int) -> None:
        """It has so many pieces."""
        self._seen.told += 1
        self._told += 1
        self._pieces = pieces

    def wants(self, at_us: int) -> bool:
        """One at the half, one at the end."""
        whole = self.torrent.template.pieces
        return self._answers < (self._pieces * 2 >= whole) + (self._pieces == whole)

    def answered(self, index: int, right: bool, at_us: int) -> None:
        """A piece came."""
        self._answers += right
        self._seen.not_right += not right
        if self._answers == 2 and self._pieces == self.torrent.template.pieces and self._told > 2:
            self._seen.whole += 1

    def unanswered(self, at_us: int) -> None:
        """None came."""
        self._seen.not_right += 1

    def left(self, at_us: int) -> None:
        """Nothing is kept."""


class Counting:
    """What the witness takes for its book: everybody is expected, nothing is judged."""

    def __init__(self, seen: Watched) -> None:
        self._seen = seen

    def expects(self, torrent: Torrent, address: str, peer_id: bytes) -> bool:
        """Everybody."""
        return True

    def meet(self, torrent: Torrent, address: str, peer_id: bytes, client: str, at_us: int) -> Look:
        """One more."""
        return Look(torrent, self._seen)

    def reached(self, torrent: Torrent, address: str, how: Reach, at_us: int) -> None:
        """Nobody is dialled here."""


async def watch(port: int, pieces: int) -> Watched:
    """Until SIGTERM."""
    torrent, seen, end = torrent_of(content_of(pieces)), Watched(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    witness = Witness(
        book=cast(Book, Counting(seen)), active={torrent.info_hash: torrent}.get, connections_max=10_000
    )
    await witness.listen("127.0.0.1", port)
    clock = asyncio.create_task(witness.run())
    await end.wait()
    clock.cancel()
    await witness.close()
    return seen


def main(port: str, pieces: str, file: str) -> None:
    """Watch, and write down what was seen."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    Path(file).write_text(json.dumps(asdict(uvloop.run(watch(int(port), int(pieces))))))


if __name__ == "__main__":
    main(*sys.argv[1:])
