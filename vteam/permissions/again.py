"""After an older state of the database was put in place: the noes of the log are said again, where it does not know
them; and the other way round, noes that only the database has are noted in the log.

Nothing is ever allowed by this. A yes that was given after the no stands. Doing it twice changes nothing. Of who is not
in the database there is nothing to say: whoever came after the backup is nobody's subject now.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from vteam.permissions.codes import refuse_again
from vteam.permissions.models import GrantEvent, Refusal, Subject
from vteam.permissions.noes import NOES, Never, No, keep, lines_of, log_path, noted
from vteam.permissions.services import no_again

logger = logging.getLogger(__name__)
LINES_AT_ONCE = 500


def say_noes_again(*, at: dt.datetime, log: Path | None = None) -> int:
    """Record every no of the log the database does not know, with the time it was said; returns how many.

    `log`: another one than the data folder's. The log is read after the database, so that whatever is said meanwhile
    is in it; what is being recorded at this moment is looked at once more with its chain locked.
    """
    chain, refused = set(_chain()), set(_refused())
    unknown = (
        line
        for line in noted(log or log_path())
        if (line.lookup not in refused if isinstance(line, Never) else line.sha256 not in chain)
    )
    again = 0
    while page := list(islice(unknown, LINES_AT_ONCE)):
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


def note_missing_noes() -> int:
    """Note what only the database has, of those who are in it; returns how many lines that were.

    These are noes from before there was a log, said on other machines of the installation, or while the disk was full.
    """
    chain, refused = _chain(), _refused()
    for line in noted(log_path()):
        if isinstance(line, Never):
            refused.pop(line.lookup, None)
        else:
            chain.pop(line.sha256, None)
    keep(Never(lookup=lookup, at_us=at_us) for lookup, at_us in refused.items())
    missing = iter(list(_here(chain.values())))
    added = len(refused)
    while page := list(islice(missing, LINES_AT_ONCE)):
        lines = lines_of(page)
        keep(lines)
        added += len(lines)
    return added


def _here(numbers: Iterable[int]) -> Iterator[int]:
    """Those of these rows whose subject is still somebody's."""
    left = iter(numbers)
    while page := list(islice(left, LINES_AT_ONCE)):
        subjects = Subject.objects.values("pk")
        yield from GrantEvent.objects.filter(pk__in=page, subject__in=subjects).values_list("pk", flat=True)


def _chain() -> dict[str, int]:
    """Every no of the permission ledger, by its hash: its row's number."""
    return dict(GrantEvent.objects.filter(event__in=NOES).values_list("sha256", "pk").iterator())


def _refused() -> dict[bytes, int]:
    """Every address that said "never again", and when."""
    return {bytes(lookup): at for lookup, at in Refusal.objects.values_list("lookup", "at_us").iterator()}
