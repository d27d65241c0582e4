"""Reading the permission ledger: how each purpose stands, what was said when, and who allowed a purpose."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from vteam.people import vault
from vteam.permissions.models import GrantEvent, GrantProof, GrantText, Subject
from vteam.reading import rows, rows_in
from vteam.rules.canonical import GENESIS, digest
from vteam.rules.grants import PACES, Event, Grant, GrantRecord, Pace, Purpose, grant

PAGE, HISTORY = 5_000, 100
_COLUMNS = "seq, event, at_us, pace, until_us"


def standing(subject: str, purpose: Purpose, *, at_us: int) -> Grant:
    """How a purpose stands with a subject at a moment."""
    return standings_of([(purpose, subject)], at_us=at_us)[purpose, subject]


def standings_of(wanted: Iterable[tuple[Purpose, str]], *, at_us: int) -> dict[tuple[Purpose, str], Grant]:
    """How purposes stand with subjects at a moment, for many (purpose, subject) in one question."""
    found: dict[tuple[Purpose, str], Grant] = dict.fromkeys(wanted, Grant())
    said = rows_in(_SAID_BY_MANY, {subject for _, subject in found})
    for (subject, purpose), records in groupby(said, key=itemgetter(0, 1)):
        if (Purpose(purpose), subject) in found:
            found[Purpose(purpose), subject] = grant((_record_of(row[2:]) for row in records), at_us=at_us)
    return found


_SAID_BY_MANY = (
    f"SELECT subject, purpose, {_COLUMNS} FROM permissions_grantevent WHERE subject IN ({{}}) "
    "ORDER BY subject, purpose, seq"
)


def _record_of(row: tuple[int, str, int, str, int | None]) -> GrantRecord:
    seq, event, at_us, pace, until_us = row
    return GrantRecord(
        seq=seq, event=Event(event), at_us=at_us, pace=Pace(pace) if pace else None, until_us=until_us
    )


def standings(subject: Subject | None, *, at_us: int) -> dict[Purpose, Grant]:
    """How every purpose stands with somebody now; nothing said where nobody is named."""
    found = standings_of([(purpose, subject.pk) for purpose in PACES] if subject else [], at_us=at_us)
    return {purpose: found.get((purpose, subject.pk), Grant()) if subject else Grant() for purpose in PACES}


def found_subject(*, person_id: int, campaign_id: int) -> Subject | None:
    """The person's subject in a campaign, if they ever said anything there."""
    return Subject.objects.filter(campaign_id=campaign_id, person_id=person_id).first()


def subjects_of(*, person_id: int) -> list[Subject]:
    """Everything a person is in the permission ledgers, campaign by campaign, the installation first."""
    return list(Subject.objects.filter(person_id=person_id).order_by("campaign_id"))


def said_anything(*, person_id: int, campaign_id: int, purpose: Purpose) -> bool:
    """Whether somebody ever said anything about a purpose of a campaign: then they are not asked again."""
    return bool(rows(_SAID_ANYTHING, [campaign_id, person_id, purpose]))


_SAID_ANYTHING = (
    "SELECT 1 FROM permissions_subject s JOIN permissions_grantevent e ON e.subject = s.id "
    "WHERE s.campaign_id = %s AND s.person_id = %s AND e.purpose = %s LIMIT 1"
)


