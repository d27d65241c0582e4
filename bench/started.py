"""A process that a bench starts, ready when it listens, ended with the block that needs it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vteam.errors import CannotStart

READY_SECONDS_MAX = 20
END_SECONDS_MAX = 30


@contextmanager
def started(
    command: Sequence[str], *, port: int | None = None, end: signal.Signals = signal.SIGTERM
) -> Iterator[int]:
    """The process id, once something listens on `port` of 127.0.0.1; CannotStart when it ends instead."""
    process = subprocess.Popen(list(command), stdout=subprocess.DEVNULL)
    try:
        if port is not None:
            _until_it_listens(process, port)
        yield process.pid
    finally:
        process.send_signal(end)
        process.wait(timeout=END_SECONDS_MAX)


def role(name: str) -> list[str]:
    """The command of one of our processes, with this environment's settings."""
    return [sys.executable, "-P", "-m", "vteam.processes.role", name]


def _until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    give_up = time.monotonic() + READY_SECONDS_MAX
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > give_up:
            raise CannotStart(f"{process.args!r} did not begin to listen on port {port}.")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0
