"""A real dialogue with a mail server: to whom, how long, and never twice what was taken."""

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection

from tests import cast
from tests.cast import AT
from tests.services.doors import ask
from tests.services.post import SILENCE, post_office
from vteam.channels.mail import delivery, servers
from vteam.channels.mail.courier import delivering
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.letters import code_letter
from vteam.channels.mail.models import OutboxMessage
from vteam.people import vault
from vteam.permissions.codes import refuse_for_ever
from vteam.web.forms import SignInForm

pytestmark = pytest.mark.django_db
A_LABEL = "zoé.example".encode("idna").decode()


# To whom --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("Bo@Example.ORG", "bo@example.org"),
        ("o'hara+lune_1=x?y|z.{a}@example.org", "o'hara+lune_1=x?y|z.{a}@example.org"),
        ("bo@zoé.example", f"bo@{A_LABEL}"),
        ("bo@ZOE\u0301.example", f"bo@{A_LABEL}"),
        ("bo@\uff45xample.org", "bo@example.org"),
    ],
)
def test_the_server_is_told_the_very_address_that_was_looked_up(settings: Any, typed: str, told: str) -> None:
    assert SignInForm({"address": typed}).is_valid()
    with post_office() as office:
        settings.EMAIL_URL = office.url
        ask(typed)
        deliver_due(at=AT)
    assert [c for c in office.commands if c.lower().startswith("rcpt")] == [f"rcpt TO:<{told}>"]
    assert [
        c.partition(" ")[2].partition(" ")[0] for c in office.commands if c.lower().startswith("mail")
    ] == ["FROM:<vteam@localhost>"]
    (taken,) = office.letters
    assert [address.addr_spec for address in taken["To"].addresses] == [told]
    assert bytes(OutboxMessage.objects.get().lookup) == vault.lookup_of(told)


@pytest.mark.parametrize(
    "typed",
    [
        "=?utf-8?q?ref?=@x.example",
        "=?utf-8?b?cmVm?=@x.example",
        "a.=?utf-8?q?ref?=@x.example",
        '"ref"@x.example',
        '"r ef"@x.example',
        "ref(a comment)@x.example",
        "<ref@x.example>",
        "ref@x.example,other@x.example",
        "zoé@x.example",
        "re\u200bf@x.example",
        ".ref@x.example",
        "ref.@x.example",
        "r..ef@x.example",
        "ref@[127.0.0.1]",
        "ref@[IPv6:::1]",
        "ref@10.0.0.12",
        "ref@x_y.example",
        "ref@-x.example",
        "ref@fa\u00df.example",
        "ref@x\u200d.example",
        "ref@x.example.",
        "ref@=?utf-8?q?x?=.example",
        f"{'r' * 65}@x.example",
        f"ref@{'y.' * 121}zoé.example",
        "r@ef@x.example",
        "ref\r\nBcc: other@x.example",
    ],
)
def test_every_other_way_of_writing_an_address_is_refused_in_the_form_and_behind_it(typed: str) -> None:
    form = SignInForm({"address": typed})
    assert not form.is_valid()
    assert any("does not look like a mail address" in said for said in form.errors["address"])
    with pytest.raises(ValueError, match="plain mail address"):
        ask(typed)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("to", ["=?utf-8?q?ref?=@x.example", '"ref"@x.example', "ref@x.example, c@x.example"])
def test_a_letter_whose_header_would_name_another_is_never_made(to: str) -> None:
    content = {"to": to, "language": "en", "code": "123456", "link": "", "never": "", "minutes": 15}
    with pytest.raises((AssertionError, ValueError)):
        code_letter(content, at=AT)


def test_a_message_for_another_address_than_its_permits_never_meets_the_server(settings: Any) -> None:
    with post_office() as office:
        settings.EMAIL_URL = office.url
        ask()
        OutboxMessage.objects.update(lookup=vault.lookup_of("cy@example.org"))
        deliver_due(at=AT)
    assert office.commands == []
    assert OutboxMessage.objects.get().state == OutboxMessage.WAITING


# Never twice ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "after",
    [
        {"QUIT": ["500 no such word"]},
        {"QUIT": ["421 too busy to say goodbye"]},
        {"QUIT": [""]},
        {"QUIT": [SILENCE]},
        {"END": ["251 will forward"]},
    ],
)
def test_what_the_server_has_taken_is_sent_whatever_happens_after(
    settings: Any, after: dict[str, list[str]]
) -> None:
    with post_office(after) as office:
        settings.EMAIL_URL = office.url
        ask()
        deliver_due(at=AT)
        deliver_due(at=AT + dt.timedelta(minutes=5))
    assert OutboxMessage.objects.get().state == OutboxMessage.SENT
    assert len(office.letters) == 1


# How long -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "END"])
def test_a_silent_server_holds_one_turn_for_a_few_seconds_and_no_more(
    settings: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(servers, "SMTP_SECONDS", 0.3)
    monkeypatch.setattr(servers, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(delivery, "TURN_SECONDS_MAX", 0.2)
    for name in ("ana", "bo", "cy"):
        ask(f"{name}@example.org")
    with post_office({command: [SILENCE]}) as office:
        settings.EMAIL_URL = office.url
        begun = time.monotonic()
        assert deliver_due(at=AT) == 1
        assert time.monotonic() - begun < 10
    tried = OutboxMessage.objects.order_by("pk").values_list("tries", flat=True)
    assert list(tried) == [1, 0, 0], "the next turn goes on with those who have not been tried"


def test_the_limits_are_what_the_other_jobs_can_bear() -> None:
    assert servers.SMTP_SECONDS <= 5
    assert delivery.TURN_SECONDS_MAX <= 2


@pytest.mark.django_db(transaction=True)
def test_while_a_server_keeps_silent_facts_move_on_and_the_letter_leaves_later(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA = tmp_path
    monkeypatch.setattr(servers, "SMTP_SECONDS", 60.0)
    with post_office({"MAIL": [SILENCE, "250 fine"]}) as office, time_machine.travel(AT, tick=True):
        settings.EMAIL_URL = office.url
        ask()
        with delivering():
            until(lambda: any(c.lower().startswith("mail") for c in office.commands))
            cast.open_season(7)
            cast.offer(7, cast.arrival(10, 1))
            assert cast.move() > 1
            assert OutboxMessage.objects.get().tries == 0, "the server is still silent"
            office.end_silence()
            until(lambda: OutboxMessage.objects.get().tries == 1)
            OutboxMessage.objects.update(due_at=AT)
            until(lambda: OutboxMessage.objects.get().state == OutboxMessage.SENT)
    assert len(office.letters) == 1
    assert "mail" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.django_db(transaction=True)
def test_the_thread_survives_what_is_set_up_wrongly(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA, settings.DEMO = tmp_path, False
    with time_machine.travel(AT, tick=True):
        ask()
        with delivering():
            until(lambda: "VTEAM_EMAIL_URL" in caplog.text)
            settings.DEMO = True
            until(lambda: OutboxMessage.objects.get().state == OutboxMessage.SENT)
    assert connection.is_usable()


def until(happened: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_never_again_holds_for_every_spelling_that_can_be_asked_for(settings: Any) -> None:
    refuse_for_ever(lookup=vault.lookup_of(f"bo@{A_LABEL}"), act="by hand", at=AT)
    with post_office() as office:
        settings.EMAIL_URL = office.url
        for typed in ("bo@zoé.example", " BO@Zoé.Example", "bo@zoe\u0301.example"):
            ask(typed)
            deliver_due(at=AT)
    assert office.commands == []
