"""What every test may use."""

from collections.abc import Iterator

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings

from vteam import appendonly

# Two cores are shared by many: how long one example takes says nothing. The tables of a test are its own, and
# hypothesis' examples in them tell each other apart by campaign.
settings.register_profile(
    "vteam",
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("vteam")


@pytest.fixture(autouse=True)
def _tables_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions end by emptying the tables, which the append-only triggers rightly refuse."""
    marker = request.node.get_closest_marker("django_db")
    transactional = marker is not None and marker.kwargs.get("transaction", False)
    yield
    if transactional:
        appendonly.uninstall(connection)
