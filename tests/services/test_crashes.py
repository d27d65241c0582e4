"""Whatever is killed, whenever: what people were answered is in the books once, and everything is back soon.

`vteam bench crash` does the same as often as asked; here fifty processes of a whole installation are killed on each
database. The smaller tests show that the ones who watch over this would see it fail.
"""

import mailbox
import os
import random
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from bench.crash import Outcome, Strike, comes_true, crash, prepared
from bench.folder import free_ports
from bench.installation import Installation, Watch
from bench.kernel import lock_holders
from bench.traffic import Deed
from vteam.channels.copies.ranges import Span
from vteam.channels.copies.services import Sendable, sending
from vteam.locks import FOLDER, held
from vteam.rules.rights import Way

KILLS, KILLS_OF_TWO_JOBS = 50, 6
FOR_EVER = float("inf")
VISIT: Deed = ("visit", "abcdefghij")


@pytest.fixture
def database_url() -> Iterator[str]:
    """The address of an empty PostgreSQL database where the tests run on one; "" where they run on SQLite."""
    server = os.environ.get("VTEAM_DATABASE_URL", "")
    if not server:
        yield ""
        return
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE crashes")
        yield urlsplit(server)._replace(path="/crashes").geturl()
        connection.execute("DROP DATABASE crashes WITH (FORCE)")


def test_fifty_killed_processes_lose_nothing_double_nothing_and_are_all_back_soon(
    tmp_path: Path, database_url: str
) -> None:
    seed = random.getrandbits(24)
    print(f"the same choices again: vteam bench crash --kills {KILLS} --seed {seed}")
    place = prepared(tmp_path, database_url=database_url)
    outcome = crash([place.installation], place.doors, place.books, kills=KILLS, seed=seed, seconds=FOR_EVER)
    assert outcome.problems() == []
    assert outcome.kills == KILLS
    assert {deed[0] for deed in outcome.memory.answered} == {"visit", "arrival", "join", "download"}


def test_two_jobs_on_one_postgresql_move_each_fact_once_whichever_is_killed(
    tmp_path: Path, database_url: str
) -> None:
    if not database_url:
        pytest.skip("on SQLite a data folder is an installation, and its lock lets one jobs in")
    keys = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "MASTER_KEY")}
    place = prepared(tmp_path, database_url=database_url, **keys)
    rival = tmp_path / "rival"
    rival.mkdir()
    mailbox.Maildir(place.doors.mailbox, create=True).close()  # whichever delivers first finds it
    (rival / "mailbox").symlink_to(place.doors.mailbox)
    second = Installation(
        {"DATA": str(rival), "DEMO": "true", "DATABASE_URL": database_url, **keys}, roles=["jobs"]
    )
    outcome = crash(
        [place.installation, second],
        place.doors,
        place.books,
        kills=KILLS_OF_TWO_JOBS,
        seed=random.getrandbits(24),
        seconds=FOR_EVER,
    )
    assert outcome.problems() == []


# Those who watch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_the_books", "lost", "doubled"), [(1, 1, 0), (2, 0, 0), (3, 0, 0), (4, 0, 1)])
def test_what_was_answered_is_in_the_books_once_and_what_was_not_at_most_once(
    in_the_books: int, lost: int, doubled: int
) -> None:
    outcome = Outcome(seed=1)
    for answered in (True, True, False):
        outcome.memory.asks(VISIT)
        outcome.memory.was_answered(VISIT if answered else None)
    outcome.compare(Counter({VISIT: in_the_books}))
    assert (outcome.lost[VISIT], outcome.doubled[VISIT]) == (lost, doubled)
    assert len(outcome.problems()) == lost + doubled


def test_a_deed_nobody_asked_for_and_a_late_return_are_problems() -> None:
    outcome = Outcome(seed=1, strikes=[Strike(kinds=("jobs",), back_seconds=5.1)])
    outcome.compare(Counter({("join", "nobody"): 1}))
    assert outcome.problems() == ["too often: join nobody (1)", "jobs back only after 5.1 s"]


