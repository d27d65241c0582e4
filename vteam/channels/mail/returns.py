"""What comes back is held against the message it was: a dead address is left alone, a full one rests, a complaint ends
the yes it complains of.

Whom it is about is told by the token in the return path alone, which is nobody's but that message's. What is our own
fault (refused for its content, for who we are) is told to whoever runs vTeam and never held against the reader.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import transaction

from vteam import clock
from vteam.beside import Beside
from vteam.channels.mail.bounces import Kind, Returned, read
from vteam.channels.mail.inboxes import opened
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.troubles import note_trouble
from vteam.people.models import Person
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.models import Subject
from vteam.permissions.services import end
from vteam.rules.grants import Purpose

logger = logging.getLogger(__name__)
AT_ONCE = 200
PAUSE_SECONDS = 10.0
FAREWELL = "returned mail was still being read at the end; what was not dealt with is read again"
COMPLAINT = "a complaint to their mail provider"


@contextmanager
def receiving() -> Iterator[None]:
    """Read what comes back while the block runs, if a mailbox for it is set."""
    if not settings.BOUNCES_URL:
        yield
        return

    def turn() -> float:
        return 0.0 if receive_returned(at=clock.now()) == AT_ONCE else PAUSE_SECONDS

    with Beside("reading returned mail", turn).running(farewell=FAREWELL):
        yield


def receive_returned(*, at: dt.datetime) -> int:
    """Deal with what has come back; returns how many mails were looked at. What is not understood stays, as read."""
    looked_at = 0
    with opened(settings.BOUNCES_URL) as inbox:
        for arrived in inbox.new(at_most=AT_ONCE):
            looked_at += 1
            returned = (
                None if arrived.is_truncated else read(arrived.raw, return_path=settings.BOUNCES_ADDRESS)
            )
            if returned is not None and hold(returned, at=at):
                inbox.done(arrived.handle)
            else:
                inbox.seen(arrived.handle)
    return looked_at


@transaction.atomic
def hold(returned: Returned, *, at: dt.datetime) -> bool:
    """Hold a returned mail against its message; False where no message of ours carried that token. Twice is once."""
    rows = OutboxMessage.objects.select_for_update().filter(token=returned.token.lower())
    message = rows.first()
    if message is None:
        return False
    if returned.kind is Kind.COMPLAINT:
        _after_complaint(message, at)
        return True
    if not returned.is_final:
        logger.info("message %s is late: %s", message.pk, returned.status)
        return True
    if returned.kind is Kind.OURS:
        _tell(message, returned)
    else:
        _note(message, returned, at)
    message.state, message.reason = OutboxMessage.BOUNCED, f"{returned.status} {returned.words}".strip()[:200]
    message.ended_at = message.ended_at or at
    message.sealed = message.sealed_key = b""
    message.save(update_fields=["state", "reason", "ended_at", "sealed", "sealed_key"])
    return True


def _tell(message: OutboxMessage, returned: Returned) -> None:
    """Operators read of it by mail; but where a mail that told them of a fault came back, another would as well."""
    level = logging.WARNING if message.purpose == Purpose.FAULTS else logging.ERROR
    said = "message %s came back through a fault of ours: %s %s"
    logger.log(level, said, message.pk, returned.status, returned.words)


def _note(message: OutboxMessage, returned: Returned, at: dt.datetime) -> None:
    person = _person_of(message)
    if person is not None:
        stopped = returned.kind is Kind.GONE
        note_trouble(person_id=person, status=returned.status, words=returned.words, stopped=stopped, at=at)


def _person_of(message: OutboxMessage) -> int | None:
    """Whose address a message went to, where that is somebody's."""
    if message.subject:
        return Subject.objects.filter(pk=message.subject).values_list("person_id", flat=True).first()
    return Person.objects.filter(lookup=bytes(message.lookup)).values_list("pk", flat=True).first()


def _after_complaint(message: OutboxMessage, at: dt.datetime) -> None:
    if message.purpose == Purpose.CODE:
        refuse_for_ever(lookup=bytes(message.lookup), act="a complaint", at=at)
        return
    subject = Subject.objects.filter(pk=message.subject).first()
    if subject is not None:
        end(subject=subject, purpose=Purpose(message.purpose), act=COMPLAINT, at=at)
