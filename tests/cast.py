"""The known cast and its stage: organiser Ana, fan Bo, outsider Cy, and the campaign of Lune Noire's album.

Everything is made through the real services and facts, never by writing the tables they own; only the campaign's
own row is written here, since applying a campaign file needs its recordings.
"""

import datetime as dt
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vteam import clock
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.joining import Arrived, come_in
from vteam.campaigns.models import Campaign, Title
from vteam.channels.links.models import Share
from vteam.channels.links.services import Visitor, make_share
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.services import record_fact
from vteam.people.models import Fan
from vteam.people.services import Entry, Proof, open_pending, prove_by_code
from vteam.permissions.models import Subject
from vteam.permissions.services import Said, record_said, subject_of
from vteam.permissions.wording import wording
from vteam.rights.models import Holder
from vteam.rights.services import name_holder, set_holders
from vteam.rules import facts
from vteam.rules.facts import NewFact
from vteam.rules.grants import PACES, Event, Pace, Purpose
from vteam.rules.missions import Mission, Season
from vteam.rules.networks import Networks

AT = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)  # a Friday noon, well inside the season
AT_US = clock.to_us(AT)
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
NETWORK_KEY = b"k" * 32

SEASON = Season(
    starts_at_us=clock.to_us(dt.datetime(2026, 11, 15, 23, 0, tzinfo=dt.UTC)),  # 16 November in Paris
    ends_at_us=clock.to_us(dt.datetime(2027, 1, 10, 23, 0, tzinfo=dt.UTC)),
    time_zone="Europe/Paris",
)
RECRUIT = Mission(
    key="recruit",
    version=1,
    kind="recruit",
    points=500,
    from_us=SEASON.starts_at_us,
    opens_at_us=SEASON.starts_at_us,
    closes_at_us=SEASON.ends_at_us,
)
SPREAD = replace(RECRUIT, key="spread", kind="spread", points=50)
DOWNLOAD = replace(RECRUIT, key="download", kind="download", points=50)
MISSIONS = (RECRUIT, SPREAD, DOWNLOAD)
QUIZ = replace(RECRUIT, key="quiz", kind="world", points=100)
PASS_ON = replace(
    RECRUIT,
    key="pass-on",
    kind="pass-on",
    per_network_per_day=5,
    full_per_fan_per_day=20,
    unknown_per_fan_per_day=10,
)

_numbers = itertools.count(1)


# The stage ------------------------------------------------------------------------------------------------------
def open_season(
    campaign_id: int, missions: Sequence[Mission] = MISSIONS, *, season: Season = SEASON, version: int = 1
) -> None:
    """The facts a campaign begins with, left in the inbox; ids are all that journal and ledger know of it."""
    offer(campaign_id, season_fact(season, version=version), *(mission_fact(mission) for mission in missions))


def season_fact(season: Season = SEASON, *, version: int = 1, at_us: int = AT_US - DAY_US) -> NewFact:
    body = {
        "starts_at_us": season.starts_at_us,
        "ends_at_us": season.ends_at_us,
        "time_zone": season.time_zone,
    }
    return facts.campaign_versioned(version=version, season=body, sha256="0" * 64, at_us=at_us)


def mission_fact(mission: Mission, *, at_us: int = AT_US - DAY_US) -> NewFact:
    return facts.mission_versioned(mission=mission.body(), at_us=at_us)


def open_campaign(missions: Sequence[Mission] = MISSIONS, *, slug: str = "maree-haute") -> Campaign:
    """Lune Noire's campaign with its three titles, its season and missions journaled."""
    campaign = Campaign.objects.create(
        slug=slug,
        version=1,
        document=campaign_file(slug).canonical(),
        network_key=NETWORK_KEY,
        pictures={},
        created_at=AT - dt.timedelta(days=1),
    )
    for position, name in enumerate(("Les digues", "Phare éteint", "Sel")):
        Title.objects.create(
            campaign=campaign,
            key=f"title-{position + 1}",
            name=name,
            artist="Lune Noire",
            body_sha256=hashlib.sha256(name.encode()).hexdigest(),
            body_bytes=1_000_000,
            milliseconds=75_000,
            pictures={},
            position=position,
        )
    open_season(campaign.pk, missions)
    move()
    return campaign


def campaign_file(slug: str) -> CampaignFile:
    """The smallest campaign file with what the pipeline needs, as pydantic accepts it."""
    return CampaignFile.model_validate(
        {
            "slug": slug,
            "name": "Marée haute",
            "artist": "Lune Noire",
            "team": "La vTeam",
            "languages": ["fr", "en"],
            "pitch": {"en": "The album comes with the tide.", "fr": "L'album vient avec la marée."},
            "season": {
                "starts": "2026-11-16",
                "release": "2026-12-18",
                "ends": "2027-01-10",
                "time_zone": "Europe/Paris",
            },
            "theme": {"colours": ["#ff5a3c", "#1f6f78"], "cover": "cover.jpg"},
            "titles": [{"key": f"title-{n}", "name": f"Title {n}", "file": f"{n}.mp3"} for n in (1, 2, 3)],
            "holders": [{"key": "mira", "name": "Mira Kalt", "role": "author"}],
            "missions": [
                {"key": m.key, "kind": m.kind, "points": m.points, "name": m.key, "explanation": m.key}
                for m in MISSIONS
            ],
        }
    )


def offer(campaign_id: int, *new: NewFact) -> None:
    """Leave facts in the inbox, as channels do."""
    for fact in new:
        record_fact(campaign_id=campaign_id, fact=fact)


