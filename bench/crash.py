"""Honest traffic while random processes of an installation are killed; then the books are checked.

`kill -9` at random moments, of any process there is: supervisor, the site's server and its workers, edge, jobs;
sometimes two at once. After each strike everything must be back, and at the end the books must tell every deed that
was answered, once. The same works over several installations behind one door.
"""

import contextlib
import os
import secrets
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.books import Books
from bench.folder import free_ports, postgresql_server
from bench.installation import Installation, Watch
from bench.report import Report
from bench.tools import Misleading
from bench.traffic import Deed, Doors, Memory, Traffic
from vteam.processes.doors import answers

SLUG = "maree-haute"
LANES = 12
BACK_SECONDS_MAX = 5.0
# A machine that needs longer than two seconds for a start nobody disturbs is slow or busy, and is given time.
BACK_STARTS_MAX = 2.5
# One strike in so many may meet a machine that is busy with something else at that very moment.
SLOW_ONE_IN = 20
GIVE_UP_SECONDS = 120.0
DRAINED_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02
# So long people are let be between two strikes, at most.
PEACE_SECONDS_MAX = 0.6
TWO_AT_ONCE_SHARE = 0.2
# So long a crowd opens links before a strike.
CROWD_SECONDS = (0.02, 0.15)
QUICK_SECONDS = 25.0
# The demo, where each host name is a network of its own, with limits that so many people at once do not reach.
CAREFREE = {
    "DEMO": "true",
    "ARRIVAL_DWELL_SECONDS": "1",
    "ARRIVALS_PER_SHARE_DAY": "1000000",
    "CODES_PER_HOUR": "1000000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What was killed at once, and how long it took until everything was back."""

    kinds: tuple[str, ...]
    back_seconds: float


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it. `start_seconds`: how long everything took to start while nobody came, before or afterwards.

    `lost` and `doubled`: deeds the books tell too seldom or too often, and by how much.
    """

    seed: int
    start_seconds: float = 0.0
    strikes: list[Strike] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    lost: Counter[Deed] = field(default_factory=Counter)
    doubled: Counter[Deed] = field(default_factory=Counter)
    looks: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(len(strike.kinds) for strike in self.strikes)

    def started_within(self, seconds: float) -> None:
        """An installation started that nobody disturbed; the slowest tells how busy the machine is."""
        self.start_seconds = max(self.start_seconds, seconds)

    def compare(self, found: Counter[Deed]) -> None:
        """Whether the books tell what people were answered, and nothing nobody asked for."""
        self.lost = self.memory.answered - found
        self.doubled = found - self.memory.asked

    def problems(self) -> list[str]:
        """Everything that must not be; empty when the house held."""
        limit = max(BACK_SECONDS_MAX, BACK_STARTS_MAX * self.start_seconds)
        slow = [strike for strike in self.strikes if strike.back_seconds > limit]
        if len(slow) * SLOW_ONE_IN <= len(self.strikes):
            slow = []
        return [
            *(f"lost: {' '.join(deed)} ({count})" for deed, count in self.lost.items()),
            *(f"too often: {' '.join(deed)} ({count})" for deed, count in self.doubled.items()),
            *(f"{' and '.join(one.kinds)} back only after {one.back_seconds:.1f} s" for one in slow),
            *self.troubles,
        ]


def crash(
    installations: Sequence[Installation],
    doors: Doors,
    books: Books,
    *,
    kills: int,
    seed: int,
    seconds: float,
) -> Outcome:
    """Starts everything, lets people come, kills, and checks; at most about so many `seconds` of killing.

    Raises Misleading when something never starts or never comes back.
    """
    outcome = Outcome(seed=seed)
    chance = Random(seed)  # noqa: S311  # to be repeated, not to be secret
    with ExitStack() as running:
        for installation in installations:
            running.callback(installation.stop)
            outcome.started_within(_until_back(installation))
        watches = [running.enter_context(Watch(installation)) for installation in installations]
        if not comes_true(lambda: answers(*doors.site), seconds=GIVE_UP_SECONDS):
            raise Misleading("Nobody answers at the door people come in by.")
        traffic = Traffic(doors, seed=seed, lanes=LANES, memory=outcome.memory)
        with traffic.coming():
            ends_at = time.monotonic() + seconds
            while outcome.kills < kills and time.monotonic() < ends_at:
                time.sleep(chance.uniform(0, PEACE_SECONDS_MAX))
                most = kills - outcome.kills
                outcome.strikes.append(_strike(chance.choice(installations), traffic, chance, most))
        outcome.troubles += _read_the_books(outcome, books)
    for watch in watches:
        outcome.looks += watch.looks
        outcome.troubles += watch.troubles
    outcome.troubles += _after_the_end(outcome, installations)
    return outcome


def _strike(installation: Installation, traffic: Traffic, chance: Random, most: int) -> Strike:
    """Kills one or two, in the middle of a crowd: what is cut off must be many things, not none."""
    traffic.crowded.set()
    time.sleep(chance.uniform(*CROWD_SECONDS))
    found = installation.by_kind(installation.processes())
    alive = [(kind, process.pid) for kind, those in found.items() for process in those]
    count = min(most, 2 if chance.random() < TWO_AT_ONCE_SHARE else 1)
    victims = chance.sample(alive, count)
    for _, pid in victims:
        with contextlib.suppress(ProcessLookupError):  # it went with the first
            os.kill(pid, signal.SIGKILL)
    traffic.crowded.clear()
    seconds = _until_back(installation, without=[pid for _, pid in victims])
    return Strike(kinds=tuple(kind for kind, _ in victims), back_seconds=seconds)


def _until_back(installation: Installation, *, without: Sequence[int] = ()) -> float:
    """Seconds until everything runs, the supervisor started again where it ended; Misleading when it never does."""

    def is_back() -> bool:
        installation.keep_running()
        return installation.is_back(without=without)

    begun = time.monotonic()
    if not comes_true(is_back, seconds=GIVE_UP_SECONDS):
        raise Misleading(f"The installation never came back. It said:\n{installation.log()[-4000:]}")
    return time.monotonic() - begun


def comes_true(what: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it was so within so many seconds; asked again and again."""
    gives_up_at = time.monotonic() + seconds
    while not what():
        if time.monotonic() > gives_up_at:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _read_the_books(outcome: Outcome, books: Books) -> list[str]:
    if not comes_true(lambda: not books.waiting(), seconds=DRAINED_SECONDS_MAX):
        return [f"{books.waiting()} rows never came out of the inbox"]
    outcome.compare(books.deeds())
    return [f"rejected: {row}" for row in books.rejected()]


def _after_the_end(outcome: Outcome, installations: Sequence[Installation]) -> list[str]:
    """What is wrong with the books by our own commands, and with what was said meanwhile.

    All start once more, so that a machine which became busy is known to be.
    """
    statuses = [installation.stop() for installation in installations]
    for installation in installations:
        outcome.started_within(_until_back(installation))
        statuses.append(installation.stop())
    told = [installations[0].command(name) for name in ("verify", "replay")]
    troubles = [f"{one.args[-1]}: {one.stdout}{one.stderr}" for one in told if one.returncode]
    logs = [installation.log() for installation in installations]
    troubles += [f"the end of `vteam run` had status {status}" for status in statuses if status]
    return troubles + [f"a traceback was logged:\n{_around(log)}" for log in logs if "Traceback" in log]


def _around(log: str) -> str:
    begin = log.index("Traceback")
    return log[max(0, begin - 300) : begin + 3000]


# One installation of the demo's campaign ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An installation with its doors and books."""

    installation: Installation
    doors: Doors
    books: Books


def prepared(folder: Path, *, database_url: str = "", **settings: str) -> Place:
    """The demo's campaign in a folder, not yet running; Misleading when it cannot be opened.

    `settings`: more of its VTEAM_ variables, without the prefix.
    """
    site, edge = free_ports(2)
    environment = {
        **CAREFREE,
        "DATA": str(folder / "data"),
        "SITE_PORT": str(site),
        "EDGE_PORT": str(edge),
        "WITNESS_PORT": "0",
        **settings,
    }
    if database_url:
        environment["DATABASE_URL"] = database_url
    installation = Installation(environment)
    opened = installation.command("demo", "--no-run")
    if opened.returncode:
        raise Misleading(f"The demo cannot be opened: {opened.stdout}{opened.stderr}")
    data = installation.data
    doors = Doors(site=("127.0.0.1", site), edge=("127.0.0.1", edge), slug=SLUG, mailbox=data / "mailbox")
    return Place(installation=installation, doors=doors, books=Books(data, database_url))


@contextmanager
def _places(folder: Path, database_url: str, *, cluster: bool) -> Iterator[list[Place]]:
    if cluster:
        from bench.cluster import cluster as several

        with several(folder, database_url=database_url) as places:
            yield places
    else:
        yield [prepared(folder, database_url=database_url)]


# The bench ----------------------------------------------------------------------------------------------------
def _database(postgresql: bool) -> AbstractContextManager[str]:
    return postgresql_server() if postgresql else nullcontext("")


def run(
    *, quick: bool, kills: int, postgresql: bool, cluster: bool = False, seed: int | None = None
) -> Report:
    """The bench's report; Misleading, with everything that went wrong, when the house did not hold."""
    seed = secrets.randbits(24) if seed is None else seed
    with (
        TemporaryDirectory(prefix="vteam-crash-") as folder,
        _database(postgresql or cluster) as url,
        _places(Path(folder), url, cluster=cluster) as places,
    ):
        outcome = crash(
            [place.installation for place in places],
            places[0].doors,
            places[0].books,
            kills=kills,
            seed=seed,
            seconds=QUICK_SECONDS if quick else float("inf"),
        )
    report = Report(bench="crash", figures=_figures(outcome), notes=_notes(outcome))
    problems = outcome.problems()
    if problems:
        raise Misleading("\n".join([report.as_text(), "The house did not hold:", *problems]))
    return report


def _figures(outcome: Outcome) -> dict[str, float]:
    backs_ms = [strike.back_seconds * 1000 for strike in outcome.strikes]
    answered, asked = outcome.memory.answered, outcome.memory.asked
    figures: dict[str, float] = {
        "kills": outcome.kills,
        "answered": answered.total(),
        "without_answer": (asked - answered).total(),
        "lost": outcome.lost.total(),
        "doubled": outcome.doubled.total(),
        "undisturbed_start_ms": outcome.start_seconds * 1000,
        "back_p50_ms": statistics.median(backs_ms),
        "back_max_ms": max(backs_ms),
        "looks_at_doors_and_locks": outcome.looks,
    }
    return figures | {f"answered_{kind}s": count for kind, count in _by_kind(answered).items()}


def _by_kind(deeds: Counter[Deed]) -> dict[str, int]:
    kinds: Counter[str] = Counter()
    for deed, count in deeds.items():
        kinds[deed[0]] += count
    return dict(sorted(kinds.items()))


def _notes(outcome: Outcome) -> list[str]:
    """How long each kind was away, what was refused, and the seed that repeats the choices."""
    backs: dict[str, list[float]] = {}
    for strike in outcome.strikes:
        backs.setdefault(" and ".join(sorted(strike.kinds)), []).append(strike.back_seconds)
    away = [
        f"{kinds}: {len(seconds)} times, back after {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s"
        for kinds, seconds in sorted(backs.items())
    ]
    refused = [f"answered otherwise: {words} ({count})" for words, count in outcome.memory.refused.items()]
    return [*away, *refused, f"--seed {outcome.seed}"]
