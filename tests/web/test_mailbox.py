"""The demo's mailbox: readable while it is made, and the newest first however many there are."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from vteam.channels.mail.servers import Mailbox, in_mailbox
from vteam.web.views.mailbox import SHOWN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_folder")]


def hand(number: int) -> None:
    head = (
        f"To: bo@example.org\nSubject: =?utf-8?q?Num=C3=A9ro?= {number}\nDate: Thu, 1 Jan 2026 10:00:00 +0000"
    )
    Mailbox().hand(f"{head}\n\nYou have {number}.".encode(), sender="", to="bo@example.org")


def page() -> Any:
    return Client().get("/mailbox", headers={"Host": "localhost"})


def test_a_mailbox_that_is_only_begun_is_empty_and_takes_letters(own_folder: Path) -> None:
    for begun in ("mailbox", "mailbox/tmp"):
        (own_folder / begun).mkdir()
        answer = page()
        assert (answer.status_code, answer.context["letters"]) == (200, [])
    hand(1)
    (letter,) = page().context["letters"]
    assert (letter.to, letter.subject, letter.text.strip()) == ("bo@example.org", "Numéro 1", "You have 1.")


def test_the_newest_come_first_and_no_more_than_can_be_read() -> None:
    for number in range(SHOWN + 2):
        hand(number)
    assert [letter.subject for letter in page().context["letters"]] == [
        f"Numéro {number}" for number in range(SHOWN + 1, 1, -1)
    ]
    assert len(in_mailbox(at_most=SHOWN + 5)) == SHOWN + 2
