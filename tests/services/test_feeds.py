"""Feeds as programs read them: real parsers find what was told, whatever names and texts hold."""

import datetime as dt
import json
import uuid
from dataclasses import replace
from xml.etree import ElementTree

import feedparser
import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import cast
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.models import Campaign, CampaignVersion, News
from vteam.campaigns.news import Draft, publish, take_back, write_news
from vteam.channels.feeds.news import atom, json_feed
from vteam.channels.feeds.queries import ENTRIES_MAX, applied_at, news_feed, season_calendar
from vteam.channels.feeds.season import icalendar_of
from vteam.channels.feeds.values import Calendar, Entry, NewsFeed, Occasion, name_of, sayable

AT = cast.AT
HOSTILE = "Bo & <script>alert('x')</script> ]]> \"quoted\"; a, b \\n \x00\x1b[31m\x85\ufffe\r\nEND:VEVENT"
TAME = "Bo & <script>alert('x')</script> ]]> \"quoted\"; a, b \\n [31m\nEND:VEVENT"
ESCAPED = (
    TAME.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
)  # RFC 5545, 3.3.11
PAGE = "https://team.example.org/fr/maree-haute/"
ENTRY = Entry(
    name=name_of("maree-haute", AT, "news", "1", "fr"),
    address=PAGE,
    title="Nantes affiche complet",
    text="Merci.\n\nOn ajoute une date & <b>vite</b>.",
    language="fr",
    published_at=AT,
    updated_at=AT + dt.timedelta(hours=1),
)
FEED = NewsFeed(
    name=name_of("maree-haute", AT, "news", "fr"),
    title="Marée haute",
    about="Trois chansons.",
    author="Lune Noire",
    language="fr",
    page=PAGE,
    address="https://team.example.org/fr/maree-haute/news.atom",
    updated_at=AT,
    entries=(ENTRY,),
)
CONCERT = Occasion(
    name=name_of("maree-haute", AT, "concert", "nantes"),
    summary="Lune Noire : le concert de sortie",
    about="Portes à 19 h.",
    place="La Cale sèche, Nantes",
    address="https://lune-noire.example/nantes",
    moment=dt.datetime(2026, 12, 19, 19, 30, tzinfo=dt.UTC),
)
CALENDAR = Calendar(
    name=name_of("maree-haute", AT, "season", "fr"),
    title="Marée haute : la saison",
    about="Trois chansons.",
    language="fr",
    address="https://team.example.org/fr/maree-haute/season.ics",
    revision=3,
    updated_at=AT,
    occasions=(CONCERT, replace(CONCERT, name=uuid.UUID(int=1), place="", moment=dt.date(2026, 12, 31))),
)


def read_atom(content: bytes) -> feedparser.FeedParserDict:
    found = feedparser.parse(content)
    assert not found.bozo, found.get("bozo_exception")
    return found


def read_calendar(content: bytes) -> icalendar.Calendar:
    found = icalendar.Calendar.from_ical(content)
    assert isinstance(found, icalendar.Calendar)
    assert found.errors == []
    assert not any(event.errors for event in found.walk())
    return found


# Bytes ------------------------------------------------------------
def test_a_feed_reader_finds_title_author_language_and_whole_texts_in_the_atom_feed() -> None:
    found = read_atom(atom(FEED))
    assert (found.version, found.feed.title, found.feed.subtitle) == (
        "atom10",
        "Marée haute",
        "Trois chansons.",
    )
    assert (found.feed.author, found.feed.language, found.feed.id) == ("Lune Noire", "fr", FEED.name.urn)
    assert {link.rel: link.href for link in found.feed.links} == {"self": FEED.address, "alternate": PAGE}
    [entry] = found.entries
    assert (entry.title, entry.link, entry.id) == (ENTRY.title, PAGE, ENTRY.name.urn)
    assert (
        entry.content[0].value == "<p>Merci.</p>\n\n<p>On ajoute une date &amp; &lt;b&gt;vite&lt;/b&gt;.</p>"
    )
    assert (entry.content[0].type, entry.content[0].language) == ("text/html", "fr")
    assert entry.published.startswith("2026-11-20T12:00:00")
    assert entry.updated.startswith("2026-11-20T13:00:00")


