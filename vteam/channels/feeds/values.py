"""What feeds are made of, before it is bytes; and the names by which readers know a thing again.

A name is a UUID of the campaign and of the thing's key: never of an address, so that moving to another host, or from
http to https, shows nobody old news as new.
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass

from vteam import clock

VTEAM = uuid.UUID("6f0b4c5e-2d1a-4c3b-9b7e-51f2a8d0c914")
"""The namespace of every name made here; another one would show every reader everything again."""
# Everything but what XML 1.0 (2.2) or RFC 5545 (3.1, CONTROL) leaves out, and the controls U+0080 to U+009F.
UNSAYABLE = re.compile(r"[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One news. `language`: the one it is really written in. `updated_at`: when it was corrected, or published."""

    name: uuid.UUID
    address: str
    title: str
    text: str
    language: str
    published_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsFeed:
    """The news of a campaign in one language, newest first. `page`: where people read them; `address`: its own."""

    name: uuid.UUID
    title: str
    about: str
    author: str
    language: str
    page: str
    address: str
    updated_at: dt.datetime
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something in a calendar at `moment`: a day, or an aware UTC instant. `address`: where more is told."""

    name: uuid.UUID
    summary: str
    about: str
    place: str
    address: str
    moment: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A season in one language. `revision` counts the changes of what it tells, the last made at `updated_at`."""

    name: uuid.UUID
    title: str
    about: str
    language: str
    address: str
    revision: int
    updated_at: dt.datetime
    occasions: tuple[Occasion, ...]


def name_of(slug: str, created_at: dt.datetime, *parts: str) -> uuid.UUID:
    """The name of what `parts` lead to in a campaign, which its address and the microsecond of its making tell apart
    from those of every other installation.
    """
    return uuid.uuid5(VTEAM, "/".join((slug, str(clock.to_us(created_at)), *parts)))


def sayable(text: str) -> str:
    """`text` without what no feed can carry (control characters, halves of pairs); lines end in a line feed."""
    return UNSAYABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
