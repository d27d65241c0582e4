"""The permission ledger: said by the person alone, one campaign at a time, never edited, and theirs to take along."""

import datetime as dt
import json

import pytest
from django.db import connection

from tests import cast
from tests.cast import AT, AT_US, allow
from tests.services.concurrency import at_once, raised
from vteam import appendonly
from vteam.channels.erasing import erase
from vteam.errors import NotPermitted
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions.models import GrantEvent, GrantProof, Subject
from vteam.permissions.queries import (
    allowing,
    audience,
    found_subject,
    history,
    proof_holds,
    receipt,
    standing,
    standings,
    verify,
)
from vteam.permissions.services import Permit, Recipient, Said, end, end_all, expire, permits, record_said
from vteam.permissions.wording import VERSION, wording
from vteam.rules.canonical import GENESIS, digest
from vteam.rules.grants import PACES, Event, Grant, Pace, Purpose

DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def bo() -> Fan:
    return cast.join(cast.open_campaign().pk, "Bo")


def said(
    fan: Fan, event: Event, purpose: Purpose = Purpose.NEWS, *, at: dt.datetime = AT, **more: object
) -> bool:
    """Whether saying it added anything."""
    what = Said(purpose=purpose, event=event, act="pressed", page="messages", **more)  # type: ignore[arg-type]
    return record_said(person=fan.person, campaign_id=fan.campaign_id, said=what, at=at) is not None


def permit(*, purpose: Purpose, subject: str, at: dt.datetime) -> tuple[Permit, Recipient]:
    """The permit for one message; raises why there is none."""
    found = permits([(purpose, subject)], at=at)[purpose, subject]
    if isinstance(found, tuple):
        return found
    raise found


# What is kept ---------------------------------------------------------------------------------------------------
def test_a_yes_keeps_who_what_when_where_the_very_words_and_how_we_know(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS, language="fr")
    event = GrantEvent.objects.get()
    content = json.loads(event.body)
    shown = wording(Purpose.NEWS, artist="Lune Noire", campaign="Marée haute", language="fr")
    assert content | {"proof": ""} == {
        "act": "pressed yes",
        "at_us": AT_US,
        "campaign": bo.campaign_id,
        "channel": "mail",
        "event": "given",
        "language": "fr",
        "pace": "at-once",
        "page": "home",
        "proof": "",
        "purpose": "news",
        "seq": 1,
        "subject": subject.pk,
        "until_us": None,
        "version": VERSION,
        "wording": shown.sha256,
    }
    assert "Lune Noire peut m’écrire" in shown.text
    assert event.sha256 == digest(event.body, after=GENESIS)