def move() -> int:
    """One turn of the mover over the inbox; returns how many rows it moved."""
    return Mover(InboxTable()).move(pause=lambda seconds: None)


# The people -----------------------------------------------------------------------------------------------------
def entry(campaign_id: int | None, name: str = "Bo", *, share: Share | None = None, **others: Any) -> Entry:
    """What somebody types to come in, perhaps through a share."""
    return Entry(
        campaign_id=campaign_id,
        name=name,
        language="en",
        share_id=share.pk if share else None,
        recruiter_id=share.fan_id if share else None,
        **others,
    )


def come_in_as(
    wanted: Entry, address: str, *, network: str = "", signed_in_fan: int | None = None, at: dt.datetime = AT
) -> Arrived:
    """Somebody who asks for a code, types it and is in."""
    opened = open_pending(address=address, entry=wanted, at=at)
    assert opened.code is not None, "a code is on its way already: come in with that one"
    assert prove_by_code(pending=opened.pending, typed=opened.code, at=at) is Proof.RIGHT
    return come_in(
        pending=opened.pending,
        entry=wanted,
        network=network or f"network-{next(_numbers)}",
        signed_in_fan=signed_in_fan,
        at_us=clock.to_us(at),
    )


def join(campaign_id: int, name: str, *, share: Share | None = None, at: dt.datetime = AT) -> Fan:
    """A fan by this name, who joined with an address of their own from a network of their own."""
    arrived = come_in_as(entry(campaign_id, name, share=share), f"{name.lower()}@example.org", at=at)
    assert arrived.fan is not None, "joining makes a fan"
    return arrived.fan


def share_of(fan: Fan, place: str = "the ska forum") -> Share:
    """A new link of a fan's."""
    made = make_share(fan=fan, place=place, at=AT)
    assert isinstance(made, Share), made
    return made


def visitor(address: str = "203.0.113.9", *, fan: Fan | None = None) -> Visitor:
    """Somebody looking at a landing page from an address."""
    return Visitor(networks=Networks.of(address, key=NETWORK_KEY), fan_id=fan.pk if fan else None)


def arrival(
    share: int,
    owner: int,
    *,
    near: str = "near",
    day: str = "2026-11-20",
    by: int | None = None,
    at_us: int = AT_US,
) -> NewFact:
    """The fact that somebody came through a share."""
    return facts.arrival_confirmed(
        share=share,
        owner=owner,
        networks=("address", near, "wide"),
        day=day,
        by=by,
        act="stayed",
        at_us=at_us,
    )


def served(
    fan: int,
    *,
    title: int = 1,
    listener: str,
    by: int | None = None,
    same_person: bool = False,
    network: str = "",
    evidence: facts.Evidence = facts.Evidence.RELAYED,
    at_us: int = AT_US,
) -> NewFact:
    """The fact that a title went whole from a fan's computer to a listener's, in a network of the listener's own."""
    number = next(_numbers)
    return facts.copy_served(
        introduction=f"{number:032x}",
        fan=fan,
        title=title,
        listener=hashlib.sha256(listener.encode()).hexdigest()[:32],
        by=by,
        same_person=same_person,
        network=network or f"network-{number}",
        evidence=evidence,
        proof=hashlib.sha256(str(number).encode()).hexdigest(),
        at_us=at_us,
    )


def acted(
    fan: int,
    *,
    mission: str = "quiz",
    avatar: int = 1,
    act: facts.Act = facts.Act.VOTE,
    right: bool | None = None,
    at_us: int = AT_US,
) -> NewFact:
    """The fact that a linked resident did something in a world."""
    return facts.world_acted(
        fan=fan,
        avatar=avatar,
        mission=mission,
        act=act,
        kiosk=9,
        choice=2 if act in (facts.Act.ANSWER, facts.Act.VOTE) else None,
        right=right,
        proof="ab" * 32 if act == facts.Act.BRING else None,
        at_us=at_us,
    )


def joined(
    fan: int,
    *,
    recruiter: int | None = None,
    network: str = "near",
    same_session: bool = False,
    at_us: int = AT_US,
) -> NewFact:
    """The fact that somebody joined, through a share of `recruiter` when one is given."""
    return facts.fan_confirmed(
        fan=fan,
        recruiter=recruiter,
        share=None if recruiter is None else recruiter * 10,
        network=network,
        same_session=same_session,
        at_us=at_us,
    )


def holder_of(title: Title, key: str = "mira", name: str = "Mira Kalt") -> Holder:
    """A named holder of a title, beside those it has."""
    holder, _ = name_holder(campaign_id=title.campaign_id, key=key, name=name, role="author")
    present = list(Holder.objects.filter(titles__title_id=title.pk))
    set_holders(title_id=title.pk, holders=[*present, holder])
    return holder


def allow(
    fan: Fan, purpose: Purpose, *, pace: Pace | None = None, at: dt.datetime = AT, language: str = "en"
) -> Subject:
    """A fan says yes to being written to, on the page, with the words before them."""
    text = wording(purpose, artist="Lune Noire", campaign="Marée haute", language=language)
    said = Said(
        purpose=purpose,
        event=Event.GIVEN,
        act="pressed yes",
        page="home",
        wording=text,
        pace=pace or PACES[purpose][0],
        proof="signed in by a code mailed to their address",
    )
    assert record_said(person=fan.person, campaign_id=fan.campaign_id, said=said, at=at) is not None
    return subject_of(person=fan.person, campaign_id=fan.campaign_id)
