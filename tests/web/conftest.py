"""When tests of pages happen."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine

from tests.services.conftest import bo, demo  # noqa: F401, the fixtures of a campaign and a fan
from tests.services.winners import SETTLED


@pytest.fixture
def after_the_season() -> Iterator[None]:
    """An hour after the result of a season is final."""
    with time_machine.travel(SETTLED + dt.timedelta(hours=1), tick=True):
        yield
