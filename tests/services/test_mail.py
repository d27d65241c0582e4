"""From the outbox to the mailbox or a real mail server: with a permit, once, and leaving no address behind."""

import datetime as dt
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests import cast
from tests.cast import AT
from tests.services.letters import code_in, in_the_mailbox, link_in, text_of
from tests.services.post import post_office
from vteam.channels.mail.codes import Asker, ask_code, never_again, refused_by
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.errors import NotPermitted, SettingsError
from vteam.people import vault
from vteam.people.models import Pending
from vteam.people.services import Proof, prove_by_code, prove_by_link
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.models import Refusal
from vteam.permissions.services import permit_code
from vteam.rules.grants import Purpose

BO = "bo@example.org"
C = 7
MINUTE = dt.timedelta(minutes=1)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_folder")]


def ask(address: str = BO, *, at: dt.datetime = AT, network: str = "near", language: str = "en") -> Pending:
    wanted = cast.entry(C)
    if language != "en":
        wanted = cast.Entry(campaign_id=C, name="Bo", language=language)
    asker = Asker(network=network, base_url="http://localhost:8000")
    return ask_code(address=address, entry=wanted, asker=asker, link_path="/code-link", at=at)


# Outbox to mailbox ----------------------------------------------------------------------------------------------
def test_the_code_somebody_asked_for_is_in_the_mailbox_and_opens_the_door() -> None:
    pending = ask()
    assert in_the_mailbox() == []
    assert deliver_due(at=AT) == 1
    (letter,) = in_the_mailbox()
    assert letter["To"] == BO
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "text/plain"
    assert code_in(letter) in letter["Subject"]
    assert prove_by_code(pending=pending, typed=code_in(letter), at=AT) is Proof.RIGHT
    by_link = prove_by_link(link_secret=link_in(letter, "/code-link"), at=AT)
    assert by_link is not None
    assert by_link.pk == pending.pk


def test_a_message_leaves_once() -> None:
    ask()
    assert [deliver_due(at=AT), deliver_due(at=AT), deliver_due(at=AT + MINUTE)] == [1, 0, 0]
    assert len(in_the_mailbox()) == 1


def test_nothing_leaves_before_it_is_due() -> None:
    ask()
    assert deliver_due(at=AT - MINUTE) == 0


def test_the_letter_speaks_the_language_of_whoever_asked() -> None:
    ask(language="fr")
    ask("cy@example.org")
    deliver_due(at=AT)
    french, english = (text_of(letter) for letter in in_the_mailbox())
    assert "Not me, never again" in english
    assert "Not me, never again" not in french
    assert "code" in french


def test_a_letter_carries_no_picture_no_script_and_no_link_but_our_own() -> None:
    ask()
    deliver_due(at=AT)
    (letter,) = in_the_mailbox()
    assert not letter.is_multipart()
    links = re.findall(r"https?://\S+", text_of(letter))
    assert links
    assert all(link.startswith("http://localhost:8000/") for link in links)


def test_content_and_address_are_erased_once_the_message_has_left() -> None:
    ask()
    waiting = OutboxMessage.objects.get()
    assert len(bytes(waiting.sealed)) > 50
    deliver_due(at=AT)
    sent = OutboxMessage.objects.get()
    assert (sent.state, bytes(sent.sealed), sent.ended_at) == (OutboxMessage.SENT, b"", AT)


def test_a_row_that_stands_for_nothing_to_send_ends_without_a_letter_or_a_trace() -> None:
    ask()
    ask()  # within validity: nothing more is sent
    assert list(OutboxMessage.objects.order_by("pk").values_list("is_null", flat=True)) == [False, True]
    assert deliver_due(at=AT) == 2
    assert len(in_the_mailbox()) == 1
    assert state().state == OutboxMessage.SENT, "of what was never to be sent nothing is left"


