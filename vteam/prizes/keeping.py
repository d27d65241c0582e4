"""What a campaign file may not change of a prize any more, once somebody was offered it or its draw was announced."""

from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.errors import CampaignFileError
from vteam.prizes.models import Draw, Offer

FIXED_ONCE_OFFERED = ("kind", "first", "milestone", "needs", "concert", "places", "given_on")
FIXED_ONCE_ANNOUNCED = (*FIXED_ONCE_OFFERED, "how_many", "qualify", "weighted")


def refuse_changes(file: CampaignFile) -> None:
    """CampaignFileError where a file takes out, or makes another thing of, what was promised to somebody by name."""
    campaign = Campaign.objects.filter(slug=file.slug).first()
    if campaign is None:
        return
    offered = set(Offer.objects.filter(campaign_id=campaign.pk).values_list("prize", flat=True).distinct())
    announced = set(Draw.objects.filter(campaign_id=campaign.pk).values_list("prize", flat=True).distinct())
    after = {prize.key: prize for prize in file.prizes}
    for before in campaign.file.prizes:
        if before.key in announced:
            _refuse(before, after.get(before.key), FIXED_ONCE_ANNOUNCED, "its draw is announced")
        elif before.key in offered:
            _refuse(before, after.get(before.key), FIXED_ONCE_OFFERED, "somebody has been offered it")


def _refuse(before: PrizeEntry, after: PrizeEntry | None, fixed: tuple[str, ...], why: str) -> None:
    if after is None:
        raise CampaignFileError(f"The prize {before.key!r} stays in the file under its key: {why}.")
    for name in fixed:
        if getattr(before, name) != getattr(after, name):
            raise CampaignFileError(f"The prize {before.key!r} keeps its {name.replace('_', ' ')}: {why}.")
