"""Recording facts. A fact recorded inside a transaction is durable exactly when that transaction is."""

from vteam.journal.models import Inbox
from vteam.rules.canonical import canonical
from vteam.rules.facts import NewFact


def record_fact(*, campaign_id: int, fact: NewFact) -> None:
    """Leave a fact in the inbox, in the caller's transaction. Offered twice, it is one fact in the journal."""
    Inbox.objects.create(
        campaign_id=campaign_id,
        kind=fact.kind,
        key=fact.key,
        seen_at_us=fact.seen_at_us,
        body=canonical(fact.body),
    )
