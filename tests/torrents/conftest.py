"""What the tests with real clients share: an internet, an installation in it, and programs that end with their test."""

from collections.abc import Iterator

import pytest

from tests.torrents.installation import Installation, installed
from tests.torrents.networks import Internet, internet
from tests.torrents.programs import Program


@pytest.fixture(scope="module")
def net() -> Iterator[Internet]:
    """An internet for the tests of a module."""
    with internet() as found:
        yield found


@pytest.fixture(scope="module")
def vteam(net: Internet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation in it."""
    with installed(net, tmp_path_factory.mktemp("vteam")) as found:
        yield found


@pytest.fixture
def running() -> Iterator[list[Program]]:
    """Programs that end with the test."""
    found: list[Program] = []
    try:
        yield found
    finally:
        for program in found:
            program.stop()
