"""News of a campaign: written by its organisers, pulled by whoever likes, mailed to those who asked (`channels.mail`).

Refuses to publish what lacks a language of its campaign, to publish twice, and to write over what somebody else
changed since it was read. A draft is thrown away; what was published once is only ever taken back.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import get_args

from django.db import transaction
from django.db.models import F, QuerySet

from vteam.campaigns.models import Campaign, News
from vteam.campaigns.values import Language

LANGUAGES: tuple[str, ...] = get_args(Language)
LATEST = (
    "SELECT * FROM campaigns_news WHERE campaign_id = %s AND published_at IS NOT NULL AND withdrawn_at IS NULL"
    " ORDER BY published_at DESC, id DESC LIMIT %s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an organiser wrote: subject and text by language code. A language that is not in it stays as it was."""

    subjects: dict[str, str]
    texts: dict[str, str]


def write_news(*, campaign: Campaign, draft: Draft, at: dt.datetime, news: News | None = None) -> News:
    """Keep a draft, or what was changed of one; a correction of what is published says when it was made."""
    kept = news or News(campaign=campaign, created_at=at)
    before = _content(kept)
    for code in LANGUAGES:
        setattr(kept, f"subject_{code}", draft.subjects.get(code, getattr(kept, f"subject_{code}")))
        setattr(kept, f"text_{code}", draft.texts.get(code, getattr(kept, f"text_{code}")))
    if kept.published_at is not None and _content(kept) != before:
        kept.edited_at = at
    kept.save()
    return kept


@transaction.atomic
def rewrite(*, news: News, draft: Draft, seen: str, at: dt.datetime) -> bool:
    """Write over news as its writer saw it (`seen`: its `state`); False where it has changed or gone since."""
    kept = News.objects.select_for_update().filter(pk=news.pk).first()
    if kept is None or state(kept) != seen:
        return False
    write_news(campaign=kept.campaign, draft=draft, at=at, news=kept)
    return True


def state(news: News) -> str:
    """Changes whenever news does: 64 hexadecimal characters."""
    moments = [at and at.isoformat() for at in (news.published_at, news.withdrawn_at)]
    return hashlib.sha256(json.dumps([*_content(news), *moments]).encode()).hexdigest()


def _content(news: News) -> list[str]:
    return [getattr(news, f"{part}_{code}") for part in ("subject", "text") for code in LANGUAGES]


def lacks(news: News) -> list[str]:
    """The languages of the campaign in which subject or text is still missing."""
    return [
        code
        for code in news.campaign.file.languages
        if not (getattr(news, f"subject_{code}") and getattr(news, f"text_{code}"))
    ]


@transaction.atomic
def publish(*, news: News, at: dt.datetime) -> bool:
    """Put news on pages and feeds; False where it is there already or lacks a language."""
    kept = News.objects.select_for_update().filter(pk=news.pk, published_at=None).first()
    if kept is None or lacks(kept):
        return False
    kept.published_at = at
    kept.save(update_fields=["published_at"])
    return True


def throw_away(*, news: News) -> bool:
    """Delete a draft; False where it was published meanwhile."""
    return bool(News.objects.filter(pk=news.pk, published_at=None).delete()[0])


def take_back(*, news: News, at: dt.datetime) -> bool:
    """Take news off pages and feeds; False where it is not there."""
    on_pages = News.objects.filter(pk=news.pk, withdrawn_at=None).exclude(published_at=None)
    return bool(on_pages.update(withdrawn_at=at))


def put_back(*, news: News) -> bool:
    """Undo `take_back`: on pages and feeds again, at its old place; False where it was not taken back."""
    return bool(News.objects.filter(pk=news.pk).exclude(withdrawn_at=None).update(withdrawn_at=None))


def published(campaign: Campaign) -> QuerySet[News]:
    """What is on the campaign's pages and feeds, newest first."""
    return campaign.news.exclude(published_at=None).filter(withdrawn_at=None).order_by("-published_at", "-pk")


def latest(campaign: Campaign, *, at_most: int) -> list[News]:
    """The newest of what is on the campaign's pages."""
    return list(News.objects.raw(LATEST, [campaign.pk, at_most]))


def written(campaign: Campaign) -> QuerySet[News]:
    """Everything its organisers wrote: drafts first, then what was published, each newest first."""
    return campaign.news.order_by(F("published_at").desc(nulls_first=True), "-pk")
