"""A fan's torrent as the edge looks it up, on both databases, and how its downloads stand going there and back."""

import asyncio
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.channels.copies.services import personal_copy
from vteam.channels.swarm import models
from vteam.channels.swarm.seeding import info_of, new_keys, torrent_of, watched
from vteam.channels.swarm.torrents.watch import Book
from vteam.edge.databases import database_from
from vteam.edge.lookups import Cached
from vteam.edge.torrents import Torrents
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Inbox
from vteam.people.models import Fan

LINK = "http://localhost:8001/r/abcdefghij"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def torrent(demo: Campaign, bo: Fan, digues: Title) -> models.Torrent:
    copy = personal_copy(campaign=demo, title=digues, link=LINK)
    return torrent_of(fan=bo, title=digues, copy=copy, link=LINK, at=clock.now())


@pytest.fixture
def lookups() -> Iterator[Torrents]:
    """The edge's way into the tests' own database."""
    named = {**settings.DATABASES["default"], "NAME": connection.settings_dict["NAME"]}
    found = Torrents(database_from(named, settings.DATA))
    yield found
    found.close()


def test_the_edge_finds_a_torrent_with_all_that_it_needs(
    demo: Campaign, torrent: models.Torrent, lookups: Torrents
) -> None:
    found = asyncio.run(lookups.seen.find(bytes.fromhex(torrent.info_hash))).torrent
    assert found is not None
    assert found.info() == info_of(torrent)
    assert (found.id, found.fan, found.title) == (torrent.pk, torrent.fan_id, torrent.template.title_id)
    assert (found.campaign, found.network_key) == (demo.pk, bytes(demo.network_key))
    assert (found.seed_key, found.friend_key) == (torrent.seed_key, torrent.friend_key)
    assert found.ends_us == clock.to_us(demo.file.season.ends_at)
    assert found.piece_hash(0) == bytes(torrent.first)[:20]
    assert found.piece_hash(found.template.pieces - 1) == bytes(torrent.template.body)[-20:]


def test_what_is_no_torrent_of_ours_is_none(demo: Campaign, lookups: Torrents) -> None:
    assert asyncio.run(lookups.seen.find(bytes(20))).torrent is None


def test_new_keys_are_seen_after_a_few_seconds(torrent: models.Torrent, lookups: Torrents) -> None:
    now = 0.0
    seen = Cached(lookups._source, lookups._torrent_of, seconds=5, clock=lambda: now)
    info_hash = bytes.fromhex(torrent.info_hash)

    def friend_key() -> str:
        found = seen.remembered(info_hash) or asyncio.run(seen.find(info_hash))
        assert found.torrent is not None
        return found.torrent.friend_key

    assert friend_key() == torrent.friend_key
    new_keys(torrent=torrent)
    assert friend_key() == torrent.friend_key
    now = 5.1
    assert friend_key() != torrent.friend_key


def test_how_downloads_stand_goes_to_the_page_and_back_to_the_edge(
    torrent: models.Torrent, lookups: Torrents
) -> None:
    from vteam.channels.swarm.torrents.announce import Announce, Event, Role

    found = asyncio.run(lookups.seen.find(bytes.fromhex(torrent.info_hash))).torrent
    assert found is not None
    rows: list[tuple[int, str, str, int, str]] = []
    book = Book(record=rows.extend, keep=rows.append, interval_us=90_000_000)
    at_us = clock.now_us()
    told = Announce(
        info_hash=found.info_hash, peer_id=b"-TR3000-abcdefghijkl", port=6881, uploaded=0, downloaded=0, left=0,
        event=Event.STARTED, compact=True, most=50,
    )  # fmt: skip
    book.announced(found, Role.SEEDER, "81.2.69.142", told, at_us)
    book.keep(at_us)
    for campaign_id, kind, key, seen_at_us, body in rows:
        Inbox.objects.create(campaign_id=campaign_id, kind=kind, key=key, seen_at_us=seen_at_us, body=body)
    Mover(InboxTable()).move()
    kept = watched(torrent)
    assert kept is not None
    assert [seeder["client"] for seeder in kept["seeders"]] == ["Transmission 3.00"]
    ((again, content),) = asyncio.run(lookups.watched_since(at_us - 1))
    assert (again, content) == (found, kept)
    assert asyncio.run(lookups.watched_since(at_us + 1)) == []
