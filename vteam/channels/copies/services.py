"""A title as bytes: to be heard here, or as the personal copy that carries its fan's link.

The audio is the same stored file for everybody; a copy is that file behind a tag of the fan's own. While bytes
leave, the gate is asked again and again: a withdrawal stops what is under way.
"""

import functools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from vteam import clock
from vteam.campaigns import files
from vteam.campaigns.models import Campaign, Title
from vteam.channels.copies.models import CopySent
from vteam.channels.copies.ranges import Segment, Span, read_span, total_bytes
from vteam.channels.copies.tag import TagTemplate, personal, piece_bytes_for, tag_template
from vteam.journal.services import record_fact
from vteam.people.models import Fan
from vteam.rights.queries import circulation_of
from vteam.rules.facts import title_downloaded
from vteam.rules.rights import Way

ASK_AGAIN_SECONDS = 2.0
TEMPLATES_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Sendable:
    """Something to send: its parts one after the other, its size and the name a player or folder shows."""

    parts: Sequence[bytes | Segment]
    size: int
    file_name: str


def to_listen(title: Title) -> Sendable:
    """The audio alone, for playing on a page."""
    parts = [_body(title)]
    return Sendable(parts=parts, size=total_bytes(parts), file_name=_file_name(title))


def personal_copy(*, campaign: Campaign, title: Title, link: str) -> Sendable:
    """A fan's own copy: the tag with their link (ASCII; of one length within an installation), then the audio."""
    pictures = title.pictures or campaign.pictures
    template = _template(
        title=title.name,
        artist=title.artist,
        album=campaign.file.name,
        year=campaign.file.season.release.year,
        cover=pictures["tag"],
        body_bytes=title.body_bytes,
        link_length=len(link),
    )
    parts: list[bytes | Segment] = [personal(template, link), _body(title)]
    return Sendable(parts=parts, size=total_bytes(parts), file_name=_file_name(title))


@functools.lru_cache(maxsize=TEMPLATES_KEPT)
def _template(
    *, title: str, artist: str, album: str, year: int, cover: str, body_bytes: int, link_length: int
) -> TagTemplate:
    return tag_template(
        title=title,
        artist=artist,
        album=album,
        year=year,
        cover_jpeg=files.path_of(cover).read_bytes(),
        piece_bytes=piece_bytes_for(body_bytes),
        link_length=link_length,
    )


def _body(title: Title) -> Segment:
    return Segment(path=files.path_of(title.body_sha256), start=0, stop=title.body_bytes)


def _file_name(title: Title) -> str:
    """“Artist - Title.mp3” without what file systems or headers stumble over."""
    text = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', " ", f"{title.artist} - {title.name}")
    return " ".join(text.split()).strip(". ")[:120] + ".mp3"


def sending(
    sendable: Sendable, span: Span, *, title_id: int, way: Way, at_end: Callable[[int], None] | None = None
) -> Iterator[bytes]:
    """The bytes of a span. Breaks off when the way is closed; tells `at_end` up to which byte they were taken.

    Of a span taken to its end `at_end` hears just before the last chunk leaves: whoever has the whole answer can
    rely on it, even when this process is killed at that moment.
    """
    asked, taken, told = time.monotonic(), span.start, span.start
    try:
        for chunk in read_span(sendable.parts, span.start, span.stop):
            if time.monotonic() - asked > ASK_AGAIN_SECONDS:
                if not circulation_of(title_id, way, at_us=clock.now_us()).is_open:
                    return
                asked = time.monotonic()
            if at_end is not None and taken + len(chunk) == span.stop:
                at_end(span.stop)
                told = span.stop
            yield chunk
            taken += len(chunk)
    finally:
        if at_end is not None and taken > told:
            at_end(taken)


@transaction.atomic
def count_sent(*, fan: Fan, title: Title, span: Span, taken: int, at_us: int) -> None:
    """Bytes `span.start` to `taken` of a fan's copy were sent; once all are, without a gap, that is a download.

    `at_us`: when they were asked for.
    """
    sent, _ = CopySent.objects.select_for_update().get_or_create(fan=fan, title=title, defaults={"up_to": 0})
    if span.start > sent.up_to or taken <= sent.up_to:
        return
    sent.up_to = taken
    sent.save(update_fields=["up_to"])
    if taken == span.size:
        record_fact(
            campaign_id=fan.campaign_id, fact=title_downloaded(fan=fan.pk, title=title.pk, at_us=at_us)
        )
