"""Django's PostgreSQL backend with connections that give up (`patience`). The name is the one Django looks for."""

from types import ModuleType

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql import base

from vteam.postgresql.patience import Connection


def _driver() -> ModuleType:
    """All that Django asks of psycopg, with connections of ours."""
    module = ModuleType(psycopg.__name__, psycopg.__doc__)
    module.__dict__.update(vars(psycopg) | {"connect": Connection.connect})
    return module


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper with our connections."""

    Database = _driver()


def take_your_time(connection: BaseDatabaseWrapper) -> None:
    """Let this open connection's statements last as long as they must: migrations, waiting for another's."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    connection.connection.answer_seconds_max = None
