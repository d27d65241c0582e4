"""A "no" outlives the database it was said to: each is noted in a log beside it, so that no backup writes again to
somebody who said no since.

The log has it first. A no that then cannot be kept in the database is said again at the next start; one the log cannot
take is kept in the database all the same, reported, and noted at the next start (`again`). A line has ids and hashes
alone: a subject, a purpose, when, and the event's hash in its chain; or the keyed hash of an address that said "never
again", and when.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import OuterRef, Subquery

from vteam import linelog
from vteam.permissions.models import GrantEvent
from vteam.rules.grants import Event, Purpose

logger = logging.getLogger(__name__)
LOG = "noes.log"
NOES = (Event.REFUSED, Event.WITHDRAWN)
_PURPOSES = "|".join(Purpose)
_NO = re.compile(rf"no ([0-9a-f]{{32}}) ({_PURPOSES}) (\d{{1,18}}) ([0-9a-f]{{64}})".encode())
_NEVER = re.compile(rb"never ([0-9a-f]{64}) (\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class No:
    """A subject's no to a purpose. `at_us`: when, in microseconds UTC, and never before the yes it ended, whatever the
    clock said. `sha256`: the event's hash in its chain (64 hex digits).
    """

    subject: str
    purpose: Purpose
    at_us: int
    sha256: str

    def __str__(self) -> str:
        return f"no {self.subject} {self.purpose} {self.at_us} {self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """An address, by the keyed hash of its time (32 bytes), that must not be written to again; since when."""

    lookup: bytes
    at_us: int

    def __str__(self) -> str:
        return f"never {self.lookup.hex()} {self.at_us}"


def log_path() -> Path:
    """The log of this data folder. A restore adds to it and never replaces it."""
    return Path(settings.DATA) / LOG


def note(lines: Iterable[No | Never], *, log: Path) -> None:
    """Add to a log; on disk when this returns. Raises OSError when it cannot be written."""
    linelog.add(map(str, lines), log=log)


def keep(lines: Iterable[No | Never]) -> None:
    """Add to the log of this data folder. Where that fails, the no holds all the same and the fault is reported: nobody
    goes on being written to because a disk is full.
    """
    try:
        note(lines, log=log_path())
    except OSError as fault:
        logger.error(
            "%s cannot be written (%s). A no was kept in the database alone: a backup made before it forgets it, until "
            "vTeam was started again with room on the disk",
            log_path(),
            fault.strerror,
        )


def noted(log: Path) -> Iterator[No | Never]:
    """The log's lines, oldest first; none where there is no log. What cannot be read is reported and passed over."""
    return linelog.read(log, _line_of, what="a no", logger=logger)


def _line_of(text: bytes) -> No | Never | None:
    if found := _NO.fullmatch(text):
        subject, purpose, at_us, sha256 = (part.decode() for part in found.groups())
        return No(subject=subject, purpose=Purpose(purpose), at_us=int(at_us), sha256=sha256)
    if found := _NEVER.fullmatch(text):
        return Never(lookup=bytes.fromhex(found[1].decode()), at_us=int(found[2]))
    return None


def lines_of(numbers: Iterable[int]) -> list[No]:
    """What the log says of those of these rows of the permission ledger that are a no, in their order."""
    yes = GrantEvent.objects.filter(
        subject=OuterRef("subject"), purpose=OuterRef("purpose"), event=Event.GIVEN, seq__lt=OuterRef("seq")
    )
    ended = Subquery(yes.order_by("-seq").values("at_us")[:1])
    events = GrantEvent.objects.filter(pk__in=list(numbers), event__in=NOES).annotate(yes_us=ended)
    return [
        No(
            subject=event.subject,
            purpose=Purpose(event.purpose),
            at_us=max(event.at_us, event.yes_us or 0),
            sha256=event.sha256,
        )
        for event in events.order_by("pk")
    ]
