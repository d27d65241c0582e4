"""Having an installation to oneself: no part of vTeam runs or starts on the data folder, nobody is in the database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.db import connection

from vteam.backup import postgresql
from vteam.locks import held

ROLES = ("site", "edge", "jobs")


@contextmanager
def nobody_else(data: Path) -> Iterator[None]:
    """So it is while the block runs; raises Busy, or BackupError where somebody is in the PostgreSQL database."""
    with ExitStack() as locks:
        for role in ("backup", *ROLES, *(f"run-{role}" for role in ROLES)):
            locks.enter_context(held(data, role))
        if connection.vendor == "postgresql":
            postgresql.refuse_others()
        yield
