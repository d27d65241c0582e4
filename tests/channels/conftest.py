"""Edges and databases of a test's own."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.channels.edges import Edge, Start, postgres_url, with_shares
from tests.channels.scenes import Scene
from tests.postgres import postgres_server
from vteam.channels.swarm.torrents.announce import Event


@pytest.fixture
def scene() -> Scene:
    """A fan whose client seeds."""
    found = Scene()
    found.seeds(event=Event.STARTED)
    return found


@contextmanager
def a_server() -> Iterator[Any]:
    """Not in a folder of pytest's: another run of it beside this one would take the server's user out of it."""
    with (
        tempfile.TemporaryDirectory(prefix="vteam-pg-") as folder,
        postgres_server(Path(folder) / "pg") as server,
    ):
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    with a_server() as server:
        yield server


@pytest.fixture
def postgres_to_stop() -> Iterator[Any]:
    with a_server() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    data = with_shares(tmp_path_factory.mktemp("edge"))
    environment = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = postgres_url(server, "edge")
    running = Edge(data, **environment).opened()
    yield running
    running.stop()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts edges that end with the test, however it ends."""
    started: list[Edge] = []

    def begin(data: Path, **others: str) -> Edge:
        started.append(Edge(data, **others))
        return started[-1]

    yield begin
    for edge in started:
        if edge.process.poll() is None:
            edge.stop(signal.SIGKILL)
        if edge.process.stdout:
            edge.process.stdout.close()
