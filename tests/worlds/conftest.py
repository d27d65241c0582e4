"""Kiosks in each world, and the far ends of their wires."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.lsldoor import Door, a_door
from tests.worlds.lsllimits import OPENSIMULATOR, SECOND_LIFE, Limits
from tests.worlds.lslworld import Resident, World
from tests.worlds.platform import Platform, standing
from vteam.channels.worlds.lsl import kiosk_script


@pytest.fixture(params=[SECOND_LIFE, OPENSIMULATOR], ids=lambda limits: limits.world)
def limits(request: pytest.FixtureRequest) -> Limits:
    return request.param


@dataclass(slots=True)
class Clock:
    """The world's, once there is one."""

    world: World | None = None

    def __call__(self) -> float:
        return self.world.now if self.world else time.time()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> Iterator[Door]:
    with a_door(clock) as running:
        yield running


@pytest.fixture
def platform(db: None, settings: Any, tmp_path: Path) -> Iterator[Platform]:
    """The real one; tests that ask for it are transactional: it answers in threads of its own."""
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    with standing() as found:
        yield found


@pytest.fixture
def ana() -> Resident:
    """Owns the kiosk."""
    return Resident("Ana Resident")


Place = Callable[[str], World]


@pytest.fixture
def place(limits: Limits, clock: Clock, ana: Resident) -> Place:
    """A kiosk that has just been taken out, talking to the address given."""

    def placed(address: str) -> World:
        source = kiosk_script(world=limits.world, address=address, band="Lune Noire")
        clock.world = World(source, limits, ana, starts_at=time.time())
        return clock.world

    return placed


@pytest.fixture
def bare(place: Place, door: Door) -> World:
    """Not set up."""
    return place(door.address)


@pytest.fixture
def kiosk(bare: World, door: Door, ana: Resident) -> World:
    """Set up by its owner, its first heartbeat behind it."""
    bare.touch(ana)
    bare.run(2)
    bare.type(ana, door.code(world=bare.limits.world))
    bare.run(5)
    ana.shown.clear()
    return bare
