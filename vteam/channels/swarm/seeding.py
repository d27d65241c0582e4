"""The site's part of torrent clients: a fan's torrent, its two files and magnet, and how its downloads stand."""

import datetime as dt
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F

from vteam.campaigns.models import Title
from vteam.channels.copies.ranges import Segment, read_span, total_bytes
from vteam.channels.copies.services import Sendable
from vteam.channels.copies.tag import piece_bytes_for
from vteam.channels.swarm.models import Torrent, TorrentTemplate, Watch
from vteam.channels.swarm.torrents import metainfo
from vteam.channels.swarm.torrents.metainfo import Others, Template, hashes_of
from vteam.journal.moving import InboxRow, reject
from vteam.people.models import Fan
from vteam.rules.shapes import problem_with_moment, read_object

KEY_BYTES = 15
NO_OTHERS = "-"
FETCHED_MAX = 1.25
"""How many times over a copy may leave by one fetch key: a client asks for some pieces twice."""


@transaction.atomic
def torrent_of(*, fan: Fan, title: Title, copy: Sendable, link: str, at: dt.datetime) -> Torrent:
    """The fan's torrent of their copy as it is now, made if it was not; `link`: what its tag carries."""
    tag, body = copy.parts
    assert isinstance(tag, bytes) and isinstance(body, Segment)
    stored = _template(title, copy, body)
    first = hashes_of(tag, stored.piece_bytes)
    found, _ = Torrent.objects.get_or_create(
        info_hash=metainfo.info_hash_of(template_of(stored), first).hex(),
        defaults={
            "template": stored,
            "fan": fan,
            "link": link,
            "first": first,
            "seed_key": _key(),
            "friend_key": _key(),
            "made_at": at,
        },
    )
    return found


def _template(title: Title, copy: Sendable, body: Segment) -> TorrentTemplate:
    """The title's template: its body is read and hashed once, whoever asks first."""
    piece_bytes = piece_bytes_for(title.body_bytes)
    named = {
        "title": title,
        "name": copy.file_name,
        "size": copy.size,
        "piece_bytes": piece_bytes,
        "body_sha256": title.body_sha256,
    }
    found = TorrentTemplate.objects.filter(**named).first()
    if found is None:
        content = b"".join(read_span([body], 0, total_bytes([body])))
        found, _ = TorrentTemplate.objects.get_or_create(
            **named, defaults={"body": hashes_of(content, piece_bytes)}
        )
    return found


def template_of(stored: TorrentTemplate) -> Template:
    """A stored template as its value."""
    return Template(
        id=stored.pk,
        name=stored.name,
        size=stored.size,
        piece_bytes=stored.piece_bytes,
        body=bytes(stored.body),
    )


def info_of(torrent: Torrent) -> bytes:
    """The torrent's info dictionary."""
    return metainfo.info_of(template_of(torrent.template), bytes(torrent.first))


def others_of(torrent: Torrent) -> Others | None:
    """The copy's hashes for other networks; None until they are worked out, and where they cannot be."""
    return Others(**json.loads(torrent.others)) if torrent.others not in ("", NO_OTHERS) else None


def keep_others(*, torrent: Torrent, others: Others | None) -> None:
    """Keep a copy's hashes for other networks; None: there will be none."""
    kept = json.dumps(asdict(others)) if others else NO_OTHERS
    Torrent.objects.filter(pk=torrent.pk).update(others=kept)


def new_keys(*, torrent: Torrent) -> None:
    """Both keys anew: files and magnets given out before are worth nothing from now on."""
    Torrent.objects.filter(pk=torrent.pk).update(
        seed_key=_key(), friend_key=_key(), fetch_key=None, fetch_left=0
    )


def new_fetch_key(*, torrent: Torrent) -> str:
    """A key by which the copy can be fetched over HTTP once; the one before is spent."""
    key = _key()
    Torrent.objects.filter(pk=torrent.pk).update(
        fetch_key=key, fetch_left=int(FETCHED_MAX * torrent.template.size)
    )
    return key


def to_fetch(key: str) -> Torrent | None:
    """The torrent whose copy a fetch key opens, as long as there is something left of it."""
    return Torrent.objects.filter(fetch_key=key).select_related("template__title__campaign", "fan").first()


def take_to_fetch(*, torrent: Torrent, size: int) -> bool:
    """Take so many bytes of what the fetch key is still good for; False where it is not, however many ask at once."""
    mine = Torrent.objects.filter(pk=torrent.pk, fetch_key=torrent.fetch_key, fetch_left__gte=size)
    return bool(mine.update(fetch_left=F("fetch_left") - size))


def give_back(*, torrent: Torrent, size: int) -> None:
    """So many of the bytes that were taken did not leave."""
    Torrent.objects.filter(pk=torrent.pk, fetch_key=torrent.fetch_key).update(
        fetch_left=F("fetch_left") + size
    )


def _key() -> str:
    return secrets.token_hex(KEY_BYTES)


# How downloads stand --------------------------------------------------------------------------------------------
def keep_watches(rows: Iterable[InboxRow]) -> None:
    """Keep how downloads stand, of each torrent the latest; the caller holds the transaction."""
    latest = {torrent: row for row in rows if (torrent := _torrent_of_watch(row)) is not None}
    here = set(Torrent.objects.filter(pk__in=latest).values_list("pk", flat=True))
    for torrent, row in latest.items():
        if torrent not in here:
            continue
        kept, is_new = Watch.objects.get_or_create(
            torrent_id=torrent, defaults={"at_us": row.seen_at_us, "content": row.body}
        )
        if not is_new and kept.at_us < row.seen_at_us:
            Watch.objects.filter(pk=torrent).update(at_us=row.seen_at_us, content=row.body)


def _torrent_of_watch(row: InboxRow) -> int | None:
    """The torrent a row is about; None, and the row is kept aside, where it is none."""
    torrent = (read_object(row.body) or {}).get("torrent")
    if type(torrent) is int and 0 < torrent < 2**62 and not problem_with_moment(row.seen_at_us):
        return torrent
    reject(row, "a watch of no torrent or at no time")
    return None


def watched(torrent: Torrent) -> dict[str, Any] | None:
    """What the witness last said of a torrent; None before it said anything."""
    watch = Watch.objects.filter(torrent=torrent).first()
    return read_object(watch.content) if watch else None
