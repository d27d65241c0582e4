"""The witness: many downloads at once on one core, none missed; and what a connection costs in memory.

One witness process on a core of its own, torrent clients on the other, as plain as can be. Its book only counts, so
judging is no part of the figures. A download that was not seen from nothing to its end, with a right piece after it,
is no figure.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.downloads import READY, Order
from bench.folder import free_ports
from bench.kernel import cpu_seconds, share_kib
from bench.report import Report
from bench.rounds import on_core
from bench.started import started
from bench.tools import Misleading

WITNESS_CORE, CLIENT_CORE = 0, 1
CALM_SECONDS = 1.5
END_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """`few` and `many` connections between which memory is compared; `downloads` at once, of `pieces` each."""

    few: int
    many: int
    downloads: int
    pieces: int
    seconds: float


QUICK = Sizes(few=100, many=2_000, downloads=500, pieces=80, seconds=10)
FULL = Sizes(few=100, many=4_000, downloads=1_000, pieces=160, seconds=40)


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """Memory first, on a fresh witness, then downloads."""
    with tempfile.TemporaryDirectory() as name:
        grown, _ = _grown(sizes, Path(name) / "idle.json")
        cpu_s, wall_s, watched = _downloaded(sizes, Path(name) / "downloads.json")
    check(watched, sizes)
    haves = sizes.downloads * sizes.pieces
    return Report(
        bench="witness",
        figures={
            "connections": sizes.many,
            "kib_per_connection": grown / (sizes.many - sizes.few),
            "downloads": watched["whole"],
            "core_share": cpu_s / wall_s,
            "us_per_have": cpu_s * 1_000_000 / haves,
        },
        notes=[
            f"{sizes.downloads} downloads at once, {sizes.pieces} pieces each in {sizes.seconds} s; all seen.",
            f"Memory is the process's own, from {sizes.few} to {sizes.many} connections; the kernel's is not in it.",
            "`us_per_have`: all the witness did meanwhile, the pieces it asked for and its clock too.",
        ],
    )


def check(watched: dict[str, int], sizes: Sizes) -> None:
    """Misleading when a download was missed, or a piece was not what it should be."""
    if watched["whole"] != sizes.downloads or watched["not_right"]:
        raise Misleading(f"{sizes.downloads} downloads came to their end, the witness saw {watched}.")


@contextmanager
def _witness(sizes: Sizes, seen: Path) -> Iterator[tuple[int, int]]:
    """Its process id and port, on its own core."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "bench.watching", str(port), str(sizes.pieces), str(seen)]
    with on_core(WITNESS_CORE):
        process = started(command, port=port)
        pid = process.__enter__()
    try:
        yield pid, port
    finally:
        process.__exit__(None, None, None)


@contextmanager
def _clients(order: Order) -> Iterator["subprocess.Popen[str]"]:
    """Clients that are all there, on the other core; Misleading where they did not come."""
    command = [sys.executable, "-m", "bench.downloads", json.dumps(asdict(order))]
    with on_core(CLIENT_CORE):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != READY:
                raise Misleading("The witness did not let the clients in as it should.")
            yield process
        finally:
            process.terminate()


def _grown(sizes: Sizes, seen: Path) -> tuple[int, int]:
    """KiB the witness grew by between few and many connections; KiB of all of it then."""
    with _witness(sizes, seen) as (pid, port):
        few = Order(port=port, begin=0, clients=sizes.few, pieces=sizes.pieces, seconds=0)
        rest = Order(
            port=port, begin=sizes.few, clients=sizes.many - sizes.few, pieces=sizes.pieces, seconds=0
        )
        with _clients(few):
            time.sleep(CALM_SECONDS)
            before = share_kib(pid)
            with _clients(rest):
                time.sleep(CALM_SECONDS)
                after = share_kib(pid)
    return after - before, after


def _downloaded(sizes: Sizes, seen: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds of the witness's core, and of the wall, while everybody downloads; what it saw."""
    with _witness(sizes, seen) as (pid, port):
        order = Order(port=port, begin=0, clients=sizes.downloads, pieces=sizes.pieces, seconds=sizes.seconds)
        with _clients(order) as clients:
            began, begun = cpu_seconds(pid), time.monotonic()
            assert clients.stdout is not None
            outcome = clients.stdout.readline()
            cpu_s, wall_s = cpu_seconds(pid) - began, time.monotonic() - begun
        if not outcome or json.loads(outcome)["clients"] != sizes.downloads:
            raise Misleading("The witness did not let the clients come to their end.")
    watched: dict[str, int] = json.loads(seen.read_text())
    return cpu_s, wall_s, watched
