"""What people decide about awards, and holds whose time has come: each leaves a fact, and the rules do the rest."""

from django.db import transaction

from vteam.journal.services import record_fact
from vteam.ledger.models import Hold
from vteam.rules.facts import award_reversed, hold_ended, review_decided


@transaction.atomic
def decide_review(*, campaign_id: int, decision: int, accepted: bool, reason: str, at_us: int) -> None:
    """Accept or refuse an award that waits; the reason is shown to the fan."""
    record_fact(
        campaign_id=campaign_id,
        fact=review_decided(decision=decision, accepted=accepted, reason=reason, at_us=at_us),
    )


@transaction.atomic
def reverse_award(*, campaign_id: int, decision: int, reason: str, at_us: int) -> None:
    """Take back an award that counted; the reason is shown to the fan."""
    record_fact(campaign_id=campaign_id, fact=award_reversed(decision=decision, reason=reason, at_us=at_us))


@transaction.atomic
def end_due_holds(*, at_us: int, at_most: int) -> int:
    """Record that holds are over whose time has come, each once; returns how many."""
    due = Hold.objects.filter(due_at_us__lte=at_us, announced=False).order_by("due_at_us")
    holds = list(due.values_list("campaign_id", "decision_seq")[:at_most])
    for campaign_id, seq in holds:
        record_fact(campaign_id=campaign_id, fact=hold_ended(decision=seq, at_us=at_us))
        Hold.objects.filter(campaign_id=campaign_id, decision_seq=seq).update(announced=True)
    return len(holds)