def test_nothing_in_the_chain_says_whose_it_is(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    body = GrantEvent.objects.get().body
    assert len(subject.pk) == 32
    assert "example.org" not in body
    assert str(bytes(bo.person.lookup).hex()) not in body
    other = cast.open_campaign(slug="other")
    again = cast.join(other.pk, "Bo")
    assert allow(again, Purpose.NEWS).pk != subject.pk, "and two campaigns' ledgers cannot be laid together"


def test_the_proof_is_sealed_and_erasable_and_the_event_carries_its_salted_hash(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    proof = GrantProof.objects.get()
    assert b"signed in" not in bytes(proof.sealed)
    (event,) = receipt(subject)["events"]
    assert event["proof"] == "signed in by a code mailed to their address"
    assert proof_holds(event)
    assert not proof_holds(event | {"proof": "another"})


def test_what_says_nothing_new_is_not_said(bo: Fan) -> None:
    assert not said(bo, Event.WITHDRAWN), "never given"
    assert not said(bo, Event.PAUSED, until=AT + DAY)
    allow(bo, Purpose.NEWS)
    assert not said(bo, Event.GIVEN, pace=Pace.AT_ONCE), "holds already"
    assert not said(bo, Event.GIVEN, pace=Pace.DAILY), "news is not offered daily"
    assert not said(bo, Event.GIVEN, Purpose.CODE, pace=Pace.AT_ONCE), "a code needs no yes"
    assert said(bo, Event.WITHDRAWN)
    assert not said(bo, Event.WITHDRAWN)
    assert GrantEvent.objects.count() == 2


def test_how_every_purpose_stands_follows_what_was_said(bo: Fan) -> None:
    assert standings(
        found_subject(person_id=bo.person_id, campaign_id=bo.campaign_id), at_us=AT_US
    ) == dict.fromkeys(PACES, Grant())
    subject = allow(bo, Purpose.NEWS)
    said(bo, Event.REFUSED, Purpose.POINTS)
    said(bo, Event.PACE_CHANGED, pace=Pace.WEEKLY)
    found = standings(subject, at_us=AT_US)
    assert (found[Purpose.NEWS].is_live, found[Purpose.NEWS].pace) == (True, Pace.WEEKLY)
    assert found[Purpose.POINTS].last is Event.REFUSED
    assert not found[Purpose.ASKED].is_given
    assert [event.event for event in history(subject)] == ["pace-changed", "refused", "given"]


# Others ---------------------------------------------------------------------------------------------------------
def test_one_campaigns_yes_is_never_anothers(bo: Fan) -> None:
    allow(bo, Purpose.NEWS)
    other = cast.open_campaign(slug="other")
    again = cast.join(other.pk, "Bo")
    assert found_subject(person_id=again.person_id, campaign_id=other.pk) is None
    assert audience(campaign_id=other.pk, purpose=Purpose.NEWS, at_us=AT_US).in_all == 0


def test_others_end_a_yes_and_cannot_give_one(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    allow(bo, Purpose.POINTS)
    assert end(subject=subject, purpose=Purpose.NEWS, act="a complaint", at=AT) is not None
    assert end(subject=subject, purpose=Purpose.NEWS, act="a complaint", at=AT) is None
    assert end_all(subject=subject, act="an operator, at their wish", at=AT) == 1
    assert not any(grant.is_given for grant in standings(subject, at_us=AT_US).values())
    import vteam.permissions.services as services

    for name in ("end", "end_all", "expire"):
        assert "event" not in getattr(services, name).__annotations__, f"{name} says one thing alone"


def test_a_campaign_that_is_over_may_write_to_nobody(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    cy = cast.join(bo.campaign_id, "Cy")
    allow(cy, Purpose.POINTS)
    erase(person=cy.person, at=AT)
    assert expire(campaign_id=bo.campaign_id, at=AT + DAY, at_most=9) == 1, (
        "of who is gone nothing is in force"
    )
    assert standing(subject.pk, Purpose.NEWS, at_us=AT_US).last is Event.EXPIRED
    assert expire(campaign_id=bo.campaign_id, at=AT + DAY, at_most=9) == 0


def test_how_many_would_be_reached_and_by_which_yes(bo: Fan) -> None:
    campaign = bo.campaign_id
    allow(bo, Purpose.NEWS)
    for name, pace in (("Cy", Pace.AT_ONCE), ("Di", Pace.WEEKLY), ("Ed", Pace.WEEKLY), ("Flo", Pace.AT_ONCE)):
        allow(cast.join(campaign, name), Purpose.NEWS, pace=pace)
    flo = Fan.objects.get(name="Flo")
    said(flo, Event.PAUSED, until=AT + DAY)
    said(Fan.objects.get(name="Ed"), Event.WITHDRAWN)
    now = audience(campaign_id=campaign, purpose=Purpose.NEWS, at_us=AT_US)
    assert (now.by_pace, now.paused, now.in_all) == ({Pace.AT_ONCE: 2, Pace.WEEKLY: 1}, 1, 3)
    after_us = AT_US + 2 * cast.DAY_US
    assert audience(campaign_id=campaign, purpose=Purpose.NEWS, at_us=after_us).in_all == 4
    assert len(list(allowing(campaign_id=campaign, purpose=Purpose.NEWS, at_us=AT_US))) == 4


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_however_many_rows_are_read_at_once_everybody_is_counted_once(
    bo: Fan, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vteam.permissions.queries.PAGE", page)
    for number in range(5):
        fan = cast.join(bo.campaign_id, f"Fan {number}".replace(" ", ""))
        allow(fan, Purpose.NEWS)
        said(fan, Event.PACE_CHANGED, pace=Pace.WEEKLY)
        said(fan, Event.PACE_CHANGED, pace=Pace.AT_ONCE)
    found = [
        subject for subject, _ in allowing(campaign_id=bo.campaign_id, purpose=Purpose.NEWS, at_us=AT_US)
    ]
    assert len(found) == len(set(found)) == 5
    beyond = list(allowing(campaign_id=bo.campaign_id, purpose=Purpose.NEWS, at_us=AT_US, after=found[2]))
    assert [subject for subject, _ in beyond] == found[3:]


# The receipt and the chain --------------------------------------------------------------------------------------
def test_a_receipt_can_be_checked_by_whoever_has_it(bo: Fan) -> None:
    cy = cast.join(bo.campaign_id, "Cy")
    allow(cy, Purpose.NEWS)
    subject = allow(bo, Purpose.NEWS, language="fr")
    said(bo, Event.WITHDRAWN, at=AT + DAY)
    taken = json.loads(json.dumps(receipt(subject)))
    assert [json.loads(event["body"])["event"] for event in taken["events"]] == ["given", "withdrawn"]
    for event in taken["events"]:
        assert digest(event["body"], after=event["after"]) == event["sha256"]
    given = json.loads(taken["events"][0]["body"])
    assert "Lune Noire peut m’écrire" in taken["wordings"][given["wording"]]["text"]
    assert cy.person.lookup.hex() not in json.dumps(taken)


def rewrite(statement: str) -> None:
    """What somebody with the database's own password could do behind the triggers' back."""
    appendonly.uninstall(connection)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        appendonly.install(connection)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM permissions_grantevent WHERE seq = 2", "permission 2 is missing"),
        ("UPDATE permissions_grantevent SET event = 'given' WHERE seq = 2", "permission 2 says one thing"),
        (
            "UPDATE permissions_grantevent SET body = REPLACE(body, 'withdrawn', 'given') WHERE seq = 2",
            "permission 2 does not follow",
        ),
    ],
)
def test_an_edit_behind_the_triggers_back_is_found_and_named(bo: Fan, statement: str, told: str) -> None:
    allow(bo, Purpose.NEWS)
    said(bo, Event.WITHDRAWN)
    allow(cast.join(bo.campaign_id, "Cy"), Purpose.NEWS)
    assert verify(connection, bo.campaign_id) is None
    rewrite(statement)
    wrong = verify(connection, bo.campaign_id)
    assert wrong is not None
    assert wrong.startswith(told)


# Erasing --------------------------------------------------------------------------------------------------------
def test_who_erases_themselves_leaves_a_chain_that_holds_and_names_nobody(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    erase(person=bo.person, at=AT)
    assert not Subject.objects.exists()
    assert not GrantProof.objects.exists()
    assert GrantEvent.objects.count() == 1
    assert verify(connection, bo.campaign_id) is None
    with pytest.raises(NotPermitted, match="gone"):
        permit(purpose=Purpose.NEWS, subject=subject.pk, at=AT)


# The permit -----------------------------------------------------------------------------------------------------
def test_a_permit_names_the_yes_it_rests_on_and_the_address_it_is_for(bo: Fan) -> None:
    allow(cast.join(bo.campaign_id, "Cy"), Purpose.NEWS)
    subject = allow(bo, Purpose.NEWS, pace=Pace.WEEKLY)
    leave, recipient = permit(purpose=Purpose.NEWS, subject=subject.pk, at=AT)
    assert (leave.grant_seq, leave.pace, leave.since) == (2, Pace.WEEKLY, AT)
    assert recipient.address == "bo@example.org"
    assert leave.lookups == vault.lookups_of("bo@example.org")


def test_there_is_no_permit_for_another_purpose_a_pause_or_after_a_withdrawal(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    with pytest.raises(NotPermitted, match="never asked for"):
        permit(purpose=Purpose.POINTS, subject=subject.pk, at=AT)
    said(bo, Event.PAUSED, until=AT + DAY)
    with pytest.raises(NotPermitted, match="paused"):
        permit(purpose=Purpose.NEWS, subject=subject.pk, at=AT)
    assert permit(purpose=Purpose.NEWS, subject=subject.pk, at=AT + DAY)
    said(bo, Event.WITHDRAWN)
    with pytest.raises(NotPermitted, match="withdrawn"):
        permit(purpose=Purpose.NEWS, subject=subject.pk, at=AT)


@pytest.mark.django_db(transaction=True)
def test_what_many_say_at_the_same_moment_is_one_chain() -> None:
    campaign = cast.open_campaign()
    fans = [cast.join(campaign.pk, f"Fan{number}") for number in range(6)]

    def speak(fan: Fan) -> None:
        for purpose in (Purpose.NEWS, Purpose.POINTS, Purpose.ASKED):
            allow(fan, purpose)

    results = at_once(*(lambda fan=fan: speak(fan) for fan in fans))  # type: ignore[misc]
    assert raised(results) == []
    assert GrantEvent.objects.count() == 18
    assert verify(connection, campaign.pk) is None
