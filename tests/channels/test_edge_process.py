"""The edge as a process: starting, stopping, dying, and what it says."""

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.channels.edges import OPEN, Edge, Start, eventually, with_shares
from vteam.errors import CannotStart


def test_the_edge_loads_no_django() -> None:
    question = (
        "import sys, vteam.edge.app, vteam.edge.server; "
        "print([name for name in sys.modules if name.split('.')[0] == 'django'])"
    )
    told = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_a_second_edge_refuses(tmp_path: Path, start: Start) -> None:
    first = start(with_shares(tmp_path)).opened()
    second = start(tmp_path)
    told, _ = second.process.communicate(timeout=20)
    assert second.process.returncode == 1
    assert "already runs" in told
    assert "VTEAM_DATA" in told
    first.stop()
    start(tmp_path).opened().stop()


def test_a_taken_port_is_one_clear_line(tmp_path: Path, start: Start) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        edge = start(tmp_path, EDGE_PORT=str(door.getsockname()[1]))
        told, _ = edge.process.communicate(timeout=20)
    assert edge.process.returncode == 1
    assert told.startswith("The edge cannot listen on 127.0.0.1, port")
    assert "Traceback" not in told


def test_stopping_is_a_normal_end(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path)).opened()
    assert edge.ask(f"/r/{OPEN}").status == 302
    assert edge.stop() == ""
    assert edge.process.returncode == 0
    assert len(edge.rows()) == 1


def test_every_acknowledged_visit_survives_a_kill(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path)).opened()
    acknowledged: list[int] = []

    def visit() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while edge.ask(f"/r/{OPEN}").status == 302:
                acknowledged.append(1)

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    eventually(lambda: len(acknowledged) > 100)
    edge.stop(signal.SIGKILL)
    for visitor in visitors:
        visitor.join()
    assert len(acknowledged) <= len(edge.rows()) <= len(acknowledged) + len(visitors)


def test_before_the_site_made_its_database_visitors_are_asked_to_come_again(
    tmp_path: Path, start: Start
) -> None:
    edge = start(tmp_path).opened()
    answer = edge.ask(f"/r/{OPEN}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "out of breath" in answer.text  # type: ignore[attr-defined]
    with_shares(tmp_path)
    eventually(lambda: edge.ask(f"/r/{OPEN}").status == 302)
    assert len(edge.rows()) == 1
    edge.stop()


def test_logs_carry_no_addresses(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path), LOG_LEVEL="debug").opened()
    edge.ask(f"/r/{OPEN}", X_Forwarded_For="203.0.113.9")
    edge.ask(f"/r/{OPEN}", Connection="Upgrade", Upgrade="websocket")
    edge.raw(b"nonsense\r\n\r\n").close()
    told = edge.stop()
    assert "127.0.0.1" not in told
    assert "203.0.113.9" not in told


def test_a_request_that_never_ends_is_hung_up_on(tmp_path: Path, start: Start) -> None:
    hasty = "from vteam.edge import protocol; protocol.REQUEST_SECONDS_MAX = 1"
    edge = start(with_shares(tmp_path), before=hasty).opened()
    for beginning in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "):
        with edge.raw(beginning) as door:
            assert door.recv(100) == b""
    kept = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=20)
    with contextlib.closing(kept):
        assert healthy(kept)
        used = kept.sock
        time.sleep(3)  # longer than a request may take: a kept connection has nothing to hurry for
        assert healthy(kept)
        assert kept.sock is used
    edge.stop()


def healthy(kept: http.client.HTTPConnection) -> bool:
    """Whether the edge says that it is well, and keeps the connection."""
    kept.request("GET", "/healthz")
    answer = kept.getresponse()
    return (answer.read(), answer.headers["Connection"]) == (b"ok\n", None)


def test_a_request_too_long_is_hung_up_on(edge: Edge) -> None:
    with edge.raw(b"GET / HTTP/1.1\r\n") as door, pytest.raises(OSError):
        for _ in range(20_000):
            door.sendall(b"X-Long: " + b"x" * 1000 + b"\r\n")
    assert edge.ask("/healthz").status == 200


def test_a_listener_says_why_it_cannot_be_had() -> None:
    from vteam.edge.server import listening

    with listening("127.0.0.1", 0) as first, pytest.raises(CannotStart, match="in use"):
        listening("127.0.0.1", first.getsockname()[1])
