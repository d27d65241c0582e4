"""Reading kiosks and what residents did at them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from vteam.campaigns.file import MissionEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.values import begins_at
from vteam.channels.worlds.models import Avatar, Kiosk, WorldAct
from vteam.journal.models import Fact
from vteam.ledger.models import Decision, Hold
from vteam.people.models import Fan
from vteam.rules.facts import Act

SILENT_AFTER = dt.timedelta(minutes=15)
"""Three heartbeats."""
DAYS_SHOWN = 7


class Alive(StrEnum):
    """How an object stands."""

    WAITING = "waiting"  # its code is to be typed
    LAPSED = "lapsed"  # its code was not typed in time
    ALIVE = "alive"
    SILENT = "silent"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskRow:
    """A kiosk with how it stands, and what it caused today and in the last seven days, today among them."""

    kiosk: Kiosk
    alive: Alive
    today: int
    week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRow:
    """What residents did for a mission. `counted`: in the books; `waiting`: not linked to a fan yet.

    `choices`: how often each was chosen by avatars who are linked, in the file's order.
    """

    entry: MissionEntry
    counted: int
    waiting: int
    wrong: int
    choices: Sequence[int]


def alive(kiosk: Kiosk, *, at: dt.datetime) -> Alive:
    """How an object stands now."""
    if kiosk.revoked_at is not None:
        return Alive.CLOSED
    if kiosk.key is None:
        return Alive.WAITING if kiosk.code_until and at < kiosk.code_until else Alive.LAPSED
    return Alive.ALIVE if kiosk.seen_at and at < kiosk.seen_at + SILENT_AFTER else Alive.SILENT


def kiosks_of(campaign: Campaign, *, fan: Fan | None = None) -> QuerySet[Kiosk]:
    """The kiosks of a campaign, the newest first; or of one who hosts some, closed ones last, the latest first."""
    found = Kiosk.objects.filter(campaign_id=campaign.pk).select_related("fan")
    if fan is None:
        return found.order_by("-made_at", "-pk")
    return found.filter(fan=fan).order_by(F("revoked_at").desc(nulls_first=True), "-made_at", "-pk")


def kiosk_rows(campaign: Campaign, kiosks: Iterable[Kiosk], *, at: dt.datetime) -> list[KioskRow]:
    """Kiosks with their figures, in their order; days are the campaign's."""
    listed = list(kiosks)
    today = _midnights(campaign, at)[0]
    week = _midnights(campaign, at)[-1]
    found = (
        WorldAct.objects.filter(kiosk__in=listed, at__gte=week)
        .values("kiosk")
        .annotate(week=Count("pk"), today=Count("pk", filter=Q(at__gte=today)))
    )
    figures = {row["kiosk"]: (row["today"], row["week"]) for row in found}
    return [
        KioskRow(
            kiosk=kiosk,
            alive=alive(kiosk, at=at),
            today=figures.get(kiosk.pk, (0, 0))[0],
            week=figures.get(kiosk.pk, (0, 0))[1],
        )
        for kiosk in listed
    ]


def acts_by_day(campaign: Campaign, kiosk: Kiosk, *, at: dt.datetime) -> list[tuple[dt.date, int]]:
    """How much a kiosk caused on each of the last days, today first."""
    starts = _midnights(campaign, at)
    zone = ZoneInfo(campaign.file.season.time_zone)
    ends = [at + dt.timedelta(seconds=1), *starts]
    return [
        (
            start.astimezone(zone).date(),
            WorldAct.objects.filter(kiosk=kiosk, at__gte=start, at__lt=end).count(),
        )
        for start, end in zip(starts, ends, strict=False)
    ]


def _midnights(campaign: Campaign, at: dt.datetime) -> list[dt.datetime]:
    """The beginnings of today and the days before, where the campaign is."""
    zone = campaign.file.season.time_zone
    today = at.astimezone(ZoneInfo(zone)).date()
    return [begins_at(today - dt.timedelta(days=n), zone) for n in range(DAYS_SHOWN)]


def world_missions(campaign: Campaign) -> list[MissionEntry]:
    """The campaign's missions in virtual worlds."""
    return [entry for entry in campaign.file.missions if entry.kind == "world"]


def mission_rows(campaign: Campaign) -> list[MissionRow]:
    """What residents did for each mission in a world."""
    acts = WorldAct.objects.filter(campaign_id=campaign.pk)
    sums = {
        row["mission"]: row
        for row in acts.values("mission").annotate(
            counted=Count("pk", filter=Q(recorded_at__isnull=False)),
            waiting=Count("pk", filter=Q(recorded_at=None)),
            wrong=Count("pk", filter=Q(recorded_at__isnull=False, right=False)),
        )
    }
    tallies: dict[str, dict[int, int]] = defaultdict(dict)
    chosen = acts.filter(recorded_at__isnull=False, choice__isnull=False).values_list("mission", "choice")
    for mission, choice, n in chosen.annotate(n=Count("pk")):
        tallies[mission][choice or 0] = n
    none = {"counted": 0, "waiting": 0, "wrong": 0}
    return [
        MissionRow(
            entry=entry,
            counted=sums.get(entry.key, none)["counted"],
            waiting=sums.get(entry.key, none)["waiting"],
            wrong=sums.get(entry.key, none)["wrong"],
            choices=[tallies[entry.key].get(n, 0) for n in range(1, len(entry.choices) + 1)],
        )
        for entry in world_missions(campaign)
    ]


def brought(campaign: Campaign) -> QuerySet[WorldAct]:
    """What residents who are linked brought, and a person has to look at, the oldest first.

    What the books have decided otherwise (it came too late, the fan's other avatar brought something) is not among it.
    """
    told = WorldAct.objects.filter(
        campaign_id=campaign.pk, act=Act.BRING, recorded_at__isnull=False, fan__isnull=False, accepted=None
    )
    key = Concat(Value("world:"), OuterRef("mission"), Value(":"), Cast(OuterRef("avatar_id"), CharField()))
    facts = Fact.objects.filter(campaign_id=campaign.pk, key=key).values("seq")[:1]
    decided = Decision.objects.filter(
        campaign_id=campaign.pk, fact_seq=OuterRef("fact_seq"), mission_key=OuterRef("mission")
    ).values("seq")[:1]
    waits = Hold.objects.filter(campaign_id=campaign.pk, decision_seq=OuterRef("decision_seq"))
    found = told.annotate(fact_seq=Subquery(facts)).annotate(decision_seq=Subquery(decided))
    found = found.filter(Q(decision_seq=None) | Exists(waits))
    return found.select_related("fan", "kiosk").order_by("recorded_at", "pk")


def missions_of(fan: Fan) -> set[str]:
    """The missions a fan has a result for, whatever became of it."""
    return set(WorldAct.objects.filter(fan=fan).values_list("mission", flat=True))


def avatars_of(fan: Fan) -> QuerySet[Avatar]:
    """A fan's avatars, the latest linked first."""
    return Avatar.objects.filter(fan=fan).select_related("fan__person").order_by("-linked_at", "-pk")


def open_kiosks(campaign: Campaign, *, at: dt.datetime) -> QuerySet[Kiosk]:
    """Where a resident can go now: kiosks that are alive, the one that was used last first."""
    seen = Kiosk.objects.filter(campaign_id=campaign.pk, revoked_at=None, seen_at__gt=at - SILENT_AFTER)
    return seen.exclude(key=None).order_by("-seen_at", "-pk")
