"""Bringing what is sealed to the newest master key: each row's own key is wrapped anew, its lookup hashed anew.

Works through a table in pages and writes only what is not of the newest key yet, so doing it twice changes nothing.
What none of the keys opens is left as it is, and counted. Refusals ("never again") keep no address and are never
edited: they stay under the key of their time, and are looked for under every key.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, models

from vteam import settings as read_settings
from vteam.errors import SealError
from vteam.people import vault
from vteam.people.models import Pending, Person
from vteam.people.services import address_of, address_of_person

logger = logging.getLogger(__name__)
PAGE = 500

Tell = Callable[[str, int, int], None]
"""Told how far it is: what, how many are done, how many there are."""
Anew = Callable[[Any], tuple[bytes, ...]]
"""From a row what its columns hold under the newest master key; SealError where none opens it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """How many rows were brought to the newest key, were there already, and can be opened with no key at hand."""

    moved: int = 0
    there: int = 0
    unopened: int = 0

    def __add__(self, other: "Rekeyed") -> "Rekeyed":
        return Rekeyed(
            moved=self.moved + other.moved,
            there=self.there + other.there,
            unopened=self.unopened + other.unopened,
        )


def take_up(keys: tuple[str, ...]) -> None:
    """From now on this process seals under the last of these master keys, and its log hides all of them."""
    settings.MASTER_KEYS, settings.MASTER_KEY = keys, keys[-1]
    read_settings.MASTER_KEYS = keys  # which vteam.logs reads


def rekey_people(*, tell: Tell) -> Rekeyed:
    """Accounts, and codes waiting to be typed. Call in the transaction of all that shall change together."""
    accounts = rekey(Person.objects.all(), address_of_person, what="accounts", tell=tell)
    return accounts + rekey(Pending.objects.all(), address_of, what="codes", tell=tell)


def rekey(
    rows: "models.QuerySet[Any]", address_in: Callable[[Any], str | None], *, what: str, tell: Tell
) -> Rekeyed:
    """Bring `lookup` and `sealed_key` of these rows to the newest master key.

    `address_in`: a row's address, unsealed; None where it has none, and its lookup stays.
    """

    def anew(row: Any) -> tuple[bytes, bytes]:
        address = address_in(row)
        lookup = bytes(row.lookup) if address is None else vault.lookup_of(address)
        return vault.rewrapped(bytes(row.sealed_key)), lookup

    return _rekey(rows, ("sealed_key", "lookup"), anew, what=what, tell=tell)


def rekey_wrapped(rows: "models.QuerySet[Any]", *, what: str, tell: Tell) -> Rekeyed:
    """Bring `sealed_key` of rows that no address finds to the newest master key."""

    def anew(row: Any) -> tuple[bytes]:
        return (vault.rewrapped(bytes(row.sealed_key)),)

    return _rekey(rows, ("sealed_key",), anew, what=what, tell=tell)


def _rekey(
    rows: "models.QuerySet[Any]", columns: Sequence[str], anew: Anew, *, what: str, tell: Tell
) -> Rekeyed:
    total, done, found = rows.count(), 0, Rekeyed()
    for page in _pages(rows):
        changes = [(row, values) for row in page if (values := _values(row, anew)) is not None]
        fresh = [(*values, row.pk) for row, values in changes if values != _now(row, columns)]
        _write(rows.model, columns, fresh)
        found += Rekeyed(moved=len(fresh), there=len(changes) - len(fresh), unopened=len(page) - len(changes))
        done += len(page)
        tell(what, done, total)
    if found.unopened:
        logger.warning(
            "%d %s are sealed with none of the master keys here: left as they are", found.unopened, what
        )
    return found


def people_by_age() -> Counter[int | None]:
    """How many accounts each master key wrapped, by its age (0: the newest); None: none of those here."""
    keys = Person.objects.values_list("sealed_key", flat=True).iterator(chunk_size=PAGE)
    return Counter(_age(bytes(key)) for key in keys)


def _age(wrapped_key: bytes) -> int | None:
    try:
        return vault.age_of(wrapped_key)
    except SealError:
        return None


def _pages(rows: "models.QuerySet[Any]") -> Iterator[Sequence[Any]]:
    rows = rows.order_by("pk")
    page = list(rows[:PAGE])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk)[:PAGE])


def _values(row: Any, anew: Anew) -> tuple[bytes, ...] | None:
    """What a row's columns shall hold; None where no master key opens it."""
    try:
        return anew(row)
    except SealError:
        return None


def _now(row: Any, columns: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(bytes(getattr(row, column)) for column in columns)


def _write(model: type[models.Model], columns: Sequence[str], fresh: Iterable[tuple[Any, ...]]) -> None:
    """One statement for all of a page: putting as many together takes the ORM longer than all the rest."""
    table, row = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        put = ", ".join(f"{column} = %s" for column in columns)
        cursor.executemany(f"UPDATE {table} SET {put} WHERE {row} = %s", list(fresh))
