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
from vteam.rules.facts import Fact, Kind
from vteam.rules.rights import Act, Way

WAYS: dict[str, Way] = {Kind.TITLE_DOWNLOADED: Way.DOWNLOAD, Kind.COPY_SERVED: Way.PASS_ON}


def count_circulated(facts: Iterable[Fact]) -> None:
    """Count what went out with these facts, and close what is used up; the caller holds the transaction.

    A copy that is doubted may have gone nowhere (strangers must not use up what a holder allows), and one the fan sent
    to themselves is not in circulation.
    """
    went = [(fact, way) for fact in facts if (way := WAYS.get(fact.kind)) and _went_out(fact)]
    if not went:
        return
    wanted = {fact.body["title"] for fact, _ in went}
    titles = Title.objects.select_related("campaign").in_bulk(wanted)
    found: Counter[tuple[int, Way, dt.date]] = Counter()
    for fact, way in went:
        title = titles.get(fact.body["title"])
        if title is not None and title.campaign_id == fact.campaign_id:
            found[title.pk, way, _day(fact, title.campaign)] += 1
    for (title_id, way, day), count in sorted(found.items()):
        row = CirculationDay.objects.filter(title_id=title_id, way=way, day=day)
        if not row.update(n=F("n") + count):
            CirculationDay.objects.create(title_id=title_id, way=way, day=day, n=count)
    close_used_up({title_id for title_id, way, _ in found if way is Way.PASS_ON})


def _went_out(fact: Fact) -> bool:
    return not fact.body.get("doubt") and not fact.body.get("same_person")


def _day(fact: Fact, campaign: Campaign) -> dt.date:
    """The day of a fact where its campaign is."""
    return clock.from_us(fact.seen_at_us).astimezone(ZoneInfo(campaign.file.season.time_zone)).date()


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
