"""How much memory the whole demo uses, and whether an hour's traffic replayed fast leaves anything behind.

Memory is what the kernel says is each process's own share (Pss of smaps_rollup): pages several use are divided among
them, so the sum is what the installation costs. People come first until caches and threads are there, then the hour.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crash import Place, prepared
from bench.kernel import share_kib
from bench.report import Report
from bench.tools import Misleading
from bench.traffic import Memory, Traffic

FANS = 60
LANES = 12
# A campaign in which something happens every second: a visit, an arrival, a join or a download.
HOUR_DEEDS = 3_600
WARM_DEEDS = 7_200  # until caches are full and a look for garbage finds as much as came since the last
WARM_SECONDS_QUICK, HOUR_SECONDS_QUICK = 8.0, 16.0
HOUR_SECONDS_MAX = 900.0
READY_SECONDS_MAX = 30.0
MIB = 1024


def run(*, quick: bool) -> Report:
    """`mib`: all processes before anybody came; `mib_after`: after the hour; `growth_mib`: what the hour added."""
    with TemporaryDirectory(prefix="vteam-memory-") as folder:
        place = prepared(Path(folder))
        made = place.installation.command("demo", "--no-run", "--fans", str(FANS))
        if made.returncode:
            raise Misleading(f"The demo's season cannot be played: {made.stdout}{made.stderr}")
        try:
            return _measure(place, quick=quick)
        finally:
            place.installation.stop()


def _measure(place: Place, *, quick: bool) -> Report:
    place.installation.keep_running()
    _until(place.installation.is_back, seconds=READY_SECONDS_MAX)
    begun = _mib(place)
    traffic = Traffic(place.doors, seed=1789, lanes=LANES)
    with traffic.coming():
        _people(traffic.memory, WARM_DEEDS, seconds=WARM_SECONDS_QUICK if quick else HOUR_SECONDS_MAX)
        warm = _mib(place)
        seconds = HOUR_SECONDS_QUICK if quick else HOUR_SECONDS_MAX
        deeds = _people(traffic.memory, HOUR_DEEDS, seconds=seconds)
        after = _mib(place)
    return Report(
        bench="memory",
        figures={
            "mib": sum(begun.values()),
            "mib_warm": sum(warm.values()),
            "mib_after": sum(after.values()),
            "growth_mib": sum(after.values()) - sum(warm.values()),
            "deeds": deeds,
            "processes": len(after),
        },
        notes=[
            *(
                f"{name}: {begun[name]:.0f}, {warm[name]:.0f}, {after[name]:.0f} MiB"
                for name in sorted(after)
            ),
            f"an hour is {HOUR_DEEDS:,} deeds; refused otherwise: {dict(traffic.memory.refused) or 'none'}",
        ],
    )


def _people(memory: Memory, deeds: int, *, seconds: float) -> int:
    """Waits until so many more deeds were answered, or so long; returns how many were."""
    before = memory.answered.total()
    _until(lambda: memory.answered.total() - before >= deeds, seconds=seconds, or_else=False)
    return memory.answered.total() - before


def _until(what: Callable[[], bool], *, seconds: float, or_else: bool = True) -> None:
    gives_up_at = time.monotonic() + seconds
    while not what():
        if time.monotonic() > gives_up_at:
            if or_else:
                raise Misleading(f"The demo was not ready after {seconds:g} s.")
            return
        time.sleep(0.1)


def _mib(place: Place) -> dict[str, float]:
    """Each process's share of memory (Pss), by what it is and its number."""
    found = {}
    for kind, processes in place.installation.by_kind(place.installation.processes()).items():
        for number, process in enumerate(sorted(processes, key=lambda one: one.pid), start=1):
            found[f"{kind} {number}"] = share_kib(process.pid) / MIB
    return found
