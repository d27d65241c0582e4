"""Putting messages into the outbox. Nothing here sends: whether one may leave is asked when it does (`delivery`).

A message rests on a yes of its subject and names what it is about by ids; the same content for the same subject is one
row, however often it is put there.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from vteam.channels.mail.models import OutboxMessage, new_token
from vteam.permissions.models import Subject
from vteam.rules.grants import Purpose

USEFUL_DAYS = 8
"""A weekly digest gathers what is up to a week old."""


def enqueue(
    *,
    purpose: Purpose,
    campaign_id: int,
    subjects: Iterable[str],
    about: Mapping[str, Any],
    key: str,
    at: dt.datetime,
) -> int:
    """A message for each subject, once per `key`; returns how many rows there were none of before.

    `about`: ids and numbers alone, never a name or an address.
    """
    content = json.dumps(about, sort_keys=True)
    wanted = {f"{purpose}:{key}:{subject}": subject for subject in subjects}
    known = set(OutboxMessage.objects.filter(key__in=wanted).values_list("key", flat=True))
    made = OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                campaign_id=campaign_id,
                purpose=purpose,
                subject=subject,
                key=name,
                about=content,
                token=new_token(),
                created_at=at,
                due_at=at,
                useless_at=at + dt.timedelta(days=USEFUL_DAYS),
            )
            for name, subject in wanted.items()
            if name not in known
        ],
        ignore_conflicts=True,
    )
    return len(made)


def enqueue_for(
    *, purpose: Purpose, campaign_id: int, person_id: int, about: Mapping[str, Any], key: str, at: dt.datetime
) -> None:
    """A message for one person, if they ever said anything about being written to: who never did gets none."""
    subject = Subject.objects.filter(campaign_id=campaign_id, person_id=person_id).first()
    if subject is not None:
        enqueue(purpose=purpose, campaign_id=campaign_id, subjects=[subject.pk], about=about, key=key, at=at)


def forget_letters(*, lookups: Sequence[bytes], subjects: Iterable[str]) -> int:
    """Delete every message for somebody, waiting or sent: they erased their account."""
    by_code = OutboxMessage.objects.filter(lookup__in=lookups).delete()[0]
    return by_code + OutboxMessage.objects.filter(subject__in=list(subjects)).exclude(subject="").delete()[0]


CODES_KEPT, OTHERS_KEPT = dt.timedelta(days=7), dt.timedelta(days=60)
"""How long a row stays once it has ended: a code's, and others', which tell people what reached them."""


def forget_ended(*, at: dt.datetime) -> int:
    """Delete the rows of messages that ended long enough ago; returns how many."""
    codes = OutboxMessage.objects.filter(subject="", ended_at__lt=at - CODES_KEPT)
    others = OutboxMessage.objects.filter(ended_at__lt=at - OTHERS_KEPT)
    # The newest of what told somebody their points says until when they were told.
    newer = OutboxMessage.objects.filter(
        purpose=Purpose.POINTS, subject=OuterRef("subject"), ended_at__gt=OuterRef("ended_at")
    )
    told = others.filter(purpose=Purpose.POINTS).filter(Exists(newer))
    return int(codes.delete()[0] + told.delete()[0] + others.exclude(purpose=Purpose.POINTS).delete()[0])


def call_back(
    *,
    purpose: Purpose,
    campaign_id: int,
    person_id: int,
    about: Mapping[str, Any] | None,
    at: dt.datetime,
) -> int:
    """What waits for a person about one thing (None: about anything) has nothing to say any more; returns how many."""
    subjects = Subject.objects.filter(campaign_id=campaign_id, person_id=person_id).values("pk")
    waiting = OutboxMessage.objects.filter(purpose=purpose, subject__in=subjects, state=OutboxMessage.WAITING)
    if about is not None:
        waiting = waiting.filter(about=json.dumps(about, sort_keys=True))
    return waiting.update(state=OutboxMessage.GIVEN_UP, reason="there is nothing left to say", ended_at=at)
