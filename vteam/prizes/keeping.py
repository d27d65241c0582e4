"""What a campaign file may not change of a prize any more, once somebody was offered it or its draw was announced."""

from collections.abc import Mapping
from dataclasses import dataclass

from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.errors import Promised
from vteam.prizes.models import Draw, Offer

FIXED_ONCE_OFFERED = ("kind", "first", "milestone", "needs", "concert", "places", "given_on")
FIXED_ONCE_ANNOUNCED = (*FIXED_ONCE_OFFERED, "how_many", "qualify", "weighted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Which fields of a prize stay, and that it stays itself. `announced`: for its draw; otherwise for an offer."""

    fields: tuple[str, ...]
    announced: bool


def promises(campaign: Campaign) -> Mapping[str, Promise]:
    """What was promised, by the prize's key; a prize nobody was promised is not in it."""
    offered = Offer.objects.filter(campaign_id=campaign.pk).values_list("prize", flat=True).distinct()
    announced = Draw.objects.filter(campaign_id=campaign.pk).values_list("prize", flat=True).distinct()
    found = {key: Promise(fields=FIXED_ONCE_OFFERED, announced=False) for key in offered}
    return found | {key: Promise(fields=FIXED_ONCE_ANNOUNCED, announced=True) for key in announced}


def refuse_changes(file: CampaignFile) -> None:
    """Promised where a file takes out, or makes another thing of, what was promised to somebody by name."""
    campaign = Campaign.objects.filter(slug=file.slug).first()
    if campaign is None:
        return
    promised = promises(campaign)
    after = {prize.key: prize for prize in file.prizes}
    for before in campaign.file.prizes:
        if before.key in promised:
            _refuse(before, after.get(before.key), promised[before.key])


def _refuse(before: PrizeEntry, after: PrizeEntry | None, promise: Promise) -> None:
    key, why = before.key, "its draw is announced" if promise.announced else "somebody has been offered it"
    if after is None:
        text = f"The prize {key!r} stays in the file under its key: {why}."
        raise Promised(text, prize=key, field=None, announced=promise.announced)
    for name in promise.fields:
        if getattr(before, name) != getattr(after, name):
            text = f"The prize {key!r} keeps its {name.replace('_', ' ')}: {why}."
            raise Promised(text, prize=key, field=name, announced=promise.announced)
