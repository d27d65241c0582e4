"""Erasing an account: name, address and everything kept under them; the books keep numbers that are nobody's.

What they earned stays in the ledger under their fan's number, which has no name any more. Refuses nothing: asking
is enough. What others did (a recruit's own account, a holder's words about a title) is not theirs and stays.

Each erasing is noted in a log beside the database, so that no backup brings anybody back. A line is the account's
number, when it was made and when it was erased (both in microseconds): a restored database gives numbers again, and
only the time an account was made tells the one who left from an innocent newcomer.
"""

import datetime as dt
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from vteam import clock, linelog
from vteam.people.models import Pending, Person
from vteam.people.services import lookups_of_person

logger = logging.getLogger(__name__)
LOG = "erased.log"
# Eighteen digits always fit a database's whole number.
_LINE = re.compile(rb"(\d{1,18}) (\d{1,18}) (\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A line of the log: the account's number, when it was made and when it was erased, in microseconds UTC."""

    person: int
    created_at_us: int
    erased_at_us: int


@transaction.atomic
def erase_account(*, person: Person) -> None:
    """Delete a person: their key, sealed address and its hash, memberships with their links, and waiting codes.

    Every session of theirs is nobody's from this moment. A holder they spoke for waits for somebody new.
    """
    Pending.objects.filter(lookup__in=lookups_of_person(person)).delete()
    person.delete()


def log_path() -> Path:
    """The log of this data folder. A restore adds to it and never replaces it."""
    return Path(settings.DATA) / LOG


def erasing_of(person: Person, *, at: dt.datetime) -> Erased:
    """What the log will say of a person."""
    return Erased(
        person=person.pk, created_at_us=clock.to_us(person.created_at), erased_at_us=clock.to_us(at)
    )


def note(lines: Iterable[Erased], *, log: Path) -> None:
    """Add to the log; on disk when this returns. Raises OSError when it cannot be written."""
    linelog.add((f"{line.person} {line.created_at_us} {line.erased_at_us}" for line in lines), log=log)


def noted(log: Path) -> Iterator[Erased]:
    """The log's lines, oldest first; none where there is no log. What cannot be read is reported and passed over."""
    return linelog.read(log, _line_of, what="an erasing", logger=logger)


def _line_of(text: bytes) -> Erased | None:
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    person, created, erased = map(int, found.groups())
    return Erased(person=person, created_at_us=created, erased_at_us=erased)
