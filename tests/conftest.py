"""What every test may use."""

import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, settings

from vteam import appendonly
from vteam.jobs import counted

# Two cores are shared by many: how long one example takes says nothing. The tables of a test are its own, and
# hypothesis' examples in them tell each other apart by campaign.
settings.register_profile(
    "vteam",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("vteam")


def pytest_configure() -> None:
    """Told to end (SIGTERM), a run ends as with Ctrl-C: what it started ends with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _tables_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions end by emptying the tables, which the append-only triggers rightly refuse."""
    marker = request.node.get_closest_marker("django_db")
    transactional = marker is not None and marker.kwargs.get("transaction", False)
    yield
    if transactional:
        appendonly.uninstall(connection)


@pytest.fixture(autouse=True)
def _no_job_fails_yet() -> None:
    """What the loop counts belongs to its process; here many loops share one, and one's failures are not another's."""
    counted.failing_since.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """A real PostgreSQL, except that its tables need not survive a power cut: they go with the tests."""
    url = os.environ.get("VTEAM_DATABASE_URL")
    if url:
        with psycopg.connect(url, autocommit=True) as server:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                server.execute(f"ALTER SYSTEM SET {setting} TO off")
            server.execute("SELECT pg_reload_conf()")
