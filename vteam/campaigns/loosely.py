"""Reading a campaign file's tables loosely: what cannot be understood is passed over, for `vteam.campaigns.findings`
has said so already.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic_core import PydanticCustomError

from vteam.campaigns.file import SETTLED_DAYS
from vteam.campaigns.findings import Finding
from vteam.campaigns.locate import Path
from vteam.campaigns.values import day_of, over_at, read_moment, read_zone

Tables = dict[str, Any]
Read = TypeVar("Read")


def finding_at(*parts: str | int) -> Finding:
    """A finding; the last two parts are its sentences, those before its path."""
    path: Path = parts[:-2]
    return Finding(path=path, wrong=str(parts[-2]), instead=str(parts[-1]))


def entries(tables: Tables, name: str) -> list[tuple[int, Tables]]:
    """The tables of the list `name` with their indexes; whatever is no table is passed over."""
    given = tables.get(name)
    listed = given if isinstance(given, list) else []
    return [(at, entry) for at, entry in enumerate(listed) if isinstance(entry, dict)]


def text_in(table: Tables, key: str) -> str | None:
    """The text at `key`; None where there is none."""
    given = table.get(key)
    return given.strip() if isinstance(given, str) else None


def table(tables: Tables, name: str) -> Tables:
    """The table `name`; an empty one where there is none."""
    given = tables.get(name)
    return given if isinstance(given, dict) else {}


def number(table: Tables, key: str) -> int | None:
    """The whole number above 0 at `key`; None where there is none."""
    given = table.get(key)
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else None


def moment(table: Tables, key: str) -> dt.date | None:
    """The day or hour at `key`; None where there is none."""
    return understood(read_moment, table.get(key))


def understood(read: Callable[[Any], Read], given: object) -> Read | None:
    """What `read` makes of a value; None where it refuses, or there is none."""
    try:
        return None if given is None else read(given)
    except (PydanticCustomError, TypeError):
        return None


def zone_of(tables: Tables) -> str:
    """The season's time zone; UTC where it is not named."""
    return understood(read_zone, text_in(table(tables, "season"), "time_zone")) or "UTC"


def keys(tables: Tables, name: str) -> list[str]:
    """The keys of the list `name`."""
    return [key for _, entry in entries(tables, name) if (key := text_in(entry, "key"))]


def final_of(season: Tables, zone: str, ends: dt.date) -> dt.datetime | None:
    """From when the result is final; None where the file's own day makes no sense."""
    settled, usual = moment(season, "settled"), day_of(ends) + dt.timedelta(days=SETTLED_DAYS)
    final = over_at(settled or usual, zone)
    return final if final >= over_at(ends, zone) else None
