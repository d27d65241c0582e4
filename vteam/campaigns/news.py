"""News of a campaign: written by its organisers, pulled by whoever likes, mailed to those who asked (`channels.mail`).

Refuses to publish what lacks a language of its campaign, and to publish twice.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet

from vteam.campaigns.models import Campaign, News


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an organiser wrote: subject and text by language code."""

    subjects: dict[str, str]
    texts: dict[str, str]


def write_news(*, campaign: Campaign, draft: Draft, at: dt.datetime, news: News | None = None) -> News:
    """Keep a draft, or what was changed of one; a correction of what is published says when it was made."""
    kept = news or News(campaign=campaign, created_at=at)
    for code in ("en", "fr"):
        setattr(kept, f"subject_{code}", draft.subjects.get(code, ""))
        setattr(kept, f"text_{code}", draft.texts.get(code, ""))
    if kept.published_at is not None:
        kept.edited_at = at
    kept.save()
    return kept


def lacks(news: News) -> list[str]:
    """The languages of the campaign in which subject or text is still missing."""
    return [
        code
        for code in news.campaign.file.languages
        if not (getattr(news, f"subject_{code}") and getattr(news, f"text_{code}"))
    ]


def publish(*, news: News, at: dt.datetime) -> bool:
    """Put news on pages and feeds; False where it is there already or lacks a language."""
    if lacks(news):
        return False
    return bool(News.objects.filter(pk=news.pk, published_at=None, withdrawn_at=None).update(published_at=at))


def take_back(*, news: News, at: dt.datetime) -> None:
    """Take news off pages and feeds; a draft is thrown away."""
    if news.published_at is None:
        news.delete()
    else:
        News.objects.filter(pk=news.pk, withdrawn_at=None).update(withdrawn_at=at)


def published(campaign: Campaign) -> QuerySet[News]:
    """What is on the campaign's pages and feeds, newest first."""
    return campaign.news.exclude(published_at=None).filter(withdrawn_at=None).order_by("-published_at", "-pk")
