"""Short links, each visit durable: beside nginx returning a fixed redirect, and while `jobs` posts a large backlog.

The edge is the real process over a real installation's SQLite files on a real disk. Every request is a visit that
counts; at the end the file's own numbering must agree with what the clients were answered, or nothing is reported.
"""

import contextlib
import signal
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.folder import free_ports, prepared_folder
from bench.report import Report
from bench.rounds import interleaved, median_ratio, on_core, percentile
from bench.started import role, started
from bench.tools import Misleading, disk_under, tools
from bench.visitors import BROWSER, paced
from bench.webserver import Load, nginx_redirecting, wrk

SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = 64
PACED_PER_S, PACED_CONNECTIONS = 300, 16
POSTED_MIN = 1_000
PACED_ROUNDS_MIN = 3
POSTING_SECONDS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How long and how much; `backlog`: facts that wait in the main inbox before `jobs` begins."""

    rounds: int
    seconds: int
    paced_seconds: float
    backlog: int


QUICK = Sizes(rounds=7, seconds=1, paced_seconds=0.6, backlog=100_000)
FULL = Sizes(rounds=9, seconds=6, paced_seconds=3, backlog=500_000)


class Door:
    """The edge of an installation as its visitors reach it, and how many of them it answered.

    Each load has a host name of its own: in a demo folder each is a network, and one network's visits are limited.
    """

    def __init__(self, folder: Path, port: int, code: str) -> None:
        self.folder, self.port, self.path = folder, port, f"/r/{code}"
        self.answered = self.unread_max = self._loads = 0

    def visited(self, connections: int, seconds: int) -> Load:
        """As fast as so many connections can."""
        load = wrk_beside(self.port, self.path, self._host(), connections, seconds)
        self.answered += load.answers
        self.unread_max += connections  # wrk leaves without reading what it asked for last
        return load

    def paced(self, seconds: float) -> list[float]:
        """Milliseconds a visit took, at a fixed rate."""
        took_ms = paced(
            self.port,
            self.path,
            host=self._host(),
            per_s=PACED_PER_S,
            seconds=seconds,
            connections=PACED_CONNECTIONS,
        )
        self.answered += len(took_ms)
        return took_ms

    def check(self) -> None:
        """Misleading when what clients were answered is not what is on disk."""
        recorded = self._recorded()
        if not self.answered <= recorded <= self.answered + self.unread_max:
            raise Misleading(
                f"{self.answered:,} visits were answered and {recorded:,} recorded: this measured something else."
            )

    def _host(self) -> str:
        self._loads += 1
        return f"load{self._loads}.localhost"

    def _recorded(self) -> int:
        """How many rows the edge's file ever numbered, those moved on since included."""
        with contextlib.closing(sqlite3.connect(self.folder / "edge.sqlite3")) as file:
            rows = file.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal_inbox'").fetchall()
        return int(rows[0][0]) if rows else 0


def run(*, quick: bool) -> Report:
    """Beside nginx, alone, and while `jobs` posts; Misleading when what was measured is not that."""
    tools("nginx", "wrk")
    sizes = QUICK if quick else FULL
    edge_port, nginx_port = free_ports(2)
    with prepared_folder(VISITS_PER_NETWORK_MINUTE="1000000", EDGE_PORT=str(edge_port)) as folder:
        from bench.backlog import campaign_with_shares

        disk = disk_under(folder)
        campaign_id, code = campaign_with_shares()
        door = Door(folder, edge_port, code)
        figures, ratios = _beside_nginx(door, nginx_port, sizes)
        figures |= _while_posting(door, campaign_id, sizes)
        door.check()
    return Report(bench="redirect", figures=figures, ratios=ratios, notes=_notes(door, sizes, disk))


def _notes(door: Door, sizes: Sizes, disk: str) -> list[str]:
    return [
        f"{CONNECTIONS} connections, {sizes.rounds} rounds of {sizes.seconds} s, "
        f"server and client a core each, {disk}",
        f"while posting: {PACED_PER_S} visits/s, {sizes.backlog:,} facts waiting at first",
        f"{door.answered:,} visits answered in all, every one of them on disk",
    ]


def wrk_beside(port: int, path: str, host: str, connections: int, seconds: int) -> Load:
    """wrk, a browser by its own account, on the core no server has."""
    headers = {"User-Agent": BROWSER, "Host": host}
    with on_core(CLIENT_CORE):
        return wrk(
            f"http://127.0.0.1:{port}{path}", connections=connections, seconds=seconds, headers=headers
        )


def _beside_nginx(door: Door, nginx_port: int, sizes: Sizes) -> tuple[dict[str, float], dict[str, float]]:
    target = f"http://localhost:8000{door.path}"
    with contextlib.ExitStack() as stack:
        with on_core(SERVER_CORE):
            stack.enter_context(nginx_redirecting(door.folder / "nginx", nginx_port, target=target))
            stack.enter_context(started(role("edge"), port=door.port))
        sides = {
            "nginx": lambda: wrk_beside(nginx_port, door.path, "localhost", CONNECTIONS, sizes.seconds).per_s,
            "edge": lambda: door.visited(CONNECTIONS, sizes.seconds).per_s,
        }
        per_s = interleaved(sides, rounds=sizes.rounds)
        alone = door.visited(1, sizes.seconds)
    figures = {
        "per_s": statistics.median(per_s["edge"]),
        "nginx_per_s": statistics.median(per_s["nginx"]),
        "p50_ms_1conn": alone.p50_ms,
    }
    return figures, {"nginx_302": median_ratio(per_s["edge"], per_s["nginx"])}


def _while_posting(door: Door, campaign_id: int, sizes: Sizes) -> dict[str, float]:
    """The edge beside a real `jobs`, both where the kernel puts them; the backlog must outlast each round."""
    from bench.backlog import fill_the_inbox, waiting

    fill_the_inbox(campaign_id, sizes.backlog)
    with started(role("edge"), port=door.port):
        idle_ms = [percentile(door.paced(sizes.paced_seconds), 0.99) for _ in range(sizes.rounds)]
        with started(role("jobs"), end=signal.SIGKILL):  # told to stop it would finish what it is at
            _until(lambda: waiting() < sizes.backlog - POSTED_MIN)
            posting = list(_rounds_while_posting(door, sizes, waiting))
    if len(posting) < PACED_ROUNDS_MIN:
        raise Misleading(f"The backlog of {sizes.backlog:,} facts was posted before enough was measured.")
    return {
        "p99_ms_idle": statistics.median(idle_ms),
        "p99_ms_while_posting": statistics.median(p99_ms for p99_ms, _ in posting),
        "p99_ms_while_posting_worst": max(p99_ms for p99_ms, _ in posting),
        "posted_per_s": statistics.median(per_s for _, per_s in posting),
    }


def _rounds_while_posting(
    door: Door, sizes: Sizes, waiting: Callable[[], int]
) -> Iterator[tuple[float, float]]:
    """The visits' 99th percentile in ms and the facts posted a second, round by round while facts wait."""
    for _ in range(sizes.rounds):
        begun, first = time.monotonic(), waiting()
        p99_ms = percentile(door.paced(sizes.paced_seconds), 0.99)
        took_s, left = time.monotonic() - begun, waiting()
        if not left:
            return
        if left == first:
            raise Misleading("`jobs` posted nothing during a round.")
        yield p99_ms, (first - left) / took_s


def _until(what: Callable[[], bool]) -> None:
    give_up = time.monotonic() + POSTING_SECONDS_MAX
    while not what():
        if time.monotonic() > give_up:
            raise Misleading("`jobs` does not post what waits.")
        time.sleep(0.05)
