"""What the tests of the Luanti kiosk share: a world where Ana's kiosk is set up, and a door it speaks to."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections

from tests.worlds.luanti.door import WELCOME, Door, standing
from tests.worlds.luanti.player import Player
from tests.worlds.luanti.server import KIOSK, ROOM, Server, running
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds import models
from vteam.channels.worlds.enrolling import Spot, put_up
from vteam.demo.opening import open_demo


@dataclass(frozen=True, slots=True)
class World:
    """A world with a kiosk and its room, that Ana placed and set up."""

    server: Server
    door: Door
    ana: Player

    def join(self, name: str | None = None, *, language: str = "", formspec_version: int = 6) -> Player:
        """A player joins."""
        return self.server.join(name, language=language, formspec_version=formspec_version)


def set_up(server: Server, code: str, name: str = "ana") -> Player:
    """Ana joins, places a kiosk and a room, and types the code."""
    ana = server.join(name)
    ana.place(0, KIOSK)
    ana.place(1, ROOM)
    ana.wait(lambda: KIOSK in ana.nodes and ROOM in ana.nodes)
    ana.touch(KIOSK)
    ana.press(ana.form("My kiosks"), "Set up", code=code)
    ana.close(ana.form("This kiosk is now"))
    return ana


@pytest.fixture(scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        standing() as door,
        running(tmp_path_factory.mktemp("luanti"), vteam_address=door.address, vteam_timeout="2") as server,
    ):
        yield World(server, door, set_up(server, door.code()))


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    """The module's world; its door answers as usual again, and whoever came for a test has left."""
    door = _world.door
    door.answer, door.instead, door.slowness_s = lambda path, told: WELCOME, None, 0
    door.requests.clear()
    yield _world
    for player in _world.server.players[1:]:
        player.leave()
    del _world.server.players[1:]
    _world.ana.forget_forms()
    assert [each for each in door.requests if each.refusal] == []


class Platform(Protocol):
    """A vTeam that can be asked: where it is, and a fresh code for a kiosk of a campaign."""

    address: str

    def code(self, *, world: str = "luanti") -> str:
        """Good once, within 24 hours."""


class _Site(ThreadingMixIn, WSGIServer):
    """Answers several at once; each answers with database connections of its own, that end with it."""

    block_on_close = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class DemoPlatform:
    """The demo's campaign behind the real door."""

    address: str
    campaign: Campaign

    def code(self, *, world: str = "luanti") -> str:
        """Good once."""
        spot = Spot(world=models.World(world), grid="a world of the tests", place="The Ska Club")
        made = put_up(campaign=self.campaign, spot=spot, fan=None, acts_per_day=1_000, at=clock.now())
        assert made is not None
        return made[1]


@pytest.fixture
def platform(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Platform]:
    """The real one, on the loopback."""
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    campaign = open_demo()
    with make_server("127.0.0.1", 0, get_wsgi_application(), _Site, _Quiet) as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield DemoPlatform(f"http://127.0.0.1:{site.server_port}", campaign)
        finally:
            site.shutdown()
            thread.join()
