"""Who gives a prize to its winners: one organiser at a time, who alone reads what winners told for it.

Whoever takes it on is named to the others, with the moment: an address is never read by somebody nobody knows of.
"""

import datetime as dt

from django.db import transaction

from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign, Organiser
from vteam.prizes.models import Sender

SHOWN = 20


def sender_of(campaign_id: int, prize: str) -> Sender | None:
    """Who gives a prize now; None where nobody has taken it on yet."""
    return next(iter(senders_of(campaign_id, prize)), None)


def senders_of(campaign_id: int, prize: str) -> list[Sender]:
    """Who gives a prize, and who did before, the last one first."""
    found = Sender.objects.filter(campaign_id=campaign_id, prize=prize).select_related("organiser")
    return list(found.order_by("-pk")[:SHOWN])


@transaction.atomic
def take_on(*, campaign: Campaign, prize: str, organiser: Organiser, at: dt.datetime) -> None:
    """From now on this organiser gives the prize. Taken on twice it is taken on once."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    now = sender_of(campaign.pk, prize)
    if now is None or now.organiser_id != organiser.pk:
        Sender.objects.create(campaign_id=campaign.pk, prize=prize, organiser=organiser, since=at)


def is_read_by_sender(prize: PrizeEntry) -> bool:
    """Whether what winners tell for a prize is for one person: not a name for the door, which the door reads."""
    return prize.needs != "nothing" and not prize.concert


def may_read(*, campaign: Campaign, prize: PrizeEntry, organiser: Organiser) -> bool:
    """Whether an organiser reads what winners told for a prize."""
    if not is_read_by_sender(prize):
        return True
    now = sender_of(campaign.pk, prize.key)
    return now is not None and now.organiser_id == organiser.pk
