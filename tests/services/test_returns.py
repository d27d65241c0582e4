"""What comes back is held against its message and nobody else's: dead, full, our fault, a complaint."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests import cast
from tests.cast import AT, allow
from tests.services.post import post_office
from tests.services.test_gate import ask_for, states
from vteam import clock
from vteam.channels.mail.bounces import Kind, Returned
from vteam.channels.mail.delivery import Postman, deliver_due
from vteam.channels.mail.models import OutboxMessage, Trouble
from vteam.channels.mail.returns import hold, receive_returned
from vteam.channels.mail.troubles import FULL_REST, try_again
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions.codes import refused
from vteam.permissions.queries import found_subject, standing
from vteam.rules.grants import Purpose

DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db
DSN = b"""From: MAILER-DAEMON@mx.example\r
To: bounces+%(token)s@vteam.test\r
Subject: Undelivered Mail\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
It did not work.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
\r
Final-Recipient: rfc822; somebody-else@example.org\r
Action: failed\r
Status: %(status)s\r
Diagnostic-Code: smtp; 550 no such person\r
\r
--b--\r
"""


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    settings.BOUNCES_ADDRESS = "bounces@vteam.test"


@pytest.fixture
def bo() -> Fan:
    fan = cast.join(cast.open_campaign().pk, "Bo")
    allow(fan, Purpose.ASKED)
    return fan


def sent_to(fan: Fan, *, key: str = "first", at: dt.datetime = AT) -> OutboxMessage:
    ask_for(fan, key=key, at=at)
    deliver_due(at=at)
    return OutboxMessage.objects.latest("pk")


def came_back(
    message: OutboxMessage, kind: Kind, status: str, *, is_final: bool = True, at: dt.datetime = AT
) -> bool:
    returned = Returned(
        token=message.token or "", kind=kind, status=status, words="no such person", is_final=is_final
    )
    return hold(returned, at=at)


def is_allowed(fan: Fan) -> bool:
    subject = found_subject(person_id=fan.person_id, campaign_id=fan.campaign_id)
    assert subject is not None
    return standing(subject.pk, Purpose.ASKED, at_us=clock.to_us(AT)).is_live


def test_a_dead_address_is_written_to_no_more_until_its_owner_says_it_works(bo: Fan) -> None:
    message = sent_to(bo)
    assert came_back(message, Kind.GONE, "5.1.1")
    assert came_back(message, Kind.GONE, "5.1.1"), "told twice it is the same"
    message.refresh_from_db()
    assert (message.state, message.reason) == (OutboxMessage.BOUNCED, "5.1.1 no such person")
    assert is_allowed(bo), "what they allowed stays"
    assert sent_to(bo, key="second").state == OutboxMessage.GIVEN_UP
    try_again(person=bo.person)
    assert sent_to(bo, key="third").state == OutboxMessage.SENT


def test_a_full_mailbox_rests_for_some_days_and_is_tried_again(bo: Fan) -> None:
    assert came_back(sent_to(bo), Kind.WAIT, "4.2.2")
    waits = sent_to(bo, key="second", at=AT + DAY)
    assert waits.state == OutboxMessage.WAITING
    assert waits.due_at >= AT + FULL_REST
    deliver_due(at=waits.due_at)
    waits.refresh_from_db()
    assert waits.state == OutboxMessage.SENT


def test_what_is_our_fault_is_told_to_us_and_never_held_against_the_reader(
    bo: Fan, caplog: pytest.LogCaptureFixture
) -> None:
    assert came_back(sent_to(bo), Kind.OURS, "5.7.1")
    assert not Trouble.objects.exists()
    assert "a fault of ours: 5.7.1" in caplog.text
    assert sent_to(bo, key="second").state == OutboxMessage.SENT


def test_a_complaint_ends_the_yes_it_complains_of_and_no_other(bo: Fan) -> None:
    allow(bo, Purpose.POINTS)
    assert came_back(sent_to(bo), Kind.COMPLAINT, "")
    assert not is_allowed(bo)
    subject = found_subject(person_id=bo.person_id, campaign_id=bo.campaign_id)
    assert subject is not None
    assert standing(subject.pk, Purpose.POINTS, at_us=cast.AT_US).is_live


def test_a_complaint_about_a_code_is_heard_as_never_again() -> None:
    from tests.services.doors import ask

    ask()
    deliver_due(at=AT)
    assert came_back(OutboxMessage.objects.get(), Kind.COMPLAINT, "")
    assert refused(vault.lookups_of("bo@example.org"))


def test_a_letter_that_is_late_changes_nothing(bo: Fan) -> None:
    message = sent_to(bo)
    assert came_back(message, Kind.WAIT, "4.4.1", is_final=False)
    assert states() == {OutboxMessage.SENT: 1}
    assert not Trouble.objects.exists()


def test_a_token_nobody_was_given_is_nobodys(bo: Fan) -> None:
    sent_to(bo)
    returned = Returned(token="0" * 32, kind=Kind.GONE, status="5.1.1", words="", is_final=True)
    assert not hold(returned, at=AT)
    assert not Trouble.objects.exists()


def test_a_letter_that_comes_back_before_we_wrote_down_that_it_left_stays_returned(bo: Fan) -> None:
    ask_for(bo)
    message = OutboxMessage.objects.get()
    OutboxMessage.objects.update(state=OutboxMessage.HANDING)
    assert came_back(message, Kind.GONE, "5.1.1")
    message.state, message.ended_at = OutboxMessage.SENT, AT
    late = Postman(_ended=[message])
    late.deliver_due(at=AT)
    assert states() == {OutboxMessage.BOUNCED: 1}


def test_the_mailbox_of_returned_mail_is_read_by_the_token_alone(
    bo: Fan, settings: Any, tmp_path: Path
) -> None:
    inbox = tmp_path / "returned"
    for part in ("new", "cur", "tmp"):
        (inbox / part).mkdir(parents=True)
    settings.BOUNCES_URL = f"maildir:{inbox}"
    cy = cast.join(bo.campaign_id, "Cy")
    allow(cy, Purpose.ASKED)
    with post_office() as office:
        settings.EMAIL_URL = office.url
        sent_to(cy)
        message = sent_to(bo)
    token = (message.token or "").encode()
    (inbox / "new" / "1").write_bytes(DSN % {b"token": token, b"status": b"5.1.1"})
    (inbox / "new" / "2").write_bytes(DSN % {b"token": b"f" * 32, b"status": b"5.1.1"})
    (inbox / "new" / "3").write_bytes(b"Subject: I am away\r\n\r\nUntil Monday.\r\n")
    assert receive_returned(at=AT) == 3
    assert receive_returned(at=AT) == 0
    assert Trouble.objects.get().person_id == bo.person_id
    assert len(list((inbox / "cur").iterdir())) == 2, "what was not understood is left for people"
