"""The edge while its database is stopped, hangs, or its disk is full: what is told, what is kept, when it ends."""

import contextlib
import re
import select
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.channels.edges import (
    OPEN,
    Edge,
    Start,
    eventually,
    free_port,
    with_shares,
    with_tables,
)
from tests.channels.test_edge_protocol import asked
from tests.services.test_fault_database import Server
from vteam.edge.lookups import CACHE_SECONDS

VISITORS = 8
ROWS_WAITING = 100
ANSWER_SECONDS_MAX = 18
"""What a statement may take, then what a new connection may: nine seconds, and as much again on a busy machine."""
EVERYBODY = {"VISITS_PER_NETWORK_MINUTE": "1000000"}
MEMORY_MIB_MAX = 25


class Crowd:
    """Visitors who open the link again and again, and what they were told."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.welcomed = self.sent_away = 0
        self.longest_s = 0.0
        self.others: list[str] = []
        self._told = threading.Lock()
        self._over = threading.Event()
        self._visitors = [threading.Thread(target=self._visit) for _ in range(VISITORS)]

    def __enter__(self) -> "Crowd":
        for visitor in self._visitors:
            visitor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for visitor in self._visitors:
            visitor.join()

    def _visit(self) -> None:
        while not self._over.is_set():
            begun = time.monotonic()
            answer = self.edge.ask(f"/r/{OPEN}")
            with self._told:
                self.longest_s = max(self.longest_s, time.monotonic() - begun)
                self._count(answer.status, f"{answer.headers['Retry-After']} {answer.text}")  # type: ignore[attr-defined]
            time.sleep(0.002)

    def _count(self, status: int, told: str) -> None:
        if status == 302:
            self.welcomed += 1
        elif status == 503 and told.startswith("2 ") and "out of breath" in told and "Rouvre le lien" in told:
            self.sent_away += 1
        else:
            self.others.append(f"{status} {told}")

    def more_are_welcomed(self) -> None:
        """Waits for it."""
        before = self.welcomed
        eventually(lambda: self.welcomed > before + 20)

    def more_are_sent_away(self, seconds: float = 20) -> None:
        """Waits for it."""
        before = self.sent_away
        eventually(lambda: self.sent_away > before + 20, seconds)


def memory_mib(edge: Edge) -> float:
    """What the edge's process holds of the machine's memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{edge.process.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def figure(port: int, name: str) -> float:
    """One of the edge's figures, from its private port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        found = re.search(rf"^{name} ([0-9.e+]+)$", answer.read().decode(), re.MULTILINE)
    assert found
    return float(found[1])


@pytest.fixture
def server(postgres_to_stop: Any) -> Server:
    return Server(postgres_to_stop)


def test_while_the_database_is_stopped_visitors_are_asked_to_come_again_and_nothing_acknowledged_is_lost(
    tmp_path: Path, start: Start, server: Server
) -> None:
    edge = start(tmp_path, DATABASE_URL=with_tables(server.url), **EVERYBODY).opened()
    with Crowd(edge) as crowd:
        crowd.more_are_welcomed()
        before_mib = memory_mib(edge)
        server.stop("immediate")
        crowd.more_are_sent_away()
        assert edge.ask("/healthz").status == 503
        time.sleep(CACHE_SECONDS + 1)  # what was remembered of the share is forgotten
        crowd.more_are_sent_away()
        assert memory_mib(edge) - before_mib < MEMORY_MIB_MAX
        server.start()
        crowd.more_are_welcomed()
    assert edge.ask("/healthz").status == 200
    assert crowd.others == []
    assert crowd.welcomed <= len(edge.rows()) <= crowd.welcomed + VISITORS
    told = edge.stop()
    assert "Traceback" not in told
    assert told.count("visits cannot be recorded") <= 3, "a line when it begins, not one a visit"


def test_while_the_database_hangs_few_wait_and_not_for_long_and_the_others_are_asked_to_come_again(
    tmp_path: Path, start: Start, server: Server
) -> None:
    private = free_port()
    edge = start(
        tmp_path,
        DATABASE_URL=with_tables(server.url),
        EDGE_ROWS_WAITING=str(ROWS_WAITING),
        METRICS_PORT=str(private - 1),
        **EVERYBODY,
    ).opened()
    assert edge.ask(f"/r/{OPEN}").status == 302
    before_mib = memory_mib(edge)
    try:
        server.signal(signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            doors = [stack.enter_context(edge.raw(asked(f"/r/{OPEN}"))) for _ in range(4 * ROWS_WAITING)]
            eventually(lambda: len(readable(doors)) >= 3 * ROWS_WAITING - 1)
            assert figure(private, "vteam_edge_rows_waiting") <= ROWS_WAITING
            assert len(readable(doors)) < 4 * ROWS_WAITING, "some wait for the database"
            eventually(lambda: len(readable(doors)) == 4 * ROWS_WAITING, ANSWER_SECONDS_MAX)
            assert {door.recv(12) for door in doors} == {b"HTTP/1.1 503"}
        with Crowd(edge) as crowd:
            crowd.more_are_sent_away(2 * ANSWER_SECONDS_MAX)
            assert crowd.welcomed == 0
            assert memory_mib(edge) - before_mib < MEMORY_MIB_MAX
            server.signal(signal.SIGCONT)
            crowd.more_are_welcomed()
    finally:
        server.signal(signal.SIGCONT)
    assert crowd.longest_s < ANSWER_SECONDS_MAX
    assert crowd.others == []
    assert crowd.welcomed + 1 <= len(edge.rows()) <= crowd.welcomed + crowd.sent_away + 4 * ROWS_WAITING
    assert "Traceback" not in edge.stop()


def readable(doors: Sequence[socket.socket]) -> list[socket.socket]:
    """Those that were answered, or hung up on."""
    return select.select(doors, [], [], 0)[0]


@pytest.fixture
def small_disk(tmp_path: Path, start: Start) -> Edge:
    """An edge whose data folder is a disk of 2 MiB that nobody else sees; `data` is the way into it from here."""
    folder, main = tmp_path / "data", with_shares(tmp_path / "main") / "vteam.sqlite3"
    folder.mkdir()
    script = 'mount -t tmpfs -o size=2m vteam "$0" && cp "$1" "$0" && shift && exec "$@"'
    within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(folder), str(main)]
    edge = start(folder, within=within, **EVERYBODY).opened()
    edge.data = Path(f"/proc/{edge.process.pid}/root{folder}")
    return edge


def test_while_the_disk_is_full_visitors_are_asked_to_come_again_and_all_is_well_once_there_is_room(
    small_disk: Edge, tmp_path: Path
) -> None:
    with Crowd(small_disk) as crowd:
        crowd.more_are_welcomed()
        with contextlib.suppress(OSError), (small_disk.data / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        crowd.more_are_sent_away()
        assert small_disk.ask("/healthz").status == 503
        (small_disk.data / "filler").unlink()
        crowd.more_are_welcomed()
    assert small_disk.ask("/healthz").status == 200
    assert crowd.others == []
    small_disk.data = shutil.copytree(
        small_disk.data, tmp_path / "seen"
    )  # SQLite cannot follow a way like that
    assert crowd.welcomed == len(small_disk.rows())
    told = small_disk.stop()
    assert "visits cannot be recorded: database or disk is full" in told
    assert "visits can be recorded again" in told
    assert "Traceback" not in told
