"""What `jobs` puts into the outbox by itself: what fans earned, for those who want to read it by mail.

Whether a letter leaves, and when, is asked when it does. Repeating this changes nothing.
"""

import datetime as dt
from itertools import islice

from django.db import transaction

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.mail.contents import gained_since
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.outbox import enqueue, enqueue_for
from vteam.people.models import Fan
from vteam.permissions.models import Subject
from vteam.permissions.queries import allowing
from vteam.prizes.models import Offer
from vteam.rules.grants import Grant, Purpose
from vteam.rules.prizes import State

SUBJECTS_A_TURN = 200
OFFERS_A_TURN = 200


class PointsTeller:
    """Goes round all who want to read what they earned, some at each turn, so that facts need not wait for it."""

    def __init__(self) -> None:
        self._campaign, self._after = 0, ""

    def turn(self, *, at: dt.datetime) -> int:
        """Put a message there for the next `SUBJECTS_A_TURN` who earned something since they were told last; returns
        how many were put there. The round begins again where it is over.
        """
        campaign = (
            Campaign.objects.filter(pk__gte=self._campaign, networks_forgotten_at=None).order_by("pk").first()
        )
        if campaign is None:
            self._campaign, self._after = 0, ""
            return 0
        after = self._after if campaign.pk == self._campaign else ""
        wanting = allowing(
            campaign_id=campaign.pk, purpose=Purpose.POINTS, at_us=clock.to_us(at), after=after
        )
        told, seen = 0, 0
        for subject, grant in islice(wanting, SUBJECTS_A_TURN):
            told += _tell(campaign.pk, subject, grant, at)
            seen, after = seen + 1, subject
        is_last = seen < SUBJECTS_A_TURN
        self._campaign, self._after = (campaign.pk + 1, "") if is_last else (campaign.pk, after)
        return told


@transaction.atomic
def tell_winners(*, at: dt.datetime) -> int:
    """Put a message there for each who was offered a prize, once an offer; returns how many offers were looked at.

    Who never said anything about being written to gets none, and finds it at their next visit.
    """
    new = Offer.objects.select_for_update(of=("self",)).select_related("fan").filter(told=False)
    offers = list(new.order_by("pk")[:OFFERS_A_TURN])
    for offer in offers:
        if offer.fan is not None and offer.state == State.OFFERED:
            enqueue_for(
                purpose=Purpose.WON,
                campaign_id=offer.campaign_id,
                person_id=offer.fan.person_id,
                about={"offer": offer.pk},
                key=f"{offer.pk}.{offer.step}",
                at=at,
            )
    Offer.objects.filter(pk__in=[offer.pk for offer in offers]).update(told=True)
    return len(offers)


def _tell(campaign_id: int, subject: str, grant: Grant, at: dt.datetime) -> int:
    fan, since_us = _fan_of(subject, campaign_id), _told_last_us(subject, grant)
    if fan is None or since_us is None or gained_since(campaign_id, fan, since_us=since_us) <= 0:
        return 0
    return enqueue(
        purpose=Purpose.POINTS,
        campaign_id=campaign_id,
        subjects=[subject],
        about={"fan": fan, "since_us": since_us},
        key=str(since_us),
        at=at,
    )


def _fan_of(subject: str, campaign_id: int) -> int | None:
    persons = Subject.objects.filter(pk=subject).values("person_id")
    return (
        Fan.objects.filter(campaign_id=campaign_id, person_id__in=persons)
        .values_list("pk", flat=True)
        .first()
    )


def _told_last_us(subject: str, grant: Grant) -> int | None:
    """Until when a subject was told, or since when they want to be (µs); None while a message still waits."""
    mine = OutboxMessage.objects.filter(subject=subject, purpose=Purpose.POINTS)
    if mine.filter(state__in=[OutboxMessage.WAITING, OutboxMessage.HANDING]).exists():
        return None
    last = mine.exclude(ended_at=None).order_by("-ended_at").values_list("ended_at", flat=True).first()
    told_us = clock.to_us(last) if last else 0
    return max(told_us, grant.since_us or 0)