def history(subject: Subject) -> list[GrantEvent]:
    """What a subject said, newest first; of very much the newest. The receipt has all of it."""
    return list(GrantEvent.objects.filter(subject=subject.pk).order_by("-seq")[:HISTORY])


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who a purpose of a campaign may be written to now: how many by the pace they chose, and how many are paused."""

    by_pace: dict[Pace, int]
    paused: int

    @property
    def in_all(self) -> int:
        """How many will get a message made now."""
        return sum(self.by_pace.values())


def audience(*, campaign_id: int, purpose: Purpose, at_us: int) -> Audience:
    """How many a message made now would reach, by the yeses in force."""
    stands = tally(campaign_id=campaign_id, purpose=purpose, at_us=at_us)
    return Audience(by_pace={pace: stands[pace] for pace in PACES[purpose]}, paused=stands[Event.PAUSED])


def tally(*, campaign_id: int, purpose: Purpose, at_us: int) -> Counter[str]:
    """How a purpose stands with how many of those who are still here: a pace ("weekly") for a yes in force, "paused",
    "refused", "withdrawn", "expired".
    """
    found: Counter[str] = Counter()
    for _, records in groupby(_said(campaign_id, purpose, ""), key=itemgetter(0)):
        stands = grant((_record_of(row[1:]) for row in records), at_us=at_us)
        if stands.is_live:
            found[str(stands.pace)] += 1
        elif stands.last is not None:
            found[str(Event.PAUSED if stands.is_given else stands.last)] += 1
    return found


def allowing(
    *, campaign_id: int, purpose: Purpose, at_us: int, after: str = ""
) -> Iterator[tuple[str, Grant]]:
    """Every subject with a yes to a purpose, paused ones too, by their ids, from beyond the id `after` on."""
    for subject, records in groupby(_said(campaign_id, purpose, after), key=itemgetter(0)):
        found = grant((_record_of(row[1:]) for row in records), at_us=at_us)
        if found.is_given:
            yield subject, found


def _said(campaign_id: int, purpose: Purpose, after: str) -> Iterator[Any]:
    """Everything said about a purpose by those who are still here, subject by subject, a page at a time."""
    seq = MOST
    while True:
        page = rows(_ALL_SAID, [campaign_id, purpose, after, seq, PAGE])
        yield from page
        if len(page) < PAGE:
            return
        after, seq = page[-1][0], page[-1][1]


MOST = 2**62
_ALL_SAID = (
    f"SELECT subject, {_COLUMNS} FROM permissions_grantevent WHERE campaign_id = %s AND purpose = %s "
    "AND (subject, seq) > (%s, %s) AND subject IN (SELECT id FROM permissions_subject) "
    "ORDER BY subject, seq LIMIT %s"
)


# The receipt and the chain -------------------------------------------------------------------------------------------
def receipt(subject: Subject) -> dict[str, object]:
    """Everything a person said, as it stands in the chain, with the words they saw and the proofs we keep of it."""
    events = list(GrantEvent.objects.filter(subject=subject.pk).order_by("seq"))
    contents = [json.loads(event.body) for event in events]
    texts = GrantText.objects.in_bulk({content["wording"] for content in contents} - {""})
    proofs = {proof.seq: proof for proof in GrantProof.objects.filter(subject=subject)}
    return {
        "subject": subject.pk,
        "events": [
            {"body": event.body, "sha256": event.sha256, "after": _before(event)}
            | _proof(proofs.get(event.seq), bytes(subject.person.sealed_key))
            for event in events
        ],
        "wordings": {
            sha256: {"language": text.language, "version": text.version, "text": text.text}
            for sha256, text in texts.items()
        },
    }


def _before(event: GrantEvent) -> str:
    found = GrantEvent.objects.filter(campaign_id=event.campaign_id, seq=event.seq - 1)
    return found.values_list("sha256", flat=True).first() or GENESIS


def _proof(proof: GrantProof | None, key: bytes) -> dict[str, str]:
    if proof is None:
        return {}
    return {"salt": proof.salt, "proof": vault.unseal(key, bytes(proof.sealed))}


def proof_hash(salt: str, proof: str) -> str:
    """SHA-256 (64 hex digits) of a proof behind its salt."""
    return digest(json.dumps([salt, proof]))


def proof_holds(event: dict[str, str]) -> bool:
    """Whether an event of a receipt carries the hash of the proof beside it."""
    return bool(json.loads(event["body"])["proof"] == proof_hash(event["salt"], event["proof"]))


_EVENTS = (
    "SELECT seq, subject, purpose, channel, event, at_us, pace, until_us, body, sha256 FROM permissions_grantevent "
    "WHERE campaign_id = %s AND seq > %s ORDER BY seq LIMIT 2000"
)
_FIELDS = ("seq", "subject", "purpose", "channel", "event", "at_us", "pace", "until_us")


def verify(database: BaseDatabaseWrapper, campaign_id: int) -> str | None:
    """None when a campaign's permission ledger holds, else a sentence naming the first row that is wrong."""
    previous, seq = GENESIS, 0
    while True:
        with database.cursor() as cursor:
            cursor.execute(_EVENTS, [campaign_id, seq])
            page = cursor.fetchall()
        for row in page:
            if row[0] != seq + 1:
                return f"permission {seq + 1} is missing"
            seq = row[0]
            *columns, body, sha256 = row
            if digest(body, after=previous) != sha256:
                return f"permission {seq} does not follow from the one before: its hash is wrong"
            content = json.loads(body)
            if columns != [content[field] for field in _FIELDS] or content["campaign"] != campaign_id:
                return f"permission {seq} says one thing in its columns and another in its text"
            previous = sha256
        if not page:
            return None
