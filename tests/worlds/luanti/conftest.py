"""What the tests of the Luanti kiosk share: a world where Ana's kiosk is set up, and a door it speaks to."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.worlds.luanti.door import WELCOME, Door, standing
from tests.worlds.luanti.player import Player
from tests.worlds.luanti.server import KIOSK, ROOM, Server, running


@dataclass(frozen=True, slots=True)
class World:
    """A world with a kiosk and its room, that Ana placed and set up."""

    server: Server
    door: Door
    ana: Player

    def join(self, name: str | None = None, *, language: str = "", formspec_version: int = 6) -> Player:
        """A player joins."""
        return self.server.join(name, language=language, formspec_version=formspec_version)


def set_up(server: Server, code: str, name: str = "ana", *, said: str = "This kiosk is now") -> Player:
    """Ana joins, places a kiosk and a room, and types the code; `said`: what the platform says then."""
    ana = server.join(name)
    ana.place(0, KIOSK)
    ana.place(1, ROOM)
    ana.wait(lambda: KIOSK in ana.nodes and ROOM in ana.nodes)
    ana.touch(KIOSK)
    ana.press(ana.form("Kiosks I host"), "Set up", code=code)
    ana.close(ana.form(said))
    return ana


@pytest.fixture(scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        standing() as door,
        running(tmp_path_factory.mktemp("luanti"), vteam_address=door.address, vteam_timeout="10") as server,
    ):
        yield World(server, door, set_up(server, door.code()))


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    """The module's world; its door answers as usual again, and whoever came for a test has left."""
    door = _world.door
    door.answer, door.instead = lambda path, told: WELCOME, None
    door.requests.clear()
    yield _world
    for player in _world.server.players[1:]:
        player.leave()
    del _world.server.players[1:]
    _world.ana.forget_forms()
    assert [each for each in door.requests if each.refusal] == []
