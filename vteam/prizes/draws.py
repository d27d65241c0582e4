"""Draws: the entries frozen and announced, the randomness taken in when it has come, and the record of it all.

A prize is drawn once. Only a draw that is void, because too few revealed what they had committed to, is announced
again, under the next number; its record stays. docs/draws.md has the algorithm.
"""

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from vteam import clock
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.journal.services import record_fact
from vteam.ledger.models import Total
from vteam.ledger.queries import is_final
from vteam.people.models import Fan
from vteam.prizes.models import Draw, DrawEntry, FreeEntry
from vteam.rules import drawrecords
from vteam.rules.beacons import QUICKNET
from vteam.rules.canonical import canonical, digest
from vteam.rules.draws import WEIGHT_MAX, Entry, announcement_sha256
from vteam.rules.facts import draw_announced, draw_done
from vteam.rules.prizes import Chance, weights

ID_BYTES = 10
IN_LINE = 100
"""How many are drawn besides the winners, to be next in line."""
ENTRIES_AT_ONCE = 5_000
PLACES_AT_ONCE = 500
LEAST_AHEAD = dt.timedelta(minutes=10)
"""So long before its round a draw is announced at least: time for everybody to note the announcement's hash."""


class NotNow(StrEnum):
    """Why a draw is not announced."""

    RESULT_OPEN = "result_open"
    NOBODY = "nobody"
    DRAWN = "drawn"
    TOO_SOON = "too_soon"


class NotTaken(StrEnum):
    """Why a draw is not done with what came."""

    WRONG = "wrong"
    WAITS = "waits"
    DONE = "done"


@transaction.atomic
def enter_free(*, campaign: Campaign, prize: PrizeEntry, fan: Fan, at: dt.datetime) -> bool:
    """A fan takes part without missions; False once the season is over. Entering twice is entering once."""
    if prize.kind != "draw" or at >= campaign.file.season.ends_at:
        return False
    FreeEntry.objects.get_or_create(campaign_id=campaign.pk, prize=prize.key, fan=fan, defaults={"at": at})
    return True


def latest_draw(campaign_id: int, prize: str) -> Draw | None:
    """The draw of a prize, void or not; None before the first was announced."""
    return draws_of(campaign_id, prize).first()


def draws_of(campaign_id: int, prize: str) -> QuerySet[Draw]:
    """Every draw of a prize, the latest first: all before it are void."""
    return Draw.objects.filter(campaign_id=campaign_id, prize=prize).order_by("-number")