def test_a_machine_that_was_slow_before_or_is_afterwards_is_given_time() -> None:
    outcome = Outcome(seed=1, strikes=[Strike(kinds=("jobs",), back_seconds=7.4)])
    for seconds in (1.2, 3.0, 1.2):
        outcome.started_within(seconds)
    assert outcome.problems() == []


LISTENER = (
    "import os, socket, sys\ndoor = socket.socket()\n"
    "door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
    "door.bind(('127.0.0.1', int(sys.argv[1])))\ndoor.listen()\nprint('listens', flush=True)\nsys.stdin.read()"
)


class Generations:
    """Processes of one installation, none of them a vTeam, that listen on its site's port."""

    def __init__(self, data: Path) -> None:
        site, edge = free_ports(2)
        ports = {"SITE_PORT": str(site), "EDGE_PORT": str(edge), "WITNESS_PORT": "0"}
        self.installation = Installation({"DATA": str(data), **ports})
        self.started: list[subprocess.Popen[str]] = []

    def one_more(self, *, group: int) -> int:
        """Another process that listens, in this process group (0: its own)."""
        process = subprocess.Popen(
            [sys.executable, "-c", LISTENER, str(self.installation.ports["site"])],
            env={**os.environ, "VTEAM_DATA": str(self.installation.data)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=group,
        )
        self.started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "listens\n"
        return process.pid


@pytest.fixture
def generations(tmp_path: Path) -> Iterator[Generations]:
    found = Generations(tmp_path / "data")
    yield found
    for process in found.started:
        process.communicate()


@pytest.mark.parametrize("apart", [False, True], ids=["one generation", "two generations"])
def test_two_generations_at_one_port_are_seen(generations: Generations, apart: bool) -> None:
    first = generations.one_more(group=0)
    generations.one_more(group=0 if apart else first)
    with Watch(generations.installation) as watch:
        assert comes_true(lambda: watch.looks > 2, seconds=20)
    assert bool(watch.troubles) is apart, watch.troubles
    assert all("two generations listen at the site's port" in trouble for trouble in watch.troubles)


def test_what_an_earlier_generation_left_behind_is_a_stray(generations: Generations) -> None:
    installation, left = generations.installation, generations.one_more(group=0)
    found = installation.by_kind(installation.processes())
    assert [process.pid for process in found["stray"]] == [left]
    assert not installation.is_back()


def test_who_holds_a_lock_is_told_by_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "edge.lock"
    with held(tmp_path, "edge"):
        assert lock_holders([path]) == {"edge": {os.getpid()}}
    assert lock_holders([path]) == {"edge": set()}


# Copies -------------------------------------------------------------------------------------------------------


def sent(parts: list[bytes], told: list[str]) -> Iterator[bytes]:
    """A copy of these chunks on its way; `told` is what its end was told, and when."""
    size = sum(map(len, parts))
    whole = Span(start=0, stop=size, size=size, partial=False)
    copy = Sendable(parts=parts, size=size, file_name="copy.mp3")
    return sending(
        copy, whole, title_id=1, way=Way.DOWNLOAD, at_end=lambda taken: told.append(f"counted {taken}")
    )


def test_a_copy_is_counted_before_its_last_chunk_leaves() -> None:
    """Whoever has all of it can rely on it: the process may be killed at once."""
    told: list[str] = []
    for chunk in sent([b"one", b"two", b"three"], told):
        told.append(chunk.decode())
    assert told == ["one", "two", "counted 11", "three"]


def test_a_copy_broken_off_is_counted_as_far_as_it_was_taken() -> None:
    told: list[str] = []
    under_way = sent([b"one", b"two", b"three"], told)
    assert [next(under_way), next(under_way)] == [b"one", b"two"]
    under_way.close()  # type: ignore[attr-defined]
    assert told == ["counted 3"]
