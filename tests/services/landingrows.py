"""What a season that is played leaves empty, for the folders of `landing`: a row or more in every table.

Each is made by the product's own services, as in a real installation: facts come into the books by the inbox and the
mover alone.
"""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from tests import cast
from tests.services.moving import EdgeInbox, Row, row_of, still
from tests.web import worldstage
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.news import Draft, latest, take_back, write_news
from vteam.campaigns.organisers import invite, take_invitation
from vteam.channels.copies.services import personal_copy
from vteam.channels.links.services import share_at_hand, share_inside_copies
from vteam.channels.mail.bounces import Kind, Returned
from vteam.channels.mail.codes import Asker, ask_code
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.mailings import begin_mailing, put_into_outbox
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.returns import hold
from vteam.channels.swarm.evidence import Part, rows_of
from vteam.channels.swarm.models import Asked, Torrent
from vteam.channels.swarm.pieces import Pieces
from vteam.channels.swarm.seeding import new_fetch_key, torrent_of
from vteam.channels.swarm.services import ask_for, browser_hash, let_be_asked, pieces_of_copy, see_asked
from vteam.channels.swarm.tickets import Role, Ticket
from vteam.channels.swarm.torrents import announce
from vteam.channels.swarm.torrents.watch import Book
from vteam.edge.databases import database_from
from vteam.edge.torrents import Torrents
from vteam.jobs.edgefile import EdgeFile
from vteam.jobs.moving import Mover
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.services import INSTALLATION, Said, end, record_said
from vteam.permissions.wording import wording
from vteam.rules.facts import Evidence
from vteam.rules.grants import Event, Pace, Purpose

CODE_ADDRESS = "cy@example.org"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def rows_besides_a_season(campaign: Campaign, at: dt.datetime) -> dict[str, Any]:
    """What a played season has none of; returns what a later reader cannot know from the rows."""
    fan, *others = Fan.objects.filter(campaign_id=campaign.pk).order_by("pk")
    _an_award_that_waits()
    told: dict[str, Any] = {"fan": fan.pk, "invitation": _people_who_organise(campaign, at)}
    _what_was_mailed(campaign, others, at)
    _what_is_passed_on(campaign, fan, others[0], at)
    told["avatar"] = worldstage.set_up(campaign, fan).links[0]
    refuse_for_ever(lookup=vault.lookup_of("never@example.org"), act="the mail's own link", at=at)
    told["code"] = _a_code_on_its_way(campaign, at)
    browser = Client()
    browser.force_login(fan.person)
    told["session"] = browser.cookies["vteam"].value
    _rows_of_the_movers(campaign, fan)
    return told


def _an_award_that_waits() -> None:
    """A small campaign whose recruits count a day later."""
    small = cast.open_campaign((replace(cast.RECRUIT, hold_us=cast.DAY_US), cast.SPREAD), slug="maree-basse")
    ana = cast.join(small.pk, "Ana")
    cast.join(small.pk, "Bo", share=cast.share_of(ana))
    cast.move()


# People -------------------------------------------------------------------------------------------------------------
def _people_who_organise(campaign: Campaign, at: dt.datetime) -> str:
    """Ana organises the campaign and operates the installation; the secret of an invitation nobody has taken yet."""
    ana = account(address="ana@example.org", language="en", at=at)
    for what in (campaign, None):
        secret = invite(campaign=what, name="Ana", at=at)
        assert secret is not None
        assert take_invitation(secret=secret, person=ana) is not None
    faults = wording(Purpose.FAULTS, artist="", campaign="", language="en")
    for event, until in ((Event.GIVEN, None), (Event.PAUSED, at + DAY)):
        pace = Pace.AT_ONCE if event is Event.GIVEN else None
        said = Said(
            purpose=Purpose.FAULTS, event=event, act="pressed", page="operator", wording=faults, pace=pace,
            until=until,
        )  # fmt: skip
        assert record_said(person=ana, campaign_id=INSTALLATION, said=said, at=at) is not None
    waiting = invite(campaign=campaign, name="Malo", at=at)
    assert waiting is not None
    return waiting


def _what_was_mailed(campaign: Campaign, fans: Sequence[Fan], at: dt.datetime) -> None:
    """News mailed yesterday at noon: it left, came back, or waits for its reader's weekly letter."""
    noon = at.replace(hour=12, minute=0) - DAY
    newest, gone = latest(campaign, at_most=2)
    write_news(campaign=campaign, draft=Draft(subjects={"en": "Soon"}, texts={"en": "Not yet."}), at=at)
    take_back(news=gone, at=noon)
    paces = (Pace.AT_ONCE, Pace.AT_ONCE, Pace.AT_ONCE, Pace.WEEKLY)
    asking = [
        cast.allow(fan, Purpose.NEWS, pace=pace, at=noon) for fan, pace in zip(fans, paces, strict=False)
    ]
    assert begin_mailing(news=newest, at=noon) is not None
    put_into_outbox(at=noon)
    deliver_due(at=noon)
    for subject, kind, status in zip(asking, (Kind.GONE, Kind.WAIT), ("5.1.1", "4.2.2"), strict=False):
        letter = OutboxMessage.objects.get(subject=subject.pk, purpose=Purpose.NEWS)
        assert letter.state == OutboxMessage.SENT and letter.token is not None
        returned = Returned(token=letter.token, kind=kind, status=status, words="not taken", is_final=True)
        assert hold(returned, at=noon + HOUR)
    end(subject=asking[2], purpose=Purpose.NEWS, act="the link in a message", at=noon + HOUR)


