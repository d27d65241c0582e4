"""People who said yes to letters, and some who did not; and what became of each letter, told by both sides.

Every address has its fate in its domain (`bench.postfix`) or in what its owner said. Afterwards each letter is looked
for where it must be: in a mailbox once, returned, refused, waiting, or never sent.
"""

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from bench.postfix import MailServer
from vteam.campaigns.models import Campaign, Title
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.outbox import enqueue
from vteam.people import vault
from vteam.people.models import Person
from vteam.permissions.models import Subject
from vteam.permissions.services import Said, end, record_said
from vteam.permissions.wording import wording
from vteam.rules.grants import Event, Pace, Purpose

AT_A_TIME = 500
NEVER, WITHDRAWN = "never.test", "withdrawn.test"
"""Domains of people who never said yes, and who took it back once their letter was waiting."""
DEFERRED, REFUSED = "tmp.test", "reject.test"
RETURNED = frozenset({"bounce.test", "spam.test", "full.test"})
MIXED = (
    *("example.org",) * 10,
    *("other.test",) * 4,
    "bounce.test",
    "full.test",
    "reject.test",
    "tmp.test",
    "grey.test",
    NEVER,
    WITHDRAWN,
)
"""One in so many of each, again and again."""


def people(count: int, *, domains: Sequence[str], campaign: Campaign, at: dt.datetime) -> list[str]:
    """So many people, each with an address in the next of these domains, most of whom said yes to being told when
    somebody asks them for a title; returns their ids in the permission ledger.
    """
    subjects: list[str] = []
    for first in range(0, count, AT_A_TIME):
        with transaction.atomic():
            for number in range(first, min(first + AT_A_TIME, count)):
                domain = domains[number % len(domains)]
                person = _person(f"p{number}.{secrets.token_hex(4)}@{domain}")
                purpose = Purpose.NEWS if domain == NEVER else Purpose.ASKED
                record_said(person=person, campaign_id=campaign.pk, said=_yes(purpose, campaign), at=at)
                subjects.append(Subject.objects.get(person=person, campaign_id=campaign.pk).pk)
    return subjects


def _person(address: str) -> Person:
    key = vault.new_key()
    return Person.objects.create(
        lookup=vault.lookup_of(address),
        sealed_key=key,
        sealed_address=vault.seal(key, address),
        language="fr" if int(address.partition(".")[0][1:]) % 2 else "en",
    )


def _yes(purpose: Purpose, campaign: Campaign) -> Said:
    file = campaign.file
    return Said(
        purpose=purpose,
        event=Event.GIVEN,
        act="pressed given",
        page="pass-on",
        wording=wording(purpose, artist=file.artist, campaign=file.name, language="en"),
        pace=Pace.AT_ONCE,
        proof="signed in by a code mailed to this address",
    )


def put_letters(subjects: Sequence[str], *, campaign: Campaign, key: str, at: dt.datetime) -> None:
    """A letter for each of them into the outbox; then whoever shall have taken their yes back does."""
    title = Title.objects.filter(campaign=campaign).order_by("position")[0]
    for first in range(0, len(subjects), AT_A_TIME):
        with transaction.atomic():
            enqueue(
                purpose=Purpose.ASKED,
                campaign_id=campaign.pk,
                subjects=subjects[first : first + AT_A_TIME],
                about={"title": title.pk},
                key=key,
                at=at,
            )
        for subject in Subject.objects.filter(pk__in=subjects[first : first + AT_A_TIME]).select_related(
            "person"
        ):
            if _address(subject.person).endswith(f"@{WITHDRAWN}"):
                end(subject=subject, purpose=Purpose.ASKED, act="the link in a message", at=at)


def _address(person: Person) -> str:
    return vault.unseal(bytes(person.sealed_key), bytes(person.sealed_address))


@dataclass(slots=True)
class Accounts:
    """How the letters ended, by their rows (`ended`), and everything that must not be (`problems`)."""

    ended: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def accounts(server: MailServer) -> Accounts:
    """Compare what our rows say of each letter with what reached its recipient."""
    found = Accounts()
    arrived = Counter(one.recipient for one in server.delivered())
    addresses = {subject.pk: _address(subject.person) for subject in Subject.objects.select_related("person")}
    for row in OutboxMessage.objects.iterator():
        address = addresses[row.subject]
        found.ended[row.state] += 1
        problem = _problem(row, address.partition("@")[2], arrived[address])
        if problem:
            found.problems.append(f"{address}: {problem} ({row.state}, {row.reason or 'no reason'})")
    found.problems += [f"{address}: {times} times" for address, times in arrived.items() if times > 1]
    unknown = arrived.keys() - set(addresses.values())
    found.problems += [f"{address}: nobody of ours" for address in unknown]
    return found


def _problem(row: OutboxMessage, domain: str, arrived: int) -> str:
    """What is wrong with a letter; "" where it is where it must be."""
    if domain in {NEVER, WITHDRAWN}:
        return "" if row.state == OutboxMessage.GIVEN_UP and not arrived else "left without a yes"
    if row.state == OutboxMessage.UNSURE:
        return ""
    wanted, times = OutboxMessage.SENT, 1
    if domain in RETURNED:
        wanted, times = OutboxMessage.BOUNCED, 0
    elif domain == REFUSED:
        wanted, times = OutboxMessage.GIVEN_UP, 0
    elif domain == DEFERRED:
        wanted, times = OutboxMessage.WAITING, 0
    if row.state != wanted or arrived != times:
        return f"arrived {arrived} times, wanted {wanted}"
    return ""


def settled() -> bool:
    """Whether nothing is left to do but what the server puts off again and again."""
    still = OutboxMessage.objects.filter(state__in=[OutboxMessage.WAITING, OutboxMessage.HANDING])
    putting_off = still.filter(state=OutboxMessage.WAITING, tries__gt=0, reason__contains="4.3.0")
    return still.count() == putting_off.count()