@transaction.atomic
def announce(
    *,
    campaign: Campaign,
    prize: PrizeEntry,
    randomness: Mapping[str, Any],
    draws_at: dt.datetime,
    at: dt.datetime,
) -> Draw | NotNow:
    """Freezes the entries of a prize's draw and announces it. `draws_at`: when the randomness will be there."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    before = latest_draw(campaign.pk, prize.key)
    if before is not None and before.void_at is None:
        return NotNow.DRAWN
    if locked.settled_at is None or not is_final(locked.pk):
        return NotNow.RESULT_OPEN
    if draws_at < at + LEAST_AHEAD:
        return NotNow.TOO_SOON
    taking_part = weights(
        _chances(campaign, prize), qualify=_qualify(prize), weighted=prize.weighted, most=WEIGHT_MAX
    )
    if not taking_part:
        return NotNow.NOBODY
    fans = {secrets.token_hex(ID_BYTES): fan for fan in taking_part}
    entries = [Entry(id_, taking_part[fans[id_]]) for id_ in sorted(fans)]
    told = drawrecords.announcement(
        campaign=campaign.slug,
        prize=prize.key,
        how_many=prize.how_many or 1,
        in_line=IN_LINE,
        entries=entries,
        at=at,
        randomness=randomness,
    )
    draw = Draw.objects.create(
        campaign_id=campaign.pk,
        prize=prize.key,
        number=before.number + 1 if before else 1,
        announcement=canonical(told),
        announced=announcement_sha256(told),
        announced_at=at,
    )
    DrawEntry.objects.bulk_create(
        (DrawEntry(draw=draw, entry=id_, weight=weight, fan_id=fans[id_]) for id_, weight in entries),
        batch_size=ENTRIES_AT_ONCE,
    )
    fact = draw_announced(
        prize=prize.key,
        number=draw.number,
        announced=draw.announced,
        entries=len(entries),
        at_us=clock.to_us(at),
    )
    record_fact(campaign_id=campaign.pk, fact=fact)
    return draw


def _qualify(prize: PrizeEntry) -> int:
    return 1 if prize.qualify is None else prize.qualify


def _chances(campaign: Campaign, prize: PrizeEntry) -> list[Chance]:
    free = set(
        FreeEntry.objects.filter(campaign_id=campaign.pk, prize=prize.key).values_list("fan_id", flat=True)
    )
    points = dict(Total.objects.filter(campaign_id=campaign.pk).values_list("fan_id", "confirmed"))
    fans = Fan.objects.filter(campaign_id=campaign.pk).order_by("pk").values_list("pk", flat=True)
    return [Chance(fan=fan, points=points.get(fan, 0), free=fan in free) for fan in fans]


def announcement_of(draw: Draw) -> dict[str, Any]:
    """What was published of a draw."""
    told: dict[str, Any] = json.loads(draw.announcement)
    return told


def draws_at(draw: Draw) -> dt.datetime | None:
    """When the randomness comes; None where its source is not known here."""
    source = announcement_of(draw)["randomness"]
    if source["from"] == "beacon":
        return dt.datetime.fromtimestamp(QUICKNET.time_of(source["round"]), dt.UTC)
    return drawrecords.moment(source["reveal_until"])


def take_randomness(*, draw: Draw, came: Mapping[str, Any], at: dt.datetime) -> Draw | NotTaken:
    """Draws, with the randomness that has come: a round's signature, or what was revealed.

    What is revealed is kept and shown at once, and nobody takes it back: it is drawn when all have revealed, or with
    what was revealed until the close; where that is too little, the draw is void.
    """
    if announcement_of(draw)["randomness"]["from"] == "commitments":
        kept = keep_revealed(draw=draw, revealed=came.get("revealed", {}))
        if isinstance(kept, NotTaken):
            return kept
        draw, came = kept, {"revealed": revealed_of(kept)}
        end = draws_at(draw)
        if (
            len(came["revealed"]) < len(announcement_of(draw)["randomness"]["contributors"])
            and end
            and at < end
        ):
            return NotTaken.WAITS
    # Worked out before anything is locked: of very many entries it takes a while.
    found = drawrecords.checked(drawrecords.unchecked(announcement_of(draw), list(entries_of(draw)), came))
    if not found.too_few and any(fault.part is not drawrecords.Part.ORDER for fault in found.faults):
        return NotTaken.WRONG
    return _done(draw, came, found, at)


@transaction.atomic
def _done(
    draw: Draw, came: Mapping[str, Any], found: drawrecords.Checked, at: dt.datetime
) -> Draw | NotTaken:
    now = Draw.objects.select_for_update().get(pk=draw.pk)
    if now.drawn_at is not None or now.void_at is not None or now.randomness != draw.randomness:
        return NotTaken.DONE
    now.randomness = json.dumps(came)
    if found.too_few:
        now.void_at = at
    else:
        now.drawn_at = at
        for start in range(0, len(found.order), PLACES_AT_ONCE):
            _place(now, found.order[start : start + PLACES_AT_ONCE], start)
    now.save(update_fields=["randomness", "drawn_at", "void_at"])
    _tell(now, "" if found.too_few else digest("\n".join(found.order)), at)
    return now


def _place(draw: Draw, ids: Sequence[str], start: int) -> None:
    places = {id_: start + at for at, id_ in enumerate(ids)}
    entries = list(draw.entries.filter(entry__in=ids))
    for entry in entries:
        entry.place = places[entry.entry]
    DrawEntry.objects.bulk_update(entries, ["place"])


@transaction.atomic
def keep_revealed(*, draw: Draw, revealed: Mapping[str, str]) -> Draw | NotTaken:
    """Keeps what contributors revealed, beside what was revealed before; all of it is what they had committed to."""
    now = Draw.objects.select_for_update().get(pk=draw.pk)
    if now.drawn_at is not None or now.void_at is not None:
        return NotTaken.DONE
    contributors = announcement_of(now)["randomness"]["contributors"]
    commitments = {each["name"]: each["commitment"] for each in contributors}
    for name, secret in revealed.items():
        if drawrecords.commitment_to(name, secret) != commitments.get(name):
            return NotTaken.WRONG
    now.randomness = json.dumps({"revealed": {**revealed_of(now), **revealed}})
    now.save(update_fields=["randomness"])
    return now


def revealed_of(draw: Draw) -> dict[str, str]:
    """What was revealed for a draw so far, by name."""
    revealed: dict[str, str] = json.loads(draw.randomness or "{}").get("revealed", {})
    return revealed


def _tell(draw: Draw, record: str, at: dt.datetime) -> None:
    fact = draw_done(
        prize=draw.prize, number=draw.number, announced=draw.announced, record=record, at_us=clock.to_us(at)
    )
    record_fact(campaign_id=draw.campaign_id, fact=fact)


def entries_of(draw: Draw) -> Iterator[Entry]:
    """The entries of a draw, by id."""
    rows = draw.entries.order_by("entry").values_list("entry", "weight")
    return (Entry(id_, weight) for id_, weight in rows.iterator(chunk_size=ENTRIES_AT_ONCE))


def record_text(draw: Draw) -> Iterator[str]:
    """The record of a draw, a part at a time; `vteam draw verify` checks it. Before it is done: what is frozen."""
    order = draw.entries.filter(place__isnull=False).order_by("place").values_list("entry", flat=True)
    randomness = draw.randomness or "{}"
    yield f'{{"announcement":{draw.announcement},"announced":"{draw.announced}",'
    yield f'"randomness":{randomness},"order":{json.dumps(list(order))},"entries":['
    comma = ""
    lines: list[str] = []
    for id_, weight in entries_of(draw):
        lines.append(f'{comma}["{id_}",{weight}]')
        comma = ","
        if len(lines) == ENTRIES_AT_ONCE:
            yield "".join(lines)
            lines = []
    yield "".join(lines) + "]}\n"