def test_a_hundred_rows_that_stand_for_nothing_delay_no_letter() -> None:
    ask()
    for _ in range(100):
        ask()
    ask("cy@example.org", network="another")
    assert deliver_due(at=AT, at_most=2) == 102
    assert [letter["To"] for letter in in_the_mailbox()] == [BO, "cy@example.org"]


def test_a_code_that_expired_meanwhile_is_not_sent_any_more(settings: Any) -> None:
    ask()
    deliver_due(at=AT + MINUTE * settings.CODE_MINUTES)
    given_up = OutboxMessage.objects.get()
    assert (given_up.state, given_up.reason) == (OutboxMessage.GIVEN_UP, "its code had expired")
    assert in_the_mailbox() == []


def test_at_most_so_many_leave_in_one_turn() -> None:
    for name in ("ana", "bo", "cy"):
        ask(f"{name}@example.org")
    assert [deliver_due(at=AT, at_most=2), deliver_due(at=AT, at_most=2)] == [2, 1]


def test_without_a_mail_server_and_outside_the_demo_it_says_what_to_set(settings: Any) -> None:
    settings.DEMO = False
    ask()
    with pytest.raises(SettingsError, match="VTEAM_EMAIL_URL"):
        deliver_due(at=AT)
    assert OutboxMessage.objects.get().state == OutboxMessage.WAITING


# Permission -----------------------------------------------------------------------------------------------------
def test_not_me_never_again_is_one_link_away_and_stops_every_letter() -> None:
    ask()
    deliver_due(at=AT)
    token = link_in(in_the_mailbox()[0], "/never")
    assert refused_by(token) == vault.lookup_of(BO)
    assert never_again(token=token, at=AT)
    assert never_again(token=token, at=AT), "saying it twice changes nothing"
    assert Refusal.objects.count() == 1
    later = AT + dt.timedelta(days=30)
    pending = ask(at=later)
    assert pending.pk, "whoever asks sees the same as ever"
    deliver_due(at=later)
    assert len(in_the_mailbox()) == 1


@pytest.mark.parametrize("token", ["", "abc", "00" * 32, "00" * 32 + ":forged"])
def test_a_forged_never_again_stops_nobody(token: str) -> None:
    assert not never_again(token=token, at=AT)
    assert not Refusal.objects.exists()


def test_a_message_that_was_on_its_way_when_its_recipient_refused_never_meets_the_server(
    settings: Any,
) -> None:
    with post_office() as office:
        settings.EMAIL_URL = office.url
        ask()
        refuse_for_ever(lookup=vault.lookup_of(BO), act="by hand", at=AT)
        deliver_due(at=AT)
    assert office.commands == []
    given_up = OutboxMessage.objects.get()
    assert (given_up.state, bytes(given_up.sealed)) == (OutboxMessage.GIVEN_UP, b"")
    assert "never" in given_up.reason


def test_there_is_no_permit_for_somebody_who_refused() -> None:
    refuse_for_ever(lookup=b"x" * 32, act="by hand", at=AT)
    with pytest.raises(NotPermitted):
        permit_code(lookups=[b"x" * 32], at=AT)
    assert permit_code(lookups=[b"y" * 32], at=AT).purpose is Purpose.CODE


def test_one_file_opens_smtp() -> None:
    root = Path(__file__).parents[2] / "vteam"
    opening = re.compile(
        r"^\s*(import|from)\s+(smtplib|aiosmtplib|asyncore)|send_mail\(|EmailMultiAlternatives", re.M
    )
    found = [
        path.relative_to(root).as_posix() for path in root.rglob("*.py") if opening.search(path.read_text())
    ]
    assert found == ["channels/mail/servers.py"]


# A real server --------------------------------------------------------------------------------------------------
def state() -> OutboxMessage:
    return OutboxMessage.objects.get()


def test_a_mail_server_is_given_the_letter(settings: Any) -> None:
    with post_office() as office:
        settings.EMAIL_URL = office.url
        ask()
        deliver_due(at=AT)
    (letter,) = office.letters
    assert letter["To"] == BO
    assert code_in(letter)
    assert f"rcpt to:<{BO}>" in [command.lower() for command in office.commands]
    assert state().state == OutboxMessage.SENT
    assert in_the_mailbox() == []


