"""What reaches somebody: each purpose with the words they see, how it stands, and whether a page may ask about it."""

import datetime as dt
import json
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.mail.models import OutboxMessage, Trouble
from vteam.people.models import Fan, Person
from vteam.people.services import address_of_person
from vteam.permissions.models import GrantEvent, Subject
from vteam.permissions.queries import found_subject, history, said_anything, standings
from vteam.permissions.services import INSTALLATION
from vteam.permissions.wording import Wording, wording
from vteam.rules.grants import PACES, Grant, Pace, Purpose

OF_FANS = (Purpose.NEWS, Purpose.POINTS, Purpose.ASKED, Purpose.WON)
OF_OPERATORS = (Purpose.FAULTS,)
NAMES = {
    Purpose.NEWS: _("News of the release"),
    Purpose.POINTS: _("My points"),
    Purpose.ASKED: _("Somebody asks me for a title"),
    Purpose.WON: _("A prize I won"),
    Purpose.FAULTS: _("Something fails here"),
}
PACE_NAMES = {Pace.AT_ONCE: _("at once"), Pace.DAILY: _("once a day"), Pace.WEEKLY: _("once a week")}
REACHED_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One purpose as its reader sees it; `history`: what they said about it, newest first."""

    purpose: Purpose
    grant: Grant
    wording: Wording
    paces: tuple[Pace, ...]
    history: list["Line"]

    @property
    def name(self) -> str:
        """What it is called on pages."""
        return str(NAMES[self.purpose])


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was said, and how: what was pressed, or who did it."""

    at: dt.datetime
    event: str
    pace: str
    act: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A message that reached somebody, by which of their yeses (its number in the chain)."""

    at: dt.datetime
    name: str
    grant_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The question a page may ask: one purpose, nothing chosen beforehand but the usual pace."""

    purpose: Purpose
    wording: Wording
    pace: Pace

    @property
    def pace_name(self) -> str:
        """How often, in words."""
        return str(PACE_NAMES[self.pace])


def words_of(purpose: Purpose, campaign: Campaign | None) -> Wording:
    """The words of a purpose in the page's language."""
    artist, name = (campaign.file.artist, campaign.file.name) if campaign else ("", "")
    return wording(purpose, artist=artist, campaign=name, language=translation.get_language() or "en")


def ask_of(campaign: Campaign, fan: Fan, purpose: Purpose) -> Ask | None:
    """The question about a purpose; None once the fan said anything about it, a no as well."""
    if said_anything(person_id=fan.person_id, campaign_id=campaign.pk, purpose=purpose):
        return None
    return Ask(purpose=purpose, wording=words_of(purpose, campaign), pace=PACES[purpose][0])


def purposes_of(campaign: Campaign | None) -> tuple[Purpose, ...]:
    """What a campaign, or the installation itself, may write for."""
    return OF_FANS if campaign else OF_OPERATORS


def shown_to(person: Person, campaign: Campaign | None) -> dict[str, object]:
    """All that the pages of what reaches somebody show, in a campaign or from the installation."""
    subject = subject_here(person, campaign)
    rows = rows_of(subject, campaign)
    return {
        "rows": rows,
        "anything": any(row.grant.is_given for row in rows),
        "reached": reached(subject) if subject else [],
        "trouble": trouble_of(person),
        "address": address_of_person(person),
        "has_receipt": subject is not None,
    }


def rows_of(subject: Subject | None, campaign: Campaign | None) -> list[Row]:
    """Every purpose of a campaign, or the installation's own, as somebody sees it."""
    now = standings(subject, at_us=clock.now_us())
    events = history(subject) if subject else []
    return [
        Row(
            purpose=purpose,
            grant=now[purpose],
            wording=words_of(purpose, campaign),
            paces=PACES[purpose],
            history=[_line(event) for event in events if event.purpose == purpose],
        )
        for purpose in purposes_of(campaign)
    ]


def _line(event: GrantEvent) -> Line:
    return Line(
        at=clock.from_us(event.at_us), event=event.event, pace=event.pace, act=json.loads(event.body)["act"]
    )


def reached(subject: Subject) -> list[Reached]:
    """The last messages that left for a subject, newest first."""
    sent = OutboxMessage.objects.filter(subject=subject.pk, state=OutboxMessage.SENT).order_by("-ended_at")
    return [
        Reached(at=row.ended_at, name=str(NAMES[Purpose(row.purpose)]), grant_seq=row.grant_seq)
        for row in sent[:REACHED_SHOWN]
        if row.ended_at is not None and row.grant_seq is not None
    ]


def trouble_of(person: Person) -> Trouble | None:
    """What their mailbox told us when we last wrote, if it was not well."""
    return Trouble.objects.filter(person=person).first()


def subject_here(person: Person, campaign: Campaign | None) -> Subject | None:
    """Who somebody is in the permission ledger of a campaign or the installation, if they ever said anything."""
    return found_subject(person_id=person.pk, campaign_id=campaign.pk if campaign else INSTALLATION)