def _a_code_on_its_way(campaign: Campaign, at: dt.datetime) -> str:
    asker = Asker(network="near", base_url="http://localhost:8000")
    ask_code(address=CODE_ADDRESS, entry=cast.entry(campaign.pk, "Cy"), asker=asker, link_path="/code", at=at)
    letter = OutboxMessage.objects.get(purpose=Purpose.CODE)
    return str(json.loads(vault.unseal(bytes(letter.sealed_key), bytes(letter.sealed)))["code"])


# Passing on ---------------------------------------------------------------------------------------------------------
def _what_is_passed_on(campaign: Campaign, fan: Fan, listener: Fan, at: dt.datetime) -> None:
    """A fan's torrent that is watched, a copy that went whole to another fan, and two who asked for one."""
    title = campaign.titles.get(key="les-digues")
    link = f"http://localhost/r/{share_inside_copies(fan=fan, at=at).code}"
    copy = personal_copy(campaign=campaign, title=title, link=link)
    torrent = torrent_of(fan=fan, title=title, copy=copy, link=link, at=at)
    new_fetch_key(torrent=torrent)
    _watch(torrent, at)
    _pass_on_by_page(fan, listener, title, pieces_of_copy(copy, title), at)
    let_be_asked(fan=fan, may=True)
    hand = share_at_hand(fan=fan, place="by hand", at=at)
    assert isinstance(ask_for(share=hand, title=title, network="near", at=at - 2 * HOUR), Asked)
    assert see_asked(fan=fan, title=title, at=at - HOUR) == 1
    assert isinstance(ask_for(share=hand, title=title, network="near", at=at), Asked)


def _watch(torrent: Torrent, at: dt.datetime) -> None:
    """The fan's client seeds: the tracker, which looks the torrent up by its own way, tells how it stands."""
    named = {**settings.DATABASES["default"], "NAME": connection.settings_dict["NAME"]}
    lookups = Torrents(database_from(named, settings.DATA))
    found = asyncio.run(lookups.seen.find(bytes.fromhex(torrent.info_hash))).torrent
    lookups.close()
    assert found is not None
    rows: list[Row] = []
    book = Book(record=rows.extend, keep=rows.append, interval_us=90_000_000)
    told = announce.Announce(
        info_hash=found.info_hash, peer_id=b"-TR3000-abcdefghijkl", port=6881, uploaded=0, downloaded=0, left=0,
        event=announce.Event.STARTED, compact=True, most=50,
    )  # fmt: skip
    book.announced(found, announce.Role.SEEDER, "203.0.113.9", told, clock.to_us(at))
    book.keep(clock.to_us(at))
    _by_the_edge(*rows)


def _pass_on_by_page(fan: Fan, listener: Fan, title: Title, pieces: Pieces, at: dt.datetime) -> None:
    """All pieces passed through the relay."""
    campaign = title.campaign
    at_us = clock.to_us(at)
    seeder = Ticket(
        role=Role.SEEDER, campaign=campaign.pk, fan=fan.pk, title=title.pk, by=fan.pk,
        browser=browser_hash(campaign, "seeding"), network="near", expires_us=at_us, ends_us=at_us, pieces=pieces,
    )  # fmt: skip
    other = replace(
        seeder, role=Role.LISTENER, by=listener.pk, browser=browser_hash(campaign, "listening"), network="far",
        pieces=None,
    )  # fmt: skip
    name = "ab" * 16
    part = Part(
        introduction=name, way=Evidence.RELAYED, start=0, stop=pieces.count, begun_us=at_us - cast.SECOND_US,
        ended_us=at_us, signed={},
    )  # fmt: skip
    rows = rows_of(introduction=name, seeder=seeder, listener=other, pieces=pieces, parts=[part], at_us=at_us)
    _by_the_edge(*rows)


# The movers ---------------------------------------------------------------------------------------------------------
def _by_the_edge(*rows: Row) -> None:
    """Left in the edge's own file, and moved from there."""
    path = Path(settings.DATA) / "edge.sqlite3"
    EdgeInbox(path).write(*rows)
    Mover(EdgeFile(path)).move(pause=still)


def _rows_of_the_movers(campaign: Campaign, fan: Fan) -> None:
    """A fact that was refused, and one still waiting when the change lands."""
    share = fan.shares.filter(kind="place").earliest("pk")
    _by_the_edge(row_of(cast.arrival(share.pk, fan.pk, near="edge", by=None), campaign.pk))
    cast.offer(campaign.pk, replace(cast.joined(fan.pk), kind="Unheard"))
    cast.move()
    cast.offer(campaign.pk, cast.arrival(share.pk, fan.pk, near="waiting"))
