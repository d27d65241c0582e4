"""How often titles circulate, by day; and the end of what holders allowed only so many times.

Counted where facts are journaled, in the same transaction, so that each is counted once. The Nth copy closes the way
as a withdrawal would: by adding. Copies that are under way at that moment may still arrive.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import F, Sum

from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Campaign, CirculationDay, Title
from vteam.rights.models import Holder
from vteam.rights.queries import limits_in_force
from vteam.rules.decisions import NOTHING_SEEN
from vteam.rules.facts import Fact, Kind
from vteam.rules.rights import Act, Way

WAYS: dict[str, Way] = {Kind.TITLE_DOWNLOADED: Way.DOWNLOAD, Kind.COPY_SERVED: Way.PASS_ON}


def count_circulated(facts: Iterable[Fact]) -> None:
    """Count what went out with these facts, and close what is used up; the caller holds the transaction.

    A copy of which nothing was seen went nowhere, and one the fan sent to themselves is not in circulation.
    """
    zones: dict[int, ZoneInfo] = {}
    found: Counter[tuple[int, Way, dt.date]] = Counter()
    for fact in facts:
        way = WAYS.get(fact.kind)
        if way is None or fact.body.get("doubt") in NOTHING_SEEN or fact.body.get("same_person"):
            continue
        zone = zones.get(fact.campaign_id) or zones.setdefault(fact.campaign_id, _zone(fact.campaign_id))
        found[fact.body["title"], way, clock.from_us(fact.seen_at_us).astimezone(zone).date()] += 1
    if not found:
        return
    here = set(Title.objects.filter(pk__in={title for title, *_ in found}).values_list("pk", flat=True))
    for (title, way, day), count in sorted(found.items()):
        if title not in here:
            continue
        row = CirculationDay.objects.filter(title_id=title, way=way, day=day)
        if not row.update(n=F("n") + count):
            CirculationDay.objects.create(title_id=title, way=way, day=day, n=count)
    close_used_up({title for title, way, _ in found if way is Way.PASS_ON and title in here})


def _zone(campaign_id: int) -> ZoneInfo:
    return ZoneInfo(Campaign.objects.get(pk=campaign_id).file.season.time_zone)


def close_used_up(titles: Iterable[int]) -> None:
    """Say of every holder's limit that is reached that it is; doing it twice adds nothing."""
    for title_id in titles:
        gone = circulated(title_id, Way.PASS_ON)
        for limit in limits_in_force(title_id, Way.PASS_ON):
            if gone - limit.counted_before >= limit.at_most:
                speak(
                    holder=Holder.objects.get(pk=limit.holder),
                    person=None,
                    title=Title.objects.get(pk=title_id),
                    way=Way.PASS_ON,
                    act=Act.USED_UP,
                    language=limit.language,
                    at_us=clock.now_us(),
                )


def circulated(title_id: int, way: Way) -> int:
    """How often a title went out in a way, ever."""
    rows = CirculationDay.objects.filter(title_id=title_id, way=way)
    return int(rows.aggregate(all=Sum("n"))["all"] or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What went out of a title in a day."""

    day: dt.date
    downloaded: int
    passed_on: int

    @property
    def total(self) -> int:
        """Both ways."""
        return self.downloaded + self.passed_on


def circulation_by_day(title_id: int, *, days: int) -> list[Day]:
    """The latest days on which a title went out, newest first; days without are left out."""
    rows = CirculationDay.objects.filter(title_id=title_id)
    latest = list(rows.order_by("-day").values_list("day", flat=True).distinct()[:days])
    counts = {(row.day, row.way): row.n for row in rows.filter(day__in=latest)}
    return [
        Day(
            day=day,
            downloaded=counts.get((day, Way.DOWNLOAD), 0),
            passed_on=counts.get((day, Way.PASS_ON), 0),
        )
        for day in latest
    ]
