"""The room the loop takes for its batches and no other process needs: more of SQLite's pages, rarer looks for garbage.

A batch makes tens of thousands of values, none of them in a circle, and Python's collector would walk over all of
them and over everything imported again and again: an eighth of the time posting takes. What has no references is
freed at once all the same.
"""

import gc
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

NEW_OBJECTS = 10_000  # between two looks at the youngest; 700 by default
CACHE_KIB = 8_000  # a connection; `SQLITE_PRAGMAS` in settings gives the site's many threads less


def take_room() -> None:
    """For the rest of this process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    connection_created.connect(_keep_more_pages)
    if connection.connection is not None:
        _keep_more_pages(connection)


def _keep_more_pages(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
