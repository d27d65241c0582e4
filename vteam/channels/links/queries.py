"""Reading shares: by code, and a fan's own with what they achieved."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext as _

from vteam.campaigns.models import Campaign
from vteam.channels.links.models import Share
from vteam.ledger.queries import arrivals_of
from vteam.people.models import Fan
from vteam.reading import pairs
from vteam.rules.codes import is_share_code

PLACES = "SELECT id, place FROM links_share WHERE id IN ({})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareFigures:
    """A share with how often it was opened and how many people arrived through it."""

    share: Share
    visits: int
    arrivals: int


def disclosure(campaign: Campaign) -> str:
    """What every link of a fan's says of itself, wherever it is passed on."""
    return _("Ad: I'm on %(band)s's vTeam and earn points towards prizes.") % {"band": campaign.file.artist}


def share_by_code(code: str) -> Share | None:
    """The share with this code, ended or not."""
    if not is_share_code(code):
        return None
    return Share.objects.select_related("fan").filter(code=code).first()


def figures_of(fan: Fan, *, at_most: int, skip: int = 0) -> list[ShareFigures]:
    """A fan's shares, newest first, each with its visits and arrivals."""
    shares = list(
        fan.shares.annotate(visits=Sum("visit_days__visits", default=0)).order_by("-created_at", "-pk")[
            skip : skip + at_most
        ]
    )
    arrivals = arrivals_of(fan.campaign_id, [share.pk for share in shares])
    return [
        ShareFigures(share=share, visits=share.visits, arrivals=arrivals.get(share.pk, 0)) for share in shares
    ]


def figures(share: Share) -> ShareFigures:
    """One share with its visits and arrivals."""
    visits = share.visit_days.aggregate(n=Sum("visits", default=0))["n"]
    arrivals = arrivals_of(share.campaign_id, [share.pk]).get(share.pk, 0)
    return ShareFigures(share=share, visits=visits, arrivals=arrivals)


def places_of(share_ids: Iterable[int]) -> dict[int, str]:
    """What fans call the places of their shares; a share that was erased has none."""
    return pairs(PLACES, share_ids)
