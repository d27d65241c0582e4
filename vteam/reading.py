"""Asking the database with statements written out in full.

For what every page asks: putting such a statement together takes the ORM several times as long as running it.
Placeholders are `%s` (or `%(name)s` with a mapping) on either database. Refuses nothing; values are always bound.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection


def rows(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Everything a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def rows_in(statement: str, keys: Iterable[Any], *, first: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Everything a statement with `IN ({})` in it gives for these keys. Nothing is asked where there are none.

    `first`: what is bound before the keys.
    """
    wanted = list(keys)
    if not wanted:
        return []
    return rows(statement.format(", ".join(["%s"] * len(wanted))), [*first, *wanted])


def pairs(statement: str, keys: Iterable[Any], *, first: Sequence[Any] = ()) -> dict[Any, Any]:
    """What a statement of two columns, the key and something of its own, gives for these keys, as `rows_in`."""
    return dict(rows_in(statement, keys, first=first))
