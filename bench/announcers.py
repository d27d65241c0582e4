"""Torrent clients that announce, each time over a new connection; plain sockets, since a client library is slower.

Some connections are always under way, and the oldest is read, to its end, before a new one is made: the server never
runs out of work, and the client never asks the kernel who is ready. What is read is counted, and nothing else.
"""

import contextlib
import re
import socket
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.tools import Misleading

AT_ONCE = 48
ANSWER_SECONDS_MAX = 20
RECEIVED_AT_ONCE = 4096
# Not yet known to every Python: a port is chosen with the far end in mind, so sources have enough of them.
IP_BIND_ADDRESS_NO_PORT = 24
_PEERS = re.compile(rb"5:peers(\d+):")


@dataclass(frozen=True, slots=True)
class Ask:
    """One announce: the loopback address it comes from, and its request's bytes."""

    source: str
    request: bytes


def announced(port: int, asks: Sequence[Ask]) -> int:
    """All asked of a tracker at 127.0.0.1; how many peers (IPv4, compact) the answers told of, in all.

    Misleading when one was not answered with a list of peers.
    """
    peers, waiting = 0, deque[socket.socket]()
    with contextlib.ExitStack() as left_open:
        left_open.callback(_close_all, waiting)
        for ask in asks:
            if len(waiting) == AT_ONCE:
                peers += _peers_in(waiting.popleft())
            waiting.append(_asked(port, ask))
        while waiting:
            peers += _peers_in(waiting.popleft())
    return peers


def _close_all(doors: Iterable[socket.socket]) -> None:
    for door in doors:
        door.close()


def _asked(port: int, ask: Ask) -> socket.socket:
    door = socket.socket()
    try:
        door.settimeout(ANSWER_SECONDS_MAX)
        door.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        door.bind((ask.source, 0))
        door.connect(("127.0.0.1", port))
        door.sendall(ask.request)
    except OSError:
        door.close()
        raise
    return door


def _peers_in(door: socket.socket) -> int:
    """How many peers the answer names, read to the connection's end."""
    with door:
        answer = b""
        while part := door.recv(RECEIVED_AT_ONCE):
            answer += part
    found = _PEERS.search(answer)
    if found is None:
        raise Misleading(f"An announce was answered with {answer[-200:]!r}.")
    return int(found[1]) // 6
