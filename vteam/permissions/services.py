"""The permission ledger: what people say about being written to, each said once and never edited, in one chain a
campaign; and the gate every message passes.

Only a person themselves says yes. Others (a mail server's complaint, an operator on request) may end a yes, never
give one. One campaign's yes is never another's. A no is on disk beside the database as well before it is answered
(`noes`).
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import connection, transaction

from vteam import clock
from vteam.errors import NotPermitted, SealError
from vteam.people import vault
from vteam.people.models import Person
from vteam.permissions.codes import refused, refused_among
from vteam.permissions.models import GrantEvent, GrantProof, GrantText, Subject
from vteam.permissions.noes import NOES, keep, lines_of
from vteam.permissions.queries import allowing, proof_hash, standing, standings_of
from vteam.permissions.wording import Wording
from vteam.reading import rows_in
from vteam.rules.canonical import GENESIS, canonical, digest
from vteam.rules.grants import PACES, Channel, Event, Grant, Pace, Purpose, allowed

LONGER = dt.timedelta(days=1)
INSTALLATION = 0
"""In the place of a campaign's id: the installation itself."""
_CHAIN_LOCK = "SELECT pg_advisory_xact_lock(5316291, %s)"
_LAST = "SELECT seq, sha256 FROM permissions_grantevent WHERE campaign_id = %s ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said about a purpose, and how.

    `wording`: the text that was shown with it; `act`: what was pressed, or who asked for it; `page`: where; `proof`:
    how we know whose act it is, erasable. `pace` of a yes or of another pace; `until` of a pause.
    """

    purpose: Purpose
    event: Event
    act: str
    page: str
    wording: Wording | None = None
    pace: Pace | None = None
    until: dt.datetime | None = None
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Leave to send one message to one address, taken at the moment of sending.

    `lookups`: its keyed hashes, one a master key, newest first. Refusals are never edited, so each stays under the
    key of its time, and is looked for under all. `grant_seq`: the yes it rests on, in its campaign's chain, given at
    `since`; None for a code. `pace`: how often at most.
    """

    purpose: Purpose
    lookups: Sequence[bytes]
    since: dt.datetime
    grant_seq: int | None = None
    pace: Pace = Pace.AT_ONCE


@transaction.atomic
def record_said(*, person: Person, campaign_id: int, said: Said, at: dt.datetime) -> GrantEvent | None:
    """Record what a person says about a purpose of a campaign; None, and nothing is recorded, where it says nothing
    new (a withdrawal of what was never given, a yes at the pace that holds).
    """
    subject = subject_of(person=person, campaign_id=campaign_id)
    return _noted(_record(subject, said, at))


@transaction.atomic
def end(
    *, subject: Subject, purpose: Purpose, act: str, page: str = "", at: dt.datetime
) -> GrantEvent | None:
    """End a yes without the person being signed in: from a message's own link, by a complaint, by an operator."""
    return _noted(_ended(subject, purpose, act, page, at))


def _ended(subject: Subject, purpose: Purpose, act: str, page: str, at: dt.datetime) -> GrantEvent | None:
    return _record(subject, Said(purpose=purpose, event=Event.WITHDRAWN, act=act, page=page), at)


def _noted(event: GrantEvent | None) -> GrantEvent | None:
    """The last thing done before a transaction ends: of what is rolled back the log says nothing, but for a commit that
    fails.
    """
    if event is not None and event.event in NOES:
        keep(lines_of([event.pk]))
    return event


@transaction.atomic
def end_all(*, subject: Subject, act: str, page: str = "", at: dt.datetime) -> int:
    """End every yes of a subject; returns how many there were."""
    events = [_ended(subject, purpose, act, page, at) for purpose in PACES]
    ended = [event.pk for event in events if event is not None]
    keep(lines_of(ended))
    return len(ended)


