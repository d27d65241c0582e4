"""A whole installation run for real."""

import contextlib
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.channels.edges import eventually, free_port
from tests.postgres import postgres_server
from tests.services.running import ADD_SHARE, Installation, alive
from vteam.locks import held

Start = Callable[..., Installation]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts installations that end with the test, however it ends."""
    started: list[Installation] = []

    def begin(data: Path, *roles: str, **environment: str) -> Installation:
        started.append(Installation(data, *roles, **environment))
        return started[-1]

    yield begin
    for installation in started:
        installation.stop()


def test_an_installation_opens_and_stops_as_one(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    assert f"http://localhost:{one.site}/" in one.told
    assert "mails: /mailbox" in one.told
    assert one.healthy(one.site)
    assert one.healthy(one.edge)
    everybody = {*one.roles().values(), *one.workers()}
    assert set(one.roles()) == {"site", "edge", "jobs"}
    assert len(everybody) >= 5
    assert one.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in everybody)
    assert "Traceback" not in one.told


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    everybody = {*one.roles().values(), *one.workers()}
    one.process.kill()
    eventually(lambda: not any(alive(pid) for pid in everybody))
    start(tmp_path).opened()


def test_a_role_that_is_killed_comes_back(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    before, workers = one.roles(), one.workers()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: set(one.roles()) == set(before) and one.healthy(one.edge) and one.healthy(one.site), 40
    )
    eventually(lambda: not any(alive(pid) for pid in workers))
    assert not set(one.roles().values()) & set(before.values())
    assert one.told.count("ended unasked (by SIGKILL)") == 3


def test_a_worker_that_is_killed_comes_back(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    before = one.workers()
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: len(one.workers() - {killed}) == len(before))
    # What was on its way to the killed one is lost; whoever comes later is served.
    eventually(lambda: all(one.healthy(one.site) for _ in range(20)))


def test_a_second_run_on_the_same_data_refuses(tmp_path: Path, start: Start) -> None:
    start(tmp_path).opened()
    second = start(tmp_path)
    assert second.process.wait(timeout=60) == 1
    second.reader.join()
    assert second.told.startswith("refused: vTeam already runs on")


def test_roles_run_apart_on_the_same_data(tmp_path: Path, start: Start) -> None:
    doors, office = start(tmp_path, "site", "edge"), start(tmp_path, "jobs")
    assert set(doors.opened().roles()) == {"site", "edge"}
    assert set(office.opened().roles()) == {"jobs"}
    assert doors.healthy(doors.site)
    assert doors.healthy(doors.edge)
    assert "vTeam runs here: jobs" in office.told
    second = start(tmp_path, "edge", "jobs")
    assert second.process.wait(timeout=60) == 1
    second.reader.join()
    assert second.told.startswith(
        f"refused: vTeam already runs on {tmp_path} (run-edge.lock is held by process"
    )
    assert doors.stop() == 0
    assert office.healthy(doors.edge) is False
    assert office.process.poll() is None


def test_a_role_started_by_hand_is_not_run_twice(tmp_path: Path, start: Start) -> None:
    """Two `jobs` on one data folder: the second is refused, whoever started the first."""
    with held(tmp_path, "jobs"):
        second = start(tmp_path, "jobs")
        assert second.process.wait(timeout=60) == 1
    second.reader.join()
    assert second.told.startswith(f"refused: vTeam already runs on {tmp_path} (jobs.lock is held by process")


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path, start: Start) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        one = start(tmp_path, EDGE_PORT=str(door.getsockname()[1]))
        assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert "VTEAM_EDGE_PORT" in one.told
    assert not (tmp_path / "vteam.sqlite3").exists()


def test_wrong_settings_are_refused_with_what_to_write(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path, TRUSTED_PROXIES="caddy")
    assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert one.told.startswith("refused: VTEAM_TRUSTED_PROXIES")


def test_a_database_that_does_not_answer_is_refused(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path, DATABASE_URL=f"postgresql://ana:secret@127.0.0.1:{free_port()}/vteam")
    assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert "VTEAM_DATABASE_URL" in one.told
    assert "secret" not in one.told
    assert "Traceback" not in one.told


COUNTED = "SELECT coalesce(sum(visits), 0) FROM links_visitday WHERE share_id = 7"


def test_visits_to_a_running_installation_are_counted(tmp_path: Path, start: Start) -> None:
    """From the edge's own file through jobs into the main database."""
    one = start(tmp_path).opened()
    with contextlib.closing(sqlite3.connect(tmp_path / "vteam.sqlite3", timeout=20)) as file:
        with file:
            file.execute(ADD_SHARE)
        assert [one.visit() for _ in range(3)] == [f"http://localhost:{one.site}/l/abcdefghij"] * 3
        eventually(lambda: file.execute(COUNTED).fetchone() == (3,))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres_server(tmp_path_factory.mktemp("pg")) as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE vteam")
        yield server.get_uri(database="vteam")


def test_two_machines_start_at_once_on_one_postgresql(tmp_path: Path, start: Start, database: str) -> None:
    one = start(tmp_path / "one", DATABASE_URL=database)
    two = start(tmp_path / "two", DATABASE_URL=database)
    for machine in (one.opened(), two.opened()):
        assert machine.healthy(machine.site)
        assert machine.healthy(machine.edge)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the share's fan is not needed here
        connection.execute(ADD_SHARE.encode())
        assert one.visit().startswith(f"http://localhost:{one.site}/l/")
        assert two.visit().startswith(f"http://localhost:{two.site}/l/")
        eventually(lambda: connection.execute(COUNTED.encode()).fetchone() == (2,))
