"""Erasing a person whole: their account and what the channels keep of them, logged so that no backup brings them back.

A channel that keeps something about a person has its part in `_erase`.
"""

import datetime as dt
import logging
from itertools import islice
from pathlib import Path

from django.db import transaction

from vteam import clock
from vteam.channels.mail.outbox import forget_letters
from vteam.channels.swarm.services import forget_evidence
from vteam.channels.worlds.avatars import forget_residents
from vteam.people.erasure import erase_account, erasing_of, log_path, note, noted
from vteam.people.models import Person
from vteam.people.services import lookups_of_person
from vteam.permissions.models import Subject

logger = logging.getLogger(__name__)
LINES_AT_ONCE = 500


def erase(*, person: Person, at: dt.datetime) -> None:
    """Erase a person at their own wish. The log has it first: should the rest fail, the next start does it."""
    note([erasing_of(person, at=at)], log=log_path())
    _erase(person)


def erase_again(*, log: Path | None = None) -> int:
    """Erase whoever erased themselves and is back, since an older state of the database was put in its place.

    Returns how many. `log`: another one than the data folder's. Repeating it changes nothing.
    """
    lines, again = noted(log or log_path()), 0
    while page := list(islice(lines, LINES_AT_ONCE)):
        gone = {(line.person, line.created_at_us) for line in page}
        for person in Person.objects.filter(pk__in={number for number, _ in gone}):
            if (person.pk, clock.to_us(person.created_at)) in gone:
                _erase(person)
                again += 1
    if again:
        logger.warning("%d who had erased themselves came back with an old database: erased again", again)
    return again


@transaction.atomic
def _erase(person: Person) -> None:
    subjects = Subject.objects.filter(person=person).values_list("pk", flat=True)
    forget_letters(lookups=lookups_of_person(person), subjects=subjects)
    forget_evidence(fans=person.fans.values_list("pk", flat=True))
    forget_residents(fans=person.fans.values_list("pk", flat=True))
    erase_account(person=person)
