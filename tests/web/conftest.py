"""When tests of pages happen."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine

from tests.services.conftest import bo, demo, own_folder  # noqa: F401, a campaign, a fan, and a folder of a test's own
from tests.services.winners import SETTLED


@pytest.fixture
def after_the_season() -> Iterator[None]:
    """An hour after the result of a season is final."""
    with time_machine.travel(SETTLED + dt.timedelta(hours=1), tick=True):
        yield