@pytest.mark.parametrize("command", ["CONNECT", "MAIL", "RCPT", "DATA", "END"])
def test_after_temporary_trouble_it_is_tried_again_with_growing_pauses(settings: Any, command: str) -> None:
    told = {
        command: [
            "451 try later",
            "452 still full",
            {"CONNECT": "220 hi", "DATA": "354 go"}.get(command, "250 ok"),
        ]
    }
    with post_office(told) as office:
        settings.EMAIL_URL = office.url
        ask()
        at, pauses = AT, []
        for _ in range(2):
            deliver_due(at=at)
            waiting = state()
            assert waiting.state == OutboxMessage.WAITING
            assert deliver_due(at=waiting.due_at - dt.timedelta(seconds=1)) == 0
            pauses.append(waiting.due_at - at)
            at = waiting.due_at
        deliver_due(at=at)
    assert pauses[1] > pauses[0] > dt.timedelta(0)
    assert state().state == OutboxMessage.SENT
    assert len(office.letters) == 1


@pytest.mark.parametrize("command", ["RCPT", "END"])
def test_a_server_that_says_never_is_believed_and_its_words_are_kept_without_the_address(
    settings: Any, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    with post_office({command: [f"550 5.1.1 <{BO}>: no such person; ask postmaster@example.org"]}) as office:
        settings.EMAIL_URL = office.url
        ask()
        deliver_due(at=AT)
        deliver_due(at=AT + MINUTE)
    given_up = state()
    assert (given_up.state, bytes(given_up.sealed)) == (OutboxMessage.GIVEN_UP, b"")
    assert given_up.reason.startswith("550 5.1.1")
    assert "no such person" in given_up.reason
    assert "@" not in given_up.reason
    assert BO not in caplog.text
    assert len([c for c in office.commands if c.lower().startswith("mail")]) == 1


def test_a_server_that_refuses_us_ourselves_is_tried_again_once_that_is_mended(settings: Any) -> None:
    with post_office({"MAIL": ["550 who are you", "250 ah, you"]}) as office:
        settings.EMAIL_URL = office.url
        ask()
        deliver_due(at=AT)
        assert state().state == OutboxMessage.WAITING
        deliver_due(at=AT + MINUTE)
    assert state().state == OutboxMessage.SENT


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_while_nobody_answers_it_waits_until_the_code_would_be_useless(settings: Any) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{closed_port()}"
    ask()
    at, tries = AT, 0
    while state().state == OutboxMessage.WAITING:
        at = max(at, state().due_at)
        deliver_due(at=at)
        tries += 1
    given_up = state()
    assert 4 <= tries < 12
    assert at <= AT + MINUTE * (settings.CODE_MINUTES + 11)
    assert "cannot be used" in given_up.reason
    assert bytes(given_up.sealed) == b""


def test_a_server_that_hangs_up_in_the_middle_is_temporary_trouble(settings: Any) -> None:
    with post_office({"MAIL": [""]}) as office:
        settings.EMAIL_URL = office.url
        ask()
        deliver_due(at=AT)
    assert state().state == OutboxMessage.WAITING
    assert state().tries == 1


def test_a_message_nobody_can_open_does_not_keep_the_others_from_leaving(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ask()
    OutboxMessage.objects.update(sealed_key=b"of another master key")
    ask("cy@example.org")
    deliver_due(at=AT)
    assert [letter["To"] for letter in in_the_mailbox()] == ["cy@example.org"]
    broken = OutboxMessage.objects.get(state=OutboxMessage.WAITING)
    assert (broken.tries, broken.reason) == (1, "SealError")
    assert "our own fault" in caplog.text
    deliver_due(at=AT + MINUTE * 60)
    assert OutboxMessage.objects.get(pk=broken.pk).state == OutboxMessage.GIVEN_UP
