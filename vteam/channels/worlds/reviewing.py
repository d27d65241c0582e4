"""Looking at what residents brought: a person says whether it counts, and why."""

from django.db import transaction

from vteam.channels.worlds.models import WorldAct
from vteam.journal.models import Fact
from vteam.ledger.models import Decision
from vteam.ledger.queries import is_open
from vteam.ledger.services import decide_review
from vteam.rules.facts import world_key


@transaction.atomic
def review(*, done: WorldAct, accepted: bool, reason: str, at_us: int) -> bool:
    """Accepts or refuses; the reason is shown to the fan. False where it is not in the books yet, or was decided."""
    done = WorldAct.objects.select_for_update().get(pk=done.pk)
    key = world_key(mission=done.mission, avatar=done.avatar_id)
    fact = Fact.objects.filter(campaign_id=done.campaign_id, key=key).values_list("seq", flat=True).first()
    judged = Decision.objects.filter(
        campaign_id=done.campaign_id, fact_seq=fact or 0, mission_key=done.mission
    )
    seq = judged.values_list("seq", flat=True).first()
    if done.accepted is not None or seq is None or not is_open(done.campaign_id, seq):
        return False
    done.accepted = accepted
    done.save(update_fields=["accepted"])
    decide_review(campaign_id=done.campaign_id, decision=seq, accepted=accepted, reason=reason, at_us=at_us)
    return True
