"""Debian's Redis as a peer: a server of a bench's own, and as much of its protocol (RESP 2) as is asked here.

It listens on a Unix socket, the shortest way there is, and writes nothing to disk: a cache at its best.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bench.folder import free_ports
from bench.started import started
from bench.tools import Misleading, tools

MEMBERS_AT_ONCE = 1_000


class SortedSet:
    """One sorted set of a server: members by their score."""

    def __init__(self, name: str, door: socket.socket) -> None:
        self._name, self._door = name.encode(), door
        self._answers: BinaryIO = door.makefile("rb")

    def add(self, scores: Iterable[tuple[int, int]]) -> None:
        """Members with their scores."""
        left = iter(scores)
        while some := list(islice(left, MEMBERS_AT_ONCE)):
            words = [b"%d" % number for member, score in some for number in (score, member)]
            self._ask(b"ZADD", self._name, *words)

    def place(self, member: int) -> int:
        """How many members stand before this one, the highest score first (ZREVRANK)."""
        return self._ask(b"ZREVRANK", self._name, b"%d" % member)

    def _ask(self, *words: bytes) -> int:
        parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)]
        self._door.sendall(b"".join(parts))
        answer = self._answers.readline()
        if not answer.startswith(b":"):
            raise Misleading(f"Redis answered {answer!r} where a number was expected.")
        return int(answer[1:])


@contextmanager
def sorted_set(folder: Path, name: str) -> Iterator[SortedSet]:
    """An empty sorted set in a server of its own while the block runs."""
    (program,) = tools("redis-server")
    (port,), path = free_ports(1), folder / "redis.sock"
    quiet = ["--save", "", "--appendonly", "no", "--dir", str(folder), "--loglevel", "warning"]
    listening = ["--bind", "127.0.0.1", "--port", str(port), "--unixsocket", str(path)]
    with started([program, *listening, *quiet], port=port), socket.socket(socket.AF_UNIX) as door:
        door.connect(str(path))
        yield SortedSet(name, door)
