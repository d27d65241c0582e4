"""Faults put into the outbox, for each operator with a yes to that in force. Nobody else is ever told.

Repeating this changes nothing: one message an hour for a place and operator, whichever process met it, and no more
than `FAULTS_AN_HOUR` an hour in all, then one that says that there are more.
"""

from django.db import connection, transaction

from vteam.campaigns.models import Organiser
from vteam.channels.mail.faults import FAULTS_AN_HOUR, Fault, moment_of
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.outbox import enqueue
from vteam.permissions.models import Subject
from vteam.permissions.queries import allowing
from vteam.permissions.services import INSTALLATION
from vteam.rules.grants import Purpose


def tell_fault(fault: Fault) -> int:
    """Put a fault into the outbox; returns how many messages there were none of before. Leaves no connection open."""
    try:
        with transaction.atomic():
            return sum(_tell(subject, fault) for subject in _wanting(fault))
    finally:
        if not connection.in_atomic_block:
            connection.close()


def _wanting(fault: Fault) -> list[str]:
    """The subjects of operators who want to know now. One process at a time asks."""
    operators = Organiser.objects.select_for_update(no_key=True).filter(campaign=None)
    persons = [one.person_id for one in operators.order_by("pk") if one.person_id is not None]
    subjects = Subject.objects.filter(campaign_id=INSTALLATION, person_id__in=persons)
    here = set(subjects.values_list("pk", flat=True))
    given = allowing(campaign_id=INSTALLATION, purpose=Purpose.FAULTS, at_us=fault.at_us) if here else ()
    return [subject for subject, grant in given if subject in here and grant.is_live]


def _tell(subject: str, fault: Fault) -> int:
    mine = OutboxMessage.objects.filter(subject=subject, purpose=Purpose.FAULTS)
    begun = f"{Purpose.FAULTS}:{fault.hour}:"
    told = set(mine.filter(key__startswith=begun).values_list("key", flat=True)[: FAULTS_AN_HOUR + 2])
    if f"{Purpose.FAULTS}:{fault.key}:{subject}" in told:
        return 0
    about = fault if len(told) < FAULTS_AN_HOUR else fault.as_more()
    return enqueue(
        purpose=Purpose.FAULTS,
        campaign_id=INSTALLATION,
        subjects=[subject],
        about={"what": about.what, "at_us": about.at_us},
        key=about.key,
        at=moment_of(fault),
    )