def test_a_json_feed_says_the_same() -> None:
    found = json.loads(json_feed(FEED))
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert (found["title"], found["language"]) == ("Marée haute", "fr")
    assert (found["home_page_url"], found["feed_url"]) == (PAGE, FEED.address)
    assert found["authors"] == [{"name": "Lune Noire"}]
    [item] = found["items"]
    assert (item["id"], item["url"], item["language"]) == (ENTRY.name.urn, PAGE, "fr")
    assert item["content_text"] == ENTRY.text
    assert "&lt;b&gt;vite" in item["content_html"]
    assert dt.datetime.fromisoformat(item["date_published"]) == ENTRY.published_at
    assert dt.datetime.fromisoformat(item["date_modified"]) == ENTRY.updated_at


def test_a_calendar_program_finds_the_hour_in_utc_and_the_day_as_a_day() -> None:
    found = read_calendar(icalendar_of(CALENDAR))
    assert str(found["X-WR-CALNAME"]) == str(found["NAME"]) == "Marée haute : la saison"
    assert found["REFRESH-INTERVAL"].dt == dt.timedelta(hours=6)
    evening, day = found.events
    assert evening["DTSTART"].dt == CONCERT.moment
    assert "DTEND" not in evening
    assert (day["DTSTART"].dt, day["DTEND"].dt) == (dt.date(2026, 12, 31), dt.date(2027, 1, 1))
    assert (str(evening["SUMMARY"]), str(evening["LOCATION"])) == (CONCERT.summary, CONCERT.place)
    assert (evening["SEQUENCE"], evening["DTSTAMP"].dt, evening["UID"]) == (3, AT, str(CONCERT.name))
    assert (evening["URL"], evening["TRANSP"]) == (CONCERT.address, "TRANSPARENT")
    assert "LOCATION" not in day


def test_names_and_texts_with_marks_of_every_format_arrive_as_text() -> None:
    entry = replace(ENTRY, title=HOSTILE, text=HOSTILE)
    feed = replace(FEED, title=HOSTILE, about=HOSTILE, author=HOSTILE, entries=(entry,))
    root = ElementTree.fromstring(atom(feed))
    names = {"a": "http://www.w3.org/2005/Atom"}
    for path in ("a:title", "a:subtitle", "a:author/a:name", "a:entry/a:title"):
        assert root.findtext(path, namespaces=names) == TAME
    assert "<script" not in (root.findtext("a:entry/a:content", namespaces=names) or "<script")
    item = json.loads(json_feed(feed))["items"][0]
    assert (item["title"], item["content_text"]) == (TAME, TAME)
    assert "<script" not in item["content_html"]
    occasion = replace(CONCERT, summary=HOSTILE, about=HOSTILE, place=HOSTILE)
    found = read_calendar(
        icalendar_of(replace(CALENDAR, title=HOSTILE, about=HOSTILE, occasions=(occasion,)))
    )
    [event] = found.events
    assert str(found["DESCRIPTION"]) == TAME
    for name in ("NAME", "X-WR-CALNAME", "X-WR-CALDESC"):  # the library reads these as they are written
        assert str(found[name]) == ESCAPED
    assert {str(event[name]) for name in ("SUMMARY", "DESCRIPTION", "LOCATION")} == {TAME}


@given(st.text(max_size=300))
def test_any_text_survives_every_format(text: str) -> None:
    feed = replace(FEED, title=text, entries=(replace(ENTRY, title=text, text=text),))
    root = ElementTree.fromstring(atom(feed))
    assert (root.findtext("{http://www.w3.org/2005/Atom}title") or "") == sayable(text)
    assert json.loads(json_feed(feed))["items"][0]["content_text"] == sayable(text)
    content = icalendar_of(replace(CALENDAR, occasions=(replace(CONCERT, summary=text),)))
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    [event] = read_calendar(content).events
    assert str(event["SUMMARY"]) == sayable(text)


