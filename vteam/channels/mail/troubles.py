"""Addresses that did not work: what came back is noted per person, and forgotten once they show that it works again."""

import datetime as dt

from vteam.channels.mail.models import Trouble
from vteam.people.models import Person

FULL_REST = dt.timedelta(days=3)


def note_trouble(*, person_id: int, status: str, words: str, stopped: bool, at: dt.datetime) -> None:
    """A message came back. `stopped`: nothing more is sent there until its owner says it works; otherwise it rests."""
    Trouble.objects.update_or_create(
        person_id=person_id,
        defaults={
            "since": at,
            "until": None if stopped else at + FULL_REST,
            "status": status,
            "words": words[:200],
        },
    )


def try_again(*, person: Person) -> None:
    """Its owner says that their address works."""
    Trouble.objects.filter(person=person).delete()
