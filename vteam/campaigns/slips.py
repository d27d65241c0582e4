"""The permission slip of a title: who allowed that it is passed on, until when, and whether that still holds."""

import datetime as dt
from dataclasses import dataclass

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.rights.queries import Agreement, agreements, circulation_of, course_of
from vteam.rules.rights import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """How passing a title on stands.

    `agreements`: whose yes it rests on; none unless it `holds`. `until`: when the first of them ends, None where none
    does. `ended`: since when it is over, where everybody had allowed it once.
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
    holds = title.retired_at is None and circulation_of(title.pk, Way.PASS_ON, at_us=at_us).is_open
    agreed = agreements(title.pk, Way.PASS_ON) if holds else []
    ends = [agreement.until_us for agreement in agreed if agreement.until_us is not None]
    return Slip(
        title=title,
        holds=holds,
        agreements=agreed,
        until=clock.from_us(min(ends)) if ends else None,
        ended=None if holds else _ended(title, at_us=at_us),
    )


def _ended(title: Title, *, at_us: int) -> dt.datetime | None:
    """Since when it is over: the word that closed it, or the title's leaving while it was open."""
    left_us = clock.to_us(title.retired_at) if title.retired_at else at_us
    until_then = course_of(title.pk, Way.PASS_ON, at_us=left_us)
    if until_then.closed_since_us is not None:
        return clock.from_us(until_then.closed_since_us)
    return title.retired_at if until_then.ever_open else None
