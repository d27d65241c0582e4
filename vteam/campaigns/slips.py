"""The permission slip of a title: who allowed that it is passed on, until when, and whether that still holds."""

import datetime as dt
from dataclasses import dataclass

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.rights.queries import Agreement, agreements, circulation_of, history
from vteam.rules.rights import Act, Standing, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """How passing a title on stands.

    `agreements`: whose yes it rests on; none unless it `holds`. `until`: when the first of them ends, None where none
    does. `ended`: since when it is over, where it was allowed once.
    """

    title: Title
    holds: bool
    agreements: list[Agreement]
    until: dt.datetime | None
    ended: dt.datetime | None


def slip_of(campaign: Campaign, key: str, *, at_us: int) -> Slip | None:
    """The slip of a title as it stands now; None where the campaign never had such a title."""
    title = Title.objects.filter(campaign=campaign, key=key).first()
    if title is None:
        return None
    stands = circulation_of(title.pk, Way.PASS_ON, at_us=at_us)
    holds = stands.is_open and title.retired_at is None
    agreed = agreements(title.pk, Way.PASS_ON)
    ends = [agreement.until_us for agreement in agreed if agreement.until_us is not None]
    end = clock.from_us(min(ends)) if ends else None
    return Slip(
        title=title,
        holds=holds,
        agreements=agreed if holds else [],
        until=end if holds else None,
        ended=None if holds else _ended(title, stands.standing, end),
    )


def _ended(title: Title, standing: Standing, end: dt.datetime | None) -> dt.datetime | None:
    if standing is Standing.WITHDRAWN:
        said = (event for event in history(title.pk) if event.way == Way.PASS_ON)
        return next((clock.from_us(event.at_us) for event in said if event.act == Act.WITHDRAWN), None)
    if standing is Standing.EXPIRED:
        return end
    return title.retired_at if standing is Standing.OPEN else None
