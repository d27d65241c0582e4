"""Visitors at a fixed rate, whether or not the ones before them were answered: what people do, and wrk does not.

A visit's time counts from the moment it was due, so an edge that stops for a while is not forgiven the visits
that could not begin meanwhile.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from bench.tools import Misleading

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
ANSWER_SECONDS_MAX = 10
ANSWER_BYTES_MAX = 4096


def paced(port: int, path: str, *, host: str, per_s: float, seconds: float, connections: int) -> list[float]:
    """Milliseconds each visit took; Misleading when one is not redirected."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {BROWSER}\r\n\r\n".encode()
    turns_each = max(1, round(per_s * seconds / connections))
    begin = time.monotonic() + 0.05

    def visit(number: int) -> list[float]:
        took_ms = []
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX) as door:
            for turn in range(turns_each):
                due = begin + (turn * connections + number) / per_s
                time.sleep(max(0.0, due - time.monotonic()))
                _ask(door, request)
                took_ms.append((time.monotonic() - due) * 1000)
        return took_ms

    with ThreadPoolExecutor(connections) as visitors:
        return [one for took_ms in visitors.map(visit, range(connections)) for one in took_ms]


def _ask(door: socket.socket, request: bytes) -> None:
    door.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < ANSWER_BYTES_MAX:
        part = door.recv(ANSWER_BYTES_MAX)
        if not part:
            break
        answer += part
    if not answer.startswith(b"HTTP/1.1 302 "):
        raise Misleading(f"A visit was answered {answer[:80]!r}.")
