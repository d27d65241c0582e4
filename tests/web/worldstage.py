"""A campaign with kiosks in every state, and residents who did, brought and were linked, for pages to show."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from tests.services.worlds import NADIA, REMI, enrolled, put, type_code
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.campaigns.organisers import invite, take_invitation
from vteam.channels.worlds.enrolling import revoke
from vteam.channels.worlds.lines import announce
from vteam.channels.worlds.linking import link_avatar
from vteam.channels.worlds.models import Kiosk, World
from vteam.jobs.moving import InboxTable, Mover
from vteam.people.models import Fan
from vteam.people.services import become_fan

WORLDS, HOSTED = "/maree-haute/organise/worlds", "/maree-haute/kiosks"
SPOT: dict[str, Any] = {
    "act": "put-up",
    "world": "luanti",
    "grid": "Lys' server",
    "place": "The square",
    "room": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`links`: secrets of addresses that can be opened; of a free avatar, and of one that is linked already."""

    kiosk: Kiosk
    hosted: Kiosk
    closed: Kiosk
    waiting: Kiosk
    links: tuple[str, str]


def set_up(campaign: Campaign, fan: Fan) -> Stage:
    """Kiosks of organisers and of the fan, and what was done there; at one of them a concert is on."""
    kiosk, there = enrolled(campaign)
    hosted, _ = enrolled(campaign, fan=fan, around={}, world=World.LUANTI)
    waiting, _ = put(campaign, world=World.SECOND_LIFE)
    closed, _ = enrolled(campaign)
    revoke(kiosk=closed, at=clock.now(), by_organiser=True)
    Kiosk.objects.filter(pk=hosted.pk).update(seen_at=clock.now() - dt.timedelta(hours=3))
    Kiosk.objects.filter(pk=waiting.pk).update(grid="Second Life", place="Shermerville NW (103, 32, 28)")
    announce(kiosk=kiosk, mission="there", until=clock.now() + dt.timedelta(minutes=30), at=clock.now())
    taken = there.choose("link")["open"]["address"].rpartition("/")[2]
    assert link_avatar(secret=taken, fan=fan, at=clock.now())
    for choice in ("answer:kitchen-quiz:1", "answer:opening-song:2"):
        there.choose(choice)
        there.choose(choice, REMI)
    there.choose("bring:made-there", text="A lighthouse of eleven floors, beside the quay: (12, 8, -3)")
    Mover(InboxTable()).move()
    free = there.choose("link", REMI)["open"]["address"].rpartition("/")[2]
    assert NADIA != REMI
    return Stage(kiosk=kiosk, hosted=hosted, closed=closed, waiting=waiting, links=(free, taken))


def signed_in(address: str, *, fan_of: Campaign | None = None, organises: Campaign | None = None) -> Client:
    """A browser of somebody who is a fan, an organiser, or neither."""
    person = account(address=address, language="en", at=clock.now())
    if fan_of is not None:
        become_fan(person=person, campaign_id=fan_of.pk, name=address[:3], share_id=None, at=clock.now())
    if organises is not None:
        secret = invite(campaign=organises, name="Ana", at=clock.now())
        assert secret is not None
        take_invitation(secret=secret, person=person)
    client = Client()
    client.force_login(person)
    return client


def text_of(answer: Any) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.content.decode()))


def code_in(answer: Any) -> str:
    """The code a page shows."""
    found = re.search(r'class="door__code number">([a-z2-9]{4} [a-z2-9]{4})<', answer.content.decode())
    assert found
    return found[1]


def enrol(code: str) -> int:
    """How the door answers an object that has a code."""
    return type_code(code)[0]