@transaction.atomic
def no_again(*, subject: Subject, purpose: Purpose, said_at_us: int, at: dt.datetime) -> GrantEvent | None:
    """Record a no the database had forgotten, with the time it was said; None where there is nothing to end, as after a
    yes that was given later. Noted it is already.

    Where nothing at all is known of the purpose it is a refusal, so that they are not asked again.
    """
    _end_of_chain(subject.campaign_id)  # nobody says anything else meanwhile
    before = standing(subject.pk, purpose, at_us=clock.to_us(at))
    overruled = before.since_us is not None and before.since_us > said_at_us
    if overruled or not (before.is_given or before.last is None):
        return None
    event = Event.WITHDRAWN if before.is_given else Event.REFUSED
    act = f"said then, forgotten by the database, recorded again on {at:%Y-%m-%d %H:%M} UTC"
    return _record(subject, Said(purpose=purpose, event=event, act=act, page=""), clock.from_us(said_at_us))


@transaction.atomic
def ease(
    *,
    subject: Subject,
    purpose: Purpose,
    act: str,
    page: str,
    at: dt.datetime,
    pace: Pace | None = None,
    until: dt.datetime | None = None,
) -> GrantEvent | None:
    """Let less come without the person being signed in: nothing `until` then, or at a slower pace. None where it would
    not be less.
    """
    if until is not None:
        return _record(
            subject, Said(purpose=purpose, event=Event.PAUSED, act=act, page=page, until=until), at
        )
    before = standing(subject.pk, purpose, at_us=clock.to_us(at)).pace
    if before is None or pace is None or _SLOWER.index(pace) <= _SLOWER.index(before):
        return None
    return _record(
        subject, Said(purpose=purpose, event=Event.PACE_CHANGED, act=act, page=page, pace=pace), at
    )


_SLOWER = (Pace.AT_ONCE, Pace.DAILY, Pace.WEEKLY)


def expire(*, campaign_id: int, at: dt.datetime, at_most: int) -> int:
    """A campaign is over: nothing is allowed in its name any more. Returns how many yeses ended, at most so many."""
    expired, at_us = 0, clock.to_us(at)
    for purpose in PACES:
        given = allowing(campaign_id=campaign_id, purpose=purpose, at_us=at_us)
        for subject, _ in islice(given, at_most - expired):
            said = Said(purpose=purpose, event=Event.EXPIRED, act="the campaign is over", page="")
            with transaction.atomic():
                expired += _record(Subject(pk=subject, campaign_id=campaign_id), said, at) is not None
    return expired


def subject_of(*, person: Person, campaign_id: int) -> Subject:
    """The person's random id in a campaign's permission ledger, made at first need."""
    found, _ = Subject.objects.get_or_create(
        campaign_id=campaign_id, person=person, defaults={"id": secrets.token_hex(16)}
    )
    return found


def _record(subject: Subject, said: Said, at: dt.datetime) -> GrantEvent | None:
    seq, previous = _end_of_chain(subject.campaign_id)
    at_us = clock.to_us(at)
    before = standing(subject.pk, said.purpose, at_us=at_us)
    repeated = said.event is Event.GIVEN and before.is_live and before.pace is said.pace
    if said.event is Event.PAUSED and before.paused_until_us and said.until:
        # A little longer is no news: whoever presses again and again fills no chain.
        repeated = clock.to_us(said.until) < before.paused_until_us + clock.to_us(clock.EPOCH + LONGER)
    if repeated or not allowed(said.event, said.purpose, before, pace=said.pace):
        return None
    salt = secrets.token_hex(16) if said.proof else ""
    body = canonical(_content(subject, said, seq=seq + 1, at_us=at_us, salt=salt))
    event = GrantEvent.objects.create(
        campaign_id=subject.campaign_id,
        seq=seq + 1,
        subject=subject.pk,
        purpose=said.purpose,
        channel=Channel.MAIL,
        event=said.event,
        at_us=at_us,
        pace=said.pace or "",
        until_us=clock.to_us(said.until) if said.until else None,
        body=body,
        sha256=digest(body, after=previous),
    )
    if said.wording:
        text = said.wording
        GrantText.objects.get_or_create(
            sha256=text.sha256,
            defaults={"language": text.language, "version": text.version, "text": text.text},
        )
    if said.proof:
        sealed = vault.seal(bytes(subject.person.sealed_key), said.proof)
        GrantProof.objects.create(subject=subject, seq=event.seq, salt=salt, sealed=sealed)
    return event


