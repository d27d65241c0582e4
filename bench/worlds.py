"""The door of virtual worlds: how often residents can touch kiosks, and how long heartbeats take while many beat.

The site is the real one with one worker, and `jobs` runs beside it, both on one core; the objects are on the other.
Every request is signed anew over HTTP, and one in two touches is by an avatar linked to a fan, who is shown their rank.
At the end as many numbers used once must be on disk as requests were answered, or nothing is reported. Beside the
heartbeats a bare file is synced again and again, since each of them waits for that disk too.
"""

import contextlib
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path

from bench.folder import free_ports, prepared_folder
from bench.kiosks import Object, door_at, enrolled
from bench.report import Report
from bench.rounds import on_core, percentile
from bench.started import role, started
from bench.tools import Misleading, disk_under

SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = 8
BEATING_CONNECTIONS = 16
SYNC_EVERY_SECONDS = 0.05
BEAT_EVERY_SECONDS = 5
"""A real kiosk's is five minutes: as many beats as these come from sixty times as many kiosks."""
FANS = 20
GRID = "OSgrid"
# Limits so many requests from one machine in a minute do not reach.
CAREFREE = {
    "SITE_WORKERS": "1",
    "LOG_LEVEL": "error",
    "KIOSKS_PER_CAMPAIGN": "1000",
    "KIOSK_ASKS_PER_MINUTE": "1000000",
    "AVATAR_ASKS_PER_MINUTE": "1000000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many kiosks, and how long: rounds of touches, then heartbeats."""

    kiosks: int
    rounds: int
    seconds: float
    beating_seconds: float


QUICK = Sizes(kiosks=200, rounds=3, seconds=0.7, beating_seconds=3)
FULL = Sizes(kiosks=200, rounds=7, seconds=4, beating_seconds=60)


@dataclass(slots=True, kw_only=True)
class Crowd:
    """All objects and who stands around them; counts what was answered and what went wrong, for many threads."""

    port: int
    objects: Sequence[Object]
    avatars: Sequence[str]
    answered: int = 0
    errors: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: Iterator[int] = field(default_factory=count)

    def touches(self, *, seconds: float, connections: int) -> tuple[float, list[float]]:
        """So many connections, each touching again as soon as it is answered: how many a second, ms each took."""
        began = time.monotonic()
        end = began + seconds

        def touch(door: HTTPConnection, _: int) -> Iterator[float]:
            while (asked := time.monotonic()) < end:
                turn = next(self._turns)
                kiosk = self.objects[turn % len(self.objects)]
                self._tried(partial(kiosk.is_touched, door, self.avatars[turn % len(self.avatars)]))
                yield asked

        took_ms = self._on_connections(connections, touch)
        return len(took_ms) / (time.monotonic() - began), took_ms

    def beats(self, *, per_s: float, seconds: float, connections: int) -> list[float]:
        """Milliseconds each heartbeat took from when it was due: at a fixed rate, the objects in turn."""
        turns = max(1, round(per_s * seconds))
        begin = time.monotonic() + 0.05

        def beat(door: HTTPConnection, number: int) -> Iterator[float]:
            for turn in range(number, turns, connections):
                due = begin + turn / per_s
                time.sleep(max(0.0, due - time.monotonic()))
                kiosk, place = self.objects[turn % len(self.objects)], turn // len(self.objects)
                self._tried(partial(kiosk.beats, door, place))
                yield due

        return self._on_connections(connections, beat)

    def check(self) -> None:
        """Misleading when an answer was wrong, or other requests are on disk than were answered."""
        from vteam.channels.worlds.models import Nonce

        if self.errors:
            raise Misleading(f"{len(self.errors):,} answers were wrong; the first: {self.errors[0]}")
        if (used := Nonce.objects.count()) != self.answered:
            raise Misleading(f"{self.answered:,} requests were answered and {used:,} believed.")

    def _on_connections(
        self, connections: int, ask: Callable[[HTTPConnection, int], Iterator[float]]
    ) -> list[float]:
        """Milliseconds from each moment `ask` yields until it is answered; each connection has a thread."""

        def alone(number: int) -> list[float]:
            with contextlib.closing(door_at(self.port)) as door:
                return [(time.monotonic() - since) * 1000 for since in ask(door, number)]

        with on_core(CLIENT_CORE), ThreadPoolExecutor(connections) as threads:
            return [one for took_ms in threads.map(alone, range(connections)) for one in took_ms]

    def _tried(self, ask: Callable[[], None]) -> None:
        try:
            ask()
        except (Misleading, HTTPException, OSError) as error:
            with self._lock:
                self.errors.append(str(error))
        else:
            with self._lock:
                self.answered += 1


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """`touches_per_s`; `p50_ms`, `p99_ms` of heartbeats; Misleading when an answer was wrong."""
    (port,) = free_ports(1)
    with prepared_folder(postgresql=False, SITE_PORT=str(port), **CAREFREE) as folder:
        disk = disk_under(folder)
        codes, avatars = _put_up(sizes.kiosks)
        with on_core(SERVER_CORE):
            site, jobs = started(role("site"), port=port), started(role("jobs"))
            with site, jobs:
                crowd = Crowd(port=port, objects=_enrolled(port, codes), avatars=avatars)
                figures = _figures(crowd, sizes, folder)
        crowd.check()
    return Report(
        bench="worlds",
        figures={**figures, "kiosks": sizes.kiosks, "errors": len(crowd.errors)},
        notes=[
            f"touches: {CONNECTIONS} connections, {sizes.rounds} rounds of {sizes.seconds:g} s; half by linked fans",
            f"heartbeats: each kiosk every {BEAT_EVERY_SECONDS} s for {sizes.beating_seconds:g} s, from when due; "
            "beside them a bare file is synced on the same disk",
            f"one worker and jobs on one core, the objects on another, {disk}; "
            f"{crowd.answered:,} requests, each believed once",
        ],
    )


def _figures(crowd: Crowd, sizes: Sizes, folder: Path) -> dict[str, float]:
    crowd.touches(seconds=sizes.seconds, connections=CONNECTIONS)  # every thread has its database now
    rounds = [crowd.touches(seconds=sizes.seconds, connections=CONNECTIONS)[0] for _ in range(sizes.rounds)]
    _, alone_ms = crowd.touches(seconds=sizes.seconds, connections=1)
    per_s = sizes.kiosks / BEAT_EVERY_SECONDS
    with _synced(folder / "synced") as syncs_ms:
        beats_ms = crowd.beats(per_s=per_s, seconds=sizes.beating_seconds, connections=BEATING_CONNECTIONS)
    return {
        "touches_per_s": statistics.median(rounds),
        "touch_p50_ms_1conn": statistics.median(alone_ms),
        "p50_ms": statistics.median(beats_ms),
        "p99_ms": percentile(beats_ms, 0.99),
        "max_ms": max(beats_ms),
        "sync_p50_ms": statistics.median(syncs_ms),
        "sync_p99_ms": percentile(syncs_ms, 0.99),
        "heartbeats_per_s": per_s,
        "heartbeats": len(beats_ms),
    }


@contextlib.contextmanager
def _synced(path: Path) -> Iterator[list[float]]:
    """A page written to a bare file and synced, again and again while the block runs: ms each took."""
    took_ms: list[float] = []
    over = threading.Event()

    def sync() -> None:
        with path.open("wb", buffering=0) as file:
            while not took_ms or not over.wait(SYNC_EVERY_SECONDS):
                began = time.monotonic()
                file.write(bytes(4096))
                os.fdatasync(file.fileno())
                took_ms.append((time.monotonic() - began) * 1000)

    thread = threading.Thread(target=sync, name="sync")
    thread.start()
    try:
        yield took_ms
    finally:
        over.set()
        thread.join()


def _put_up(kiosks: int) -> tuple[list[str], list[str]]:
    """The demo's campaign with kiosks that wait: their codes; and avatars, one in two linked to a fan."""
    from vteam import clock
    from vteam.campaigns.joining import account
    from vteam.channels.worlds.avatars import Resident
    from vteam.channels.worlds.enrolling import NotOpened, Spot, put_up
    from vteam.channels.worlds.linking import LinkRefused, link_avatar, make_link
    from vteam.channels.worlds.models import World
    from vteam.demo.opening import open_demo
    from vteam.people.services import become_fan

    campaign, at = open_demo(), clock.now()
    spot = Spot(world=World.OPENSIMULATOR, grid=GRID, place="A bench")
    made = [put_up(campaign=campaign, spot=spot, fan=None, acts_per_day=1_000, at=at) for _ in range(kiosks)]
    waiting = [one for one in made if not isinstance(one, NotOpened)]
    avatars = []
    for number in range(FANS):
        resident = Resident(id=f"fan {number}", name=f"Fan {number}")
        person = account(address=f"fan{number}@example.org", language="en", at=at)
        fan, _ = become_fan(person=person, campaign_id=campaign.pk, name=resident.name, share_id=None, at=at)
        secret = make_link(campaign=campaign, kiosk=waiting[0][0], resident=resident, at=at)
        if isinstance(secret, LinkRefused) or not link_avatar(secret=secret, fan=fan, at=at):
            raise Misleading(f"{resident.name} cannot be linked.")
        avatars += [resident.id, f"visitor {number}"]
    return [code for _, code in waiting], avatars


def _enrolled(port: int, codes: Sequence[str]) -> list[Object]:
    with contextlib.closing(door_at(port)) as door:
        return [enrolled(door, number, code) for number, code in enumerate(codes)]