def test_the_same_values_are_the_same_bytes_even_without_news() -> None:
    for feed in (FEED, replace(FEED, entries=())):
        assert atom(feed) == atom(feed)
        assert read_atom(atom(feed)).feed.updated.startswith("2026-11-20T12:00:00")
    assert icalendar_of(CALENDAR) == icalendar_of(CALENDAR)


@pytest.mark.parametrize(
    "parts",
    [("maree-basse", AT, "news", "1"), ("maree-haute", AT + dt.timedelta(microseconds=1), "news", "1")],
)
def test_two_campaigns_never_share_a_name(parts: tuple[str, dt.datetime, str, str]) -> None:
    assert name_of(*parts) != name_of("maree-haute", AT, "news", "1")


# What is in them ------------------------------------------------------------
@pytest.fixture
def campaign(db: None) -> Campaign:
    found = Campaign.objects.create(
        slug="maree-haute",
        version=2,
        document=cast.campaign_file("maree-haute").canonical(),
        network_key=cast.NETWORK_KEY,
        pictures={},
        created_at=AT - dt.timedelta(days=2),
    )
    for version, days in ((1, 2), (2, 1)):
        CampaignVersion.objects.create(
            campaign_id=found.pk,
            version=version,
            document="",
            sha256="",
            applied_at=AT - dt.timedelta(days=days),
        )
    return found


def told(campaign: Campaign, subject: str, *, hours: int) -> News:
    draft = Draft(subjects={"en": subject, "fr": f"{subject} (fr)"}, texts={"en": "Text", "fr": "Texte"})
    at = AT + dt.timedelta(hours=hours)
    news = write_news(campaign=campaign, draft=draft, at=at)
    assert publish(news=news, at=at)
    news.refresh_from_db()
    return news


def feed_of(campaign: Campaign, language: str = "fr") -> NewsFeed:
    return news_feed(
        campaign, language=language, page=PAGE, address=PAGE, address_of=lambda news: f"{PAGE}{news.pk}"
    )


def calendar_of(campaign: Campaign, language: str = "en", **changed: object) -> dict[str, Occasion]:
    """The campaign's occasions by what they are called, with parts of its file changed."""
    content = json.loads(campaign.file.canonical()) | changed
    campaign.document = CampaignFile.model_validate_json(json.dumps(content)).canonical()
    campaign = Campaign(
        pk=campaign.pk,
        slug=campaign.slug,
        version=campaign.version,
        document=campaign.document,
        created_at=campaign.created_at,
    )
    calendar = season_calendar(campaign, language=language, page=PAGE, address=PAGE)
    return {occasion.summary: occasion for occasion in calendar.occasions}


def test_news_come_newest_first_in_the_feeds_language_and_drafts_stay_at_home(campaign: Campaign) -> None:
    told(campaign, "One", hours=0)
    told(campaign, "Two", hours=1)
    write_news(campaign=campaign, draft=Draft(subjects={"en": "Draft"}, texts={}), at=AT)
    assert [entry.title for entry in feed_of(campaign).entries] == ["Two (fr)", "One (fr)"]
    assert [entry.title for entry in feed_of(campaign, "en").entries] == ["Two", "One"]


def test_a_correction_is_an_update_under_the_same_name(campaign: Campaign) -> None:
    news = told(campaign, "One", hours=0)
    [before] = feed_of(campaign).entries
    later = AT + dt.timedelta(hours=5)
    write_news(
        campaign=campaign,
        draft=Draft(subjects={"fr": "Un", "en": "One"}, texts={"fr": "T", "en": "T"}),
        at=later,
        news=news,
    )
    [after] = feed_of(campaign).entries
    assert (after.name, after.published_at) == (before.name, before.published_at)
    assert (after.title, after.updated_at, feed_of(campaign).updated_at) == ("Un", later, later)


