"""Who is at the pages, and when."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from tests.services.conftest import bo, demo, own_folder  # noqa: F401, a campaign, a fan, and a folder of a test's own
from tests.services.winners import SETTLED
from tests.web.worldstage import signed_in
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.people.models import Fan


@pytest.fixture
def after_the_season() -> Iterator[None]:
    """An hour after the result of a season is final."""
    with time_machine.travel(SETTLED + dt.timedelta(hours=1), tick=True):
        yield


@pytest.fixture
def ana(demo: Campaign) -> Client:  # noqa: F811
    """The browser of an organiser."""
    return signed_in("ana@example.org", organises=demo)


@pytest.fixture
def bos(bo: Fan) -> Client:  # noqa: F811
    """The browser of a fan."""
    client = Client()
    client.force_login(bo.person)
    return client


@pytest.fixture
def at_noon() -> Iterator[None]:
    """Noon in Greenwich: no day ends meanwhile."""
    with time_machine.travel(clock.now().replace(hour=12, minute=0), tick=True):
        yield
