"""What every test may use."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from vteam import appendonly


@pytest.fixture(autouse=True)
def _tables_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions end by emptying the tables, which the append-only triggers rightly refuse."""
    marker = request.node.get_closest_marker("django_db")
    transactional = marker is not None and marker.kwargs.get("transaction", False)
    yield
    if transactional:
        appendonly.uninstall(connection)