def test_news_taken_back_disappear_and_the_feed_says_that_it_changed(campaign: Campaign) -> None:
    news = told(campaign, "One", hours=0)
    take_back(news=news, at=AT + dt.timedelta(hours=2))
    feed = feed_of(campaign)
    assert feed.entries == ()
    assert feed.updated_at == AT + dt.timedelta(hours=2)


def test_a_feed_without_news_changed_when_the_file_was_applied(campaign: Campaign) -> None:
    assert feed_of(campaign).updated_at == applied_at(campaign) == AT - dt.timedelta(days=1)


def test_news_in_another_language_than_the_feeds_say_so(campaign: Campaign) -> None:
    news = told(campaign, "One", hours=0)
    News.objects.filter(pk=news.pk).update(subject_fr="", text_fr="")
    feed = feed_of(campaign)
    assert (feed.language, feed.entries[0].language, feed.entries[0].title) == ("fr", "en", "One")
    assert b'<entry xml:lang="en">' in atom(feed)


def test_a_feed_holds_the_newest_and_ends(campaign: Campaign) -> None:
    for hours in range(ENTRIES_MAX + 1):
        told(campaign, f"News {hours}", hours=hours)
    entries = feed_of(campaign, "en").entries
    assert (len(entries), entries[0].title) == (ENTRIES_MAX, f"News {ENTRIES_MAX}")


def test_the_season_is_in_the_calendar_in_its_language(campaign: Campaign) -> None:
    assert {summary: occasion.moment for summary, occasion in calendar_of(campaign).items()} == {
        "Marée haute: the season opens": dt.date(2026, 11, 16),
        "Marée haute is out": dt.date(2026, 12, 18),
        "Marée haute: the season ends": dt.date(2027, 1, 10),
    }
    assert "Marée haute\u00a0: la saison commence" in calendar_of(campaign, "fr")


def test_missions_are_in_it_only_with_days_of_their_own(campaign: Campaign) -> None:
    missions = [mission.model_dump(mode="json") for mission in campaign.file.missions]
    first, second, third = missions
    first |= {"name": {"en": "Recruit", "fr": "Recrute"}, "opens": "2026-11-16", "closes": "2026-12-24"}
    second |= {
        "name": {"en": "Spread", "fr": "Partage"},
        "opens": "2026-11-20T18:00:00",
        "closes": "2027-01-10",
    }
    third |= {"name": {"en": "Later", "fr": "Plus tard"}, "opens": "2026-12-01", "coming": True}
    own = {
        summary: occasion.moment
        for summary, occasion in calendar_of(campaign, missions=missions).items()
        if "“" in summary
    }
    assert own == {
        "Marée haute: “Recruit” ends": dt.date(2026, 12, 24),
        "Marée haute: “Spread” opens": dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC),
    }


def test_a_concert_keeps_its_name_when_it_moves_and_its_hour_is_that_of_its_place(campaign: Campaign) -> None:
    concert = {
        "key": "london",
        "name": "One night",
        "place": "The Sluice, London",
        "time_zone": "Europe/London",
    }
    names = set()
    for at, moment in (
        ("2026-12-20T20:00:00", dt.datetime(2026, 12, 20, 20, tzinfo=dt.UTC)),
        ("2026-12-21", dt.date(2026, 12, 21)),
    ):
        found = calendar_of(campaign, concerts=[{**concert, "at": at}])["Lune Noire: One night"]
        assert (found.moment, found.place, found.address) == (moment, "The Sluice, London", PAGE)
        names.add(found.name)
    assert len(names) == 1


def test_every_name_in_a_calendar_is_its_own_and_the_same_in_every_language(campaign: Campaign) -> None:
    english, french = ([each.name for each in calendar_of(campaign, code).values()] for code in ("en", "fr"))
    assert english == french
    assert len(set(english)) == 3
