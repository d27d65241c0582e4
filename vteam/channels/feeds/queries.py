"""What a campaign's feeds tell now, in one language. Addresses are the caller's: no page is known here."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _

from vteam.campaigns.file import CampaignFile, ConcertEntry, MissionEntry
from vteam.campaigns.models import Campaign, CampaignVersion, News
from vteam.campaigns.news import published
from vteam.campaigns.values import begins_at
from vteam.channels.feeds.values import Calendar, Entry, NewsFeed, Occasion, name_of

ENTRIES_MAX: Final = 50
"""The newest so many are in a feed; the pages have all of them."""


def news_feed(
    campaign: Campaign, *, language: str, page: str, address: str, address_of: Callable[[News], str]
) -> NewsFeed:
    """The campaign's news. What was taken back is not among them, and the feed says that it changed then."""
    file = campaign.file
    with translation.override(language):
        title = _("%(campaign)s: news of %(artist)s") % {"campaign": file.name, "artist": file.artist}
    return NewsFeed(
        name=name_of(campaign.slug, campaign.created_at, "news", language),
        title=title,
        about=file.pitch.in_language(language),
        author=file.artist,
        language=language,
        page=page,
        address=address,
        updated_at=news_changed_at(campaign),
        entries=tuple(
            _entry(campaign, news, language, address_of(news)) for news in published(campaign)[:ENTRIES_MAX]
        ),
    )


def _entry(campaign: Campaign, news: News, language: str, address: str) -> Entry:
    assert news.published_at is not None, "only what is published is in a feed"
    return Entry(
        name=name_of(campaign.slug, campaign.created_at, "news", str(news.pk), language),
        address=address,
        title=news.subject(language),
        text=news.text(language),
        language=language if getattr(news, f"subject_{language}") else _other(language),
        published_at=news.published_at,
        updated_at=news.edited_at or news.published_at,
    )


def _other(language: str) -> str:
    return "en" if language == "fr" else "fr"


def news_changed_at(campaign: Campaign) -> dt.datetime:
    """When the news last changed: something was published, corrected or taken back, or the campaign's file applied."""
    times = campaign.news.exclude(published_at=None).aggregate(
        Max("published_at"), Max("edited_at"), Max("withdrawn_at")
    )
    changed: list[dt.datetime] = [at for at in times.values() if at is not None]
    return max([applied_at(campaign), *changed])


def applied_at(campaign: Campaign) -> dt.datetime:
    """When the campaign file in force was applied."""
    versions = CampaignVersion.objects.filter(campaign_id=campaign.pk, version=campaign.version)
    return versions.values_list("applied_at", flat=True).first() or campaign.created_at


# The season ------------------------------------------------------------
def season_calendar(campaign: Campaign, *, language: str, page: str, address: str) -> Calendar:
    """The season's days, those of missions with days of their own, and the concerts, those that are over too."""
    file = campaign.file
    with translation.override(language):
        return Calendar(
            name=name_of(campaign.slug, campaign.created_at, "season", language),
            title=_("%(campaign)s: the season") % {"campaign": file.name},
            about=file.pitch.in_language(language),
            language=language,
            address=address,
            revision=campaign.version,
            updated_at=applied_at(campaign),
            occasions=(
                *_of_the_season(campaign, language, page),
                *(_concert(campaign, concert, language, page) for concert in file.concerts),
            ),
        )


def _of_the_season(campaign: Campaign, language: str, page: str) -> Iterator[Occasion]:
    season, name = campaign.file.season, {"campaign": campaign.file.name}
    pitch = campaign.file.pitch.in_language(language)
    occasion = partial(_occasion, campaign, zone=season.time_zone, address=page)
    summary = _("%(campaign)s: the season opens") % name
    yield occasion("opens", summary=summary, about=pitch, moment=season.starts)
    yield occasion("release", summary=_("%(campaign)s is out") % name, about=pitch, moment=season.release)
    yield occasion("ends", summary=_("%(campaign)s: the season ends") % name, moment=season.ends)
    for mission in campaign.file.missions:
        if not mission.coming:  # of what is only announced, nothing is certain yet
            yield from _mission(campaign.file, mission, language, occasion)


def _mission(
    file: CampaignFile, mission: MissionEntry, language: str, occasion: Callable[..., Occasion]
) -> Iterator[Occasion]:
    """Its first and last moment, where they are its own."""
    said = {"campaign": file.name, "mission": mission.name.in_language(language)}
    about = mission.explanation.in_language(language)
    if mission.opens and file.mission_opens_at(mission) != file.season.starts_at:
        summary = _("%(campaign)s: “%(mission)s” opens") % said
        yield occasion("mission", mission.key, "opens", summary=summary, about=about, moment=mission.opens)
    if mission.closes and file.mission_closes_at(mission) != file.season.ends_at:
        summary = _("%(campaign)s: “%(mission)s” ends") % said
        yield occasion("mission", mission.key, "closes", summary=summary, about=about, moment=mission.closes)


def _concert(campaign: Campaign, concert: ConcertEntry, language: str, page: str) -> Occasion:
    said = {"artist": campaign.file.artist, "concert": concert.name.in_language(language)}
    return _occasion(
        campaign,
        "concert",
        concert.key,
        summary=_("%(artist)s: %(concert)s") % said,
        about=concert.explanation.in_language(language) if concert.explanation else "",
        place=concert.place,
        moment=concert.at,
        zone=campaign.file.zone_of(concert),
        address=concert.tickets or page,
    )


def _occasion(
    campaign: Campaign,
    *key: str,
    summary: str,
    moment: dt.date,
    zone: str,
    address: str,
    about: str = "",
    place: str = "",
) -> Occasion:
    """A day stays a day; a local hour is the instant it is in `zone`."""
    return Occasion(
        name=name_of(campaign.slug, campaign.created_at, *key),
        summary=summary,
        about=about,
        place=place,
        address=address,
        moment=begins_at(moment, zone) if isinstance(moment, dt.datetime) else moment,
    )