def _content(subject: Subject, said: Said, *, seq: int, at_us: int, salt: str) -> dict[str, object]:
    """Everything an event says, ids and hashes only."""
    return {
        "act": said.act,
        "at_us": at_us,
        "campaign": subject.campaign_id,
        "channel": str(Channel.MAIL),
        "event": str(said.event),
        "language": said.wording.language if said.wording else "",
        "pace": str(said.pace or ""),
        "page": said.page,
        "proof": proof_hash(salt, said.proof) if said.proof else "",
        "purpose": str(said.purpose),
        "seq": seq,
        "subject": subject.pk,
        "until_us": clock.to_us(said.until) if said.until else None,
        "version": said.wording.version if said.wording else 0,
        "wording": said.wording.sha256 if said.wording else "",
    }


def _end_of_chain(campaign_id: int) -> tuple[int, str]:
    """The last number and hash of a campaign's chain; on PostgreSQL nobody else adds to it until we are done."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_CHAIN_LOCK, [campaign_id % 2**31])
        cursor.execute(_LAST, [campaign_id])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


# The gate ------------------------------------------------------------------------------------------------------------
def permit_code(*, lookups: Sequence[bytes], at: dt.datetime) -> Permit:
    """The permit for a code somebody asked for; raises NotPermitted where its recipient said "never again"."""
    if refused(lookups):
        raise NotPermitted(NEVER_AGAIN)
    return Permit(purpose=Purpose.CODE, lookups=lookups, since=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a permit is for, as the gate found them with it."""

    person_id: int
    address: str
    language: str


Asked = tuple[Purpose, str]
"""What a permit is asked for: a purpose and a subject."""


def permits(
    asked: Iterable[Asked], *, at: dt.datetime
) -> dict[Asked, tuple[Permit, Recipient] | NotPermitted | SealError]:
    """The permits for messages that leave now, each out of the yes in force at this moment, with whom it lets be
    written to; or why there is none: no such yes, paused, ended, its giver gone, their address not to be opened.
    """
    wanted = list(dict.fromkeys(asked))
    subjects = list({subject for _, subject in wanted})
    people = {row[0]: row[1:] for row in rows_in(_PEOPLE, subjects)}
    grants = standings_of(wanted, at_us=clock.to_us(at))
    found: dict[Asked, tuple[Permit, Recipient] | NotPermitted | SealError] = {}
    for purpose, subject in wanted:
        try:
            found[purpose, subject] = _permit(purpose, grants[purpose, subject], people.get(subject))
        except (NotPermitted, SealError) as refusal:
            found[purpose, subject] = refusal
    refused_now = refused_among(
        lookup for one in found.values() if isinstance(one, tuple) for lookup in one[0].lookups
    )
    for key, one in found.items():
        if isinstance(one, tuple) and not refused_now.isdisjoint(one[0].lookups):
            found[key] = NotPermitted(NEVER_AGAIN)
    return found


def _permit(
    purpose: Purpose, found: Grant, person: tuple[int, bytes, bytes, str] | None
) -> tuple[Permit, Recipient]:
    if person is None:
        raise NotPermitted("whoever allowed this is gone")
    if not found.is_live:
        raise NotPermitted("paused" if found.is_given else f"not allowed: {found.last or 'never asked for'}")
    assert found.pace is not None and found.since_us is not None, "a yes names its pace and its time"
    person_id, sealed_key, sealed_address, language = person
    address = vault.unseal(bytes(sealed_key), bytes(sealed_address))
    leave = Permit(
        purpose=purpose,
        lookups=vault.lookups_of(address),
        since=clock.from_us(found.since_us),
        grant_seq=found.seq,
        pace=found.pace,
    )
    return leave, Recipient(person_id=person_id, address=address, language=language)


NEVER_AGAIN = "this address asked never to be written to again"
_PEOPLE = (
    "SELECT s.id, p.id, p.sealed_key, p.sealed_address, p.language FROM permissions_subject s "
    "JOIN people_person p ON p.id = s.person_id WHERE s.id IN ({})"
)
