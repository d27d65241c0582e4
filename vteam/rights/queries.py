"""Asking what may circulate. Every page, file, copy and door asks here, at the moment it answers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vteam.rights.models import AgreementText, Holder, RightEvent, TitleHolder
from vteam.rules.rights import Act, Circulation, Course, RightRecord, Way, circulation, course, hearing_us

Circulations = dict[Way, Circulation]


def circulation_of(title_id: int, way: Way, *, at_us: int) -> Circulation:
    """How one way of circulating a title stands now."""
    return circulations([title_id], at_us=at_us)[title_id][way]


def circulations(title_ids: Iterable[int], *, at_us: int) -> dict[int, Circulations]:
    """How every way of several titles stands now (`at_us`), in two queries."""
    wanted = list(title_ids)
    holders, records = _holders(wanted), _records(wanted)
    found = {}
    for title in wanted:
        now_us = hearing_us(records[title], at_us=at_us)
        found[title] = {
            way: circulation(way=way, holders=holders[title], records=records[title], at_us=now_us)
            for way in Way
        }
    return found


def course_of(title_id: int, way: Way, *, at_us: int) -> Course:
    """How one way of circulating a title went until now; the holders are today's."""
    holders, records = _holders([title_id]), _records([title_id])
    return course(way=way, holders=holders[title_id], records=records[title_id], at_us=at_us)


def _holders(title_ids: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    pairs = TitleHolder.objects.filter(title_id__in=title_ids).order_by("holder_id")
    for title, holder in pairs.values_list("title_id", "holder_id"):
        found[title].append(holder)
    return found


def _records(title_ids: list[int]) -> dict[int, list[RightRecord]]:
    found: dict[int, list[RightRecord]] = defaultdict(list)
    for event in RightEvent.objects.filter(title_id__in=title_ids).order_by("id"):
        found[event.title_id].append(record_of(event))
    return found


def record_of(event: RightEvent) -> RightRecord:
    """A stored event as the rule's value."""
    return RightRecord(
        holder=event.holder_id,
        way=event.way,
        act=event.act,
        at_us=event.at_us,
        from_us=event.from_us,
        until_us=event.until_us,
        words=event.words,
    )


def history(title_id: int) -> list[RightEvent]:
    """Everything holders ever said about a title, newest first."""
    return list(RightEvent.objects.filter(title_id=title_id).order_by("-id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One holder's yes to one way, in force: when they gave it, until when it holds, and the very words they saw."""

    holder: Holder
    at_us: int
    until_us: int | None
    text: str
    text_language: str


def agreements(title_id: int, way: Way) -> list[Agreement]:
    """What each named holder last said about a way, where that was a yes; in the order of the holders."""
    agreed = _in_force(title_id, way)
    texts = AgreementText.objects.in_bulk({event.text_sha256 for event in agreed.values()})
    return [
        Agreement(
            holder=holder,
            at_us=event.at_us,
            until_us=event.until_us,
            text=texts[event.text_sha256].text,
            text_language=event.text_language,
        )
        for holder in holders_of(title_id)
        if (event := agreed.get(holder.pk))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a holder allows at most: `at_most` more times than `counted_before`, how often it was when they said so."""

    holder: int
    at_most: int
    counted_before: int
    language: str


def limits_in_force(title_id: int, way: Way) -> list[Limit]:
    """The limits of holders whose last word on a way is a yes with one."""
    return [
        Limit(
            holder=holder,
            at_most=event.at_most,
            counted_before=event.counted_before or 0,
            language=event.text_language,
        )
        for holder, event in _in_force(title_id, way).items()
        if event.at_most is not None
    ]


def _in_force(title_id: int, way: Way) -> dict[int, RightEvent]:
    """The yeses to a way, by holder: their last word, where it was one."""
    said = RightEvent.objects.filter(title_id=title_id, way=way).order_by("id")
    last = {event.holder_id: event for event in said}
    return {holder: event for holder, event in last.items() if event.act == Act.AGREED}


def holders_of(title_id: int) -> list[Holder]:
    """The named holders of a title."""
    return list(Holder.objects.filter(titles__title_id=title_id).order_by("id"))
