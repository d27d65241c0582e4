"""News as bytes: Atom (RFC 4287) and JSON Feed 1.1. The same values give the same bytes.

Texts are plain paragraphs: they become HTML here, escaped, and then are escaped once more for what carries them.
"""

import datetime as dt
import json
from io import StringIO
from typing import Any

from django.utils.feedgenerator import Atom1Feed
from django.utils.html import linebreaks
from django.utils.xmlutils import SimplerXMLGenerator

from vteam.channels.feeds.values import Entry, NewsFeed, sayable

JSON_FEED = "https://jsonfeed.org/version/1.1"


class _Atom(Atom1Feed):
    """Django's, with whole texts, the language of each, and no look at the clock where there is no news."""

    def latest_post_date(self) -> dt.datetime:
        """Django's hook."""
        updated_at: dt.datetime = self.feed["updated_at"]
        return updated_at

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        """Django's hook."""
        return {"xml:lang": item["language"]}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        """Django's hook."""
        super().add_item_elements(handler, item)
        handler.addQuickElement("content", item["content"], {"type": "html"})


def atom(feed: NewsFeed) -> bytes:
    """The feed as an Atom document."""
    document = _Atom(
        title=sayable(feed.title),
        link=feed.page,
        description=None,
        subtitle=sayable(feed.about),
        language=feed.language,
        author_name=sayable(feed.author),
        feed_url=feed.address,
        feed_guid=feed.name.urn,
        updated_at=feed.updated_at,
    )
    for entry in feed.entries:
        document.add_item(
            title=sayable(entry.title),
            link=entry.address,
            description=None,  # type: ignore[arg-type]  # no summary beside the whole text
            unique_id=entry.name.urn,
            pubdate=entry.published_at,
            updateddate=entry.updated_at,
            language=entry.language,
            content=_html(entry),
        )
    written = StringIO()
    document.write(written, "utf-8")
    return written.getvalue().encode()


def json_feed(feed: NewsFeed) -> bytes:
    """The feed as a JSON Feed."""
    content = {
        "version": JSON_FEED,
        "title": sayable(feed.title),
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "description": sayable(feed.about),
        "authors": [{"name": sayable(feed.author)}],
        "language": feed.language,
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _item(entry: Entry) -> dict[str, str]:
    return {
        "id": entry.name.urn,
        "url": entry.address,
        "title": sayable(entry.title),
        "content_html": _html(entry),
        "content_text": sayable(entry.text),
        "date_published": entry.published_at.isoformat(),
        "date_modified": entry.updated_at.isoformat(),
        "language": entry.language,
    }


def _html(entry: Entry) -> str:
    return linebreaks(sayable(entry.text), autoescape=True)
