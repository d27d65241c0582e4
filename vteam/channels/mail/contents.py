"""What a message is about, looked up when it leaves: from the ids in its rows to what its template asks for.

None where there is nothing to say any more (news taken back, a title nobody asks for): the message is given up.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import translation
from django.utils.formats import date_format

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.news import published
from vteam.channels.mail.letters import home_url
from vteam.channels.mail.models import Mailing, OutboxMessage
from vteam.ledger.queries import fans_ranked, standing_of
from vteam.people.models import Fan
from vteam.prizes.models import Offer
from vteam.prizes.queries import prize_of
from vteam.rules.grants import Purpose
from vteam.rules.prizes import State

Content = dict[str, Any]
ITEMS_SHOWN = 20


class Asked(NamedTuple):
    """What a content is made from: the rows it gathers, the campaign (None: the installation) and the language."""

    rows: Sequence[OutboxMessage]
    campaign: Campaign | None
    language: str

    def abouts(self) -> list[dict[str, Any]]:
        """What the rows are about, oldest first."""
        return [json.loads(row.about) for row in sorted(self.rows, key=lambda row: row.pk)]

    def page(self, path: str) -> str:
        """The whole address of a page of the campaign in the reader's language."""
        assert self.campaign is not None
        return f"{home_url()}/{self.language}/{self.campaign.slug}/{path}"


def content_of(purpose: Purpose, asked: Asked) -> Content | None:
    """What the template of a purpose asks for, or None where nothing is left to say."""
    content = _MAKERS[purpose](asked)
    if content is None or asked.campaign is None:
        return content
    file = asked.campaign.file
    return {"campaign": {"name": file.name, "team": file.team, "artist": file.artist}, **content}


def _news(asked: Asked) -> Content | None:
    assert asked.campaign is not None
    wanted = {about["news"] for about in asked.abouts()}
    stopped = Mailing.objects.filter(news__in=wanted, state=Mailing.STOPPED).values("news")
    told = published(asked.campaign).filter(pk__in=wanted).exclude(pk__in=stopped)
    found = told.order_by("published_at")[:ITEMS_SHOWN]
    items = [
        {
            "subject": news.subject(asked.language),
            "text": news.text(asked.language),
            "address": asked.page(f"news/{news.pk}"),
        }
        for news in found
    ]
    return {"items": items} if items else None


def _asked(asked: Asked) -> Content | None:
    wanted = {about["title"] for about in asked.abouts()}
    titles = Title.objects.filter(pk__in=wanted, retired_at=None).order_by("position")[:ITEMS_SHOWN]
    items = [{"title": title.name, "address": asked.page(f"titles/{title.key}/pass-on")} for title in titles]
    return {"items": items} if items else None


def _won(asked: Asked) -> Content | None:
    """The prizes still to be claimed, each with its last moment where the campaign is."""
    assert asked.campaign is not None
    zone = ZoneInfo(asked.campaign.file.season.time_zone)
    offers = Offer.objects.filter(
        pk__in={about["offer"] for about in asked.abouts()}, state=State.OFFERED, fan__isnull=False
    )
    with translation.override(asked.language):
        items = [
            {
                "name": prize.name.in_language(asked.language),
                "until": date_format(offer.claim_by.astimezone(zone), "DATETIME_FORMAT"),
                "address": asked.page(f"prizes/won/{offer.pk}"),
            }
            for offer in offers.order_by("claim_by")[:ITEMS_SHOWN]
            if (prize := prize_of(asked.campaign, offer.prize))
        ]
    return {"items": items} if items else None


def _points(asked: Asked) -> Content | None:
    assert asked.campaign is not None
    abouts = asked.abouts()
    fan, since_us = abouts[0]["fan"], min(about["since_us"] for about in abouts)
    gained = gained_since(asked.campaign.pk, fan, since_us=since_us)
    if gained <= 0 or not Fan.objects.filter(pk=fan).exists():
        return None
    own = standing_of(asked.campaign.pk, fan)
    return {
        "gained": gained,
        "points": own.points,
        "waiting": own.waiting,
        "rank": own.rank,
        "fans": fans_ranked(asked.campaign.pk),
        "address": asked.page("points"),
    }


def gained_since(campaign_id: int, fan: int, *, since_us: int) -> int:
    """The points a fan's facts seen after a moment (µs) brought, those taken back taken off."""
    with connection.cursor() as cursor:
        cursor.execute(_GAINED, [campaign_id, fan, since_us])
        return int(cursor.fetchone()[0])


_GAINED = (
    "SELECT COALESCE(SUM(CASE d.outcome WHEN 'awarded' THEN d.points WHEN 'reversed' THEN -d.points ELSE 0 END), 0) "
    "FROM ledger_decision d JOIN journal_fact f ON f.campaign_id = d.campaign_id AND f.seq = d.fact_seq "
    "WHERE d.campaign_id = %s AND d.fan_id = %s AND f.seen_at_us > %s"
)


def _faults(asked: Asked) -> Content | None:
    """Each place once, with when it failed first and last. `beyond`: more failed than is told in an hour."""
    places: dict[str, list[int]] = {}
    for about in asked.abouts():
        places.setdefault(about["what"], []).append(about["at_us"])
    beyond = places.pop("", None) is not None
    with translation.override(asked.language):
        items = [
            {"what": what, "first": _moment(min(times)), "last": _moment(max(times))}
            for what, times in list(places.items())[:ITEMS_SHOWN]
        ]
    return {"items": items, "n": len(places), "more": len(places) - len(items), "beyond": beyond}


def _moment(at_us: int) -> str:
    return date_format(clock.from_us(at_us), "DATETIME_FORMAT")


_MAKERS: dict[Purpose, Callable[[Asked], Content | None]] = {
    Purpose.NEWS: _news,
    Purpose.ASKED: _asked,
    Purpose.POINTS: _points,
    Purpose.WON: _won,
    Purpose.FAULTS: _faults,
}
