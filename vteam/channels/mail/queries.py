"""The outbox in numbers: what waits, what became of the rest lately, and why. No address is in it."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from vteam.channels.mail.models import OutboxMessage
from vteam.logs import masked

LATELY = dt.timedelta(days=7)
_STATES = {
    "sent": OutboxMessage.SENT,
    "given_up": OutboxMessage.GIVEN_UP,
    "bounced": OutboxMessage.BOUNCED,
    "unsure": OutboxMessage.UNSURE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFigures:
    """How many messages wait now, and how many ended within `LATELY`, by how.

    `waits_since` and `waits_because` are the oldest waiting one's; `not_at` and `not_because` those of the last that
    was given up or came back. A reason is what a server said, or a sentence of ours.
    """

    waiting: int
    sent: int
    given_up: int
    bounced: int
    unsure: int
    waits_since: dt.datetime | None
    waits_because: str
    not_at: dt.datetime | None
    not_because: str


def outbox_figures(*, at: dt.datetime) -> OutboxFigures:
    """The outbox as it stands at a moment."""
    real = OutboxMessage.objects.filter(is_null=False)
    waits = real.filter(state__in=[OutboxMessage.WAITING, OutboxMessage.HANDING])
    ended = real.filter(state__in=_STATES.values(), ended_at__gt=at - LATELY)
    counts = ended.aggregate(**{name: Count("pk", filter=Q(state=state)) for name, state in _STATES.items()})
    oldest = waits.order_by("created_at", "pk").first()
    lost = ended.filter(state__in=[OutboxMessage.GIVEN_UP, OutboxMessage.BOUNCED])
    last = lost.order_by("-ended_at", "-pk").first()
    return OutboxFigures(
        waiting=waits.count(),
        **counts,
        waits_since=oldest.created_at if oldest else None,
        waits_because=masked(oldest.reason) if oldest else "",
        not_at=last.ended_at if last else None,
        not_because=masked(last.reason) if last else "",
    )
