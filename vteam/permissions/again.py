"""After an older state of the database was put in place: the noes of the log are said again, where it does not know
them; and the other way round, noes that only the database has are noted in the log.

Nothing is ever allowed by this. A yes that was given after the no stands. Doing it twice changes nothing. Of who is not
in the database there is nothing to say: whoever came after the backup is nobody's subject now.
"""

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vteam.permissions.codes import refuse_again
from vteam.permissions.models import GrantEvent, Refusal, Subject
from vteam.permissions.noes import NOES, Never, No, keep, lines_of, log_path, noted
from vteam.permissions.services import no_again

logger = logging.getLogger(__name__)
T = TypeVar("T")
LINES_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What log and database do not both know: lines of the log, and of the database refusals and rows of the ledger."""

    forgotten: list[No | Never]
    refusals: list[Never]
    events: list[int]


def agree(*, at: dt.datetime) -> None:
    """Both ways, with the log of the data folder: every start does it."""
    compared = _compared(log_path())
    _say_again(compared, at)
    _note_missing(compared)


def say_noes_again(*, at: dt.datetime, log: Path) -> int:
    """Record every no of a log the database does not know, with the time it was said; returns how many."""
    return _say_again(_compared(log), at)


def note_missing_noes() -> int:
    """Note what only the database has, of those who are in it; returns how many lines that were.

    These are noes from before there was a log, said on other machines of the installation, or while the disk was full.
    """
    return _note_missing(_compared(log_path()))


def _compared(log: Path) -> _Compared:
    """The log is read after the database, so that whatever is said meanwhile is in it; a no that is being recorded at
    this moment is looked at once more with its chain locked.
    """
    # Row by row only what tells one no from another: the texts are long.
    events = dict(GrantEvent.objects.filter(event__in=NOES).values_list("sha256", "pk").iterator())
    refusals = {bytes(key): at for key, at in Refusal.objects.values_list("lookup", "at_us").iterator()}
    forgotten: list[No | Never] = []
    noted_events, noted_refusals = set[int](), set[bytes]()
    for line in noted(log):
        if isinstance(line, Never) and line.lookup in refusals:
            noted_refusals.add(line.lookup)
        elif isinstance(line, No) and line.sha256 in events:
            noted_events.add(events[line.sha256])
        else:
            forgotten.append(line)
    return _Compared(
        forgotten=forgotten,
        refusals=[Never(lookup=key, at_us=at) for key, at in refusals.items() if key not in noted_refusals],
        events=sorted(set(events.values()) - noted_events),
    )


def _say_again(compared: _Compared, at: dt.datetime) -> int:
    again = 0
    for page in _pages(compared.forgotten):
        again += sum(refuse_again(lookup=line.lookup, at=at) for line in page if isinstance(line, Never))
        again += _again([line for line in page if isinstance(line, No)], at)
    if again:
        logger.warning("%d noes were not known to the database any more: recorded again", again)
    return again


def _again(lines: list[No], at: dt.datetime) -> int:
    subjects = Subject.objects.in_bulk({line.subject for line in lines})
    said = [
        no_again(subject=subjects[line.subject], purpose=line.purpose, said_at_us=line.at_us, at=at)
        for line in lines
        if line.subject in subjects
    ]
    return sum(event is not None for event in said)


def _note_missing(compared: _Compared) -> int:
    keep(compared.refusals)
    added = len(compared.refusals)
    for page in _pages(compared.events):
        lines = lines_of(page)
        here = set(Subject.objects.in_bulk({line.subject for line in lines}))
        lines = [line for line in lines if line.subject in here]
        keep(lines)
        added += len(lines)
    return added


def _pages(lines: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(lines), LINES_AT_ONCE):
        yield lines[begin : begin + LINES_AT_ONCE]
