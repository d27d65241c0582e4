"""The pages of the code, as a stranger watches them: nothing tells a known address from any other."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.conf import settings as site
from django.http import HttpResponse
from django.test import Client

from tests import cast
from tests.cast import AT, come_in_as, entry
from tests.services.doors import DAY, HOUR, MINUTE
from tests.services.letters import code_in, in_the_mailbox, link_in, text_of
from vteam.channels.links.services import Visitor, arrival_token, end_share
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.networks import networks_of
from vteam.jobs.loop import forget
from vteam.journal.models import Inbox
from vteam.people import vault
from vteam.people.models import Fan, Pending
from vteam.permissions import codes as permissions
from vteam.permissions.codes import refuse_for_ever
from vteam.web.views.landing import via_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_folder")]
KNOWN, UNKNOWN, REFUSED, WORN_OUT = (
    f"{name}@example.org" for name in ("known", "unknown", "refused", "worn-out")
)


@pytest.fixture(autouse=True)
def _addresses() -> None:
    come_in_as(entry(None, ""), KNOWN)
    refuse_for_ever(lookup=vault.lookup_of(REFUSED), act="by hand", at=AT)


def ask(address: str, *, host: str = "here.localhost") -> HttpResponse:
    return Client(headers={"Host": host}).post("/sign-in", {"address": address})


def try_code(path: str, *, code: str = "000000", host: str = "here.localhost") -> HttpResponse:
    return Client(headers={"Host": host}).post(path, {"code": code})


def watched(address: str) -> list[int]:
    """The answers a stranger gets around one address, from the first request until a day later."""
    seen: list[int] = []
    with time_machine.travel(AT, tick=False) as clock:
        page = ask(address)["Location"]
        seen.append(Client().get(page).status_code)
        for n in range(site.CODE_WRONG_TRIES + 2):
            answer = try_code(page)
            seen += [answer.status_code, "Too many tries" in answer.text]
            if n % 3 == 0:
                again = ask(address)["Location"]
                seen.append("Too many tries" in try_code(again).text)
        for later in (MINUTE, MINUTE * 14, MINUTE * 15, MINUTE * 17, HOUR, HOUR * 23, DAY + HOUR):
            clock.move_to(AT + later)
            deliver_due(at=AT + later)
            forget()
            seen += [Client().get(page).status_code, try_code(page).status_code]
    return seen


def test_whoever_watches_an_address_for_a_day_sees_the_same_whatever_it_is(settings: Any) -> None:
    settings.CODES_PER_NETWORK_HOUR = 1_000
    for n in range(site.CODES_PER_ADDRESS_DAY):
        with time_machine.travel(AT - HOUR * (n + 1), tick=False):
            ask(WORN_OUT)
    seen = [watched(address) for address in (KNOWN, UNKNOWN, REFUSED, WORN_OUT)]
    assert all(one == seen[0] for one in seen)
    assert {200, 410, 422} <= set(seen[0])
    assert len(in_the_mailbox()) >= 2
    assert REFUSED not in {letter["To"] for letter in in_the_mailbox()}


def test_wrong_codes_have_a_budget_per_network_and_the_mails_link_needs_none(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "WRONG_CODES_PER_NETWORK_HOUR", 3)
    with time_machine.travel(AT, tick=False) as clock:
        pages = [ask(f"fan{n}@example.org")["Location"] for n in range(5)]
        deliver_due(at=AT)
        letters = in_the_mailbox()
        codes = [code_in(letter) for letter in letters]
        wrong = [f"{(int(code) + 1) % 1_000_000:06}" for code in codes]
        assert try_code(pages[0], code=codes[0]).status_code == 302, "a right code costs nothing"
        for n in (1, 2, 3):
            assert "This is not the code" in try_code(pages[n], code=wrong[n]).text
        answer = try_code(pages[4], code=codes[4])
        assert "use the button in the mail" in answer.text
        link = "/code?k=" + link_in(letters[4], "/code")
        assert Client(headers={"Host": "here.localhost"}).post(link).status_code == 302
        assert try_code(pages[3], code=codes[3], host="elsewhere.localhost").status_code == 302
        clock.move_to(AT + HOUR)
        again = ask("fan2@example.org")["Location"]
        assert "This is not the code" in try_code(again, code="999999").text


def test_a_network_that_asks_without_end_is_told_to_wait_whatever_the_address(settings: Any) -> None:
    settings.CODES_PER_NETWORK_HOUR = 1
    with time_machine.travel(AT, tick=False):
        told = [ask((KNOWN, UNKNOWN)[n % 2]).status_code for n in range(10)]
        assert told == [302] * 10
        rows = OutboxMessage.objects.count(), Pending.objects.count()
        answers = [ask(address) for address in (KNOWN, UNKNOWN, REFUSED, "new@example.org")]
        assert {answer.status_code for answer in answers} == {429}
        assert "A little slower" in answers[0].text
        assert (OutboxMessage.objects.count(), Pending.objects.count()) == rows
        assert ask(KNOWN, host="home.localhost").status_code == 302


def test_the_links_of_a_mail_lead_to_our_own_port_whatever_a_stranger_asked_at(settings: Any) -> None:
    settings.SITE_PORT = 8123
    with time_machine.travel(AT, tick=False):
        ask(UNKNOWN, host="localhost:6666")
        deliver_due(at=AT)
    (letter,) = in_the_mailbox()
    assert "http://localhost:8123/code" in text_of(letter)
    assert "6666" not in text_of(letter)


# Through a share ------------------------------------------------------------------------------------------------
JOINING = {"name": "Cy", "age": "yes", "address": "cy@example.org"}


def arrivals() -> int:
    return Inbox.objects.filter(kind="ArrivalConfirmed").count()


@pytest.mark.parametrize(("later", "counted"), [(MINUTE, 1), (HOUR * 3, 0)])
def test_an_arrival_counts_as_joined_once_the_code_was_right_while_its_token_is_good(
    later: dt.timedelta, counted: int, settings: Any
) -> None:
    settings.CODE_MINUTES = 60 * 5
    campaign = cast.open_campaign()
    share = cast.share_of(cast.join(campaign.pk, "Ana"))
    with time_machine.travel(AT, tick=False) as clock:
        client = Client(headers={"Host": "cy.localhost"})
        networks = networks_of("127.0.0.1", "", host="cy.localhost", key=cast.NETWORK_KEY)
        token = arrival_token(share=share, visitor=Visitor(networks=networks, fan_id=None))
        clock.move_to(AT + dt.timedelta(seconds=20))
        form = JOINING | {"arrival": token, "via": via_of(share)}
        page = client.post("/maree-haute/join", form)["Location"]
        assert arrivals() == 0, "typing an address is nobody's arrival"
        deliver_due(at=AT + MINUTE)
        clock.move_to(AT + later)
        assert client.post(page, {"code": code_in(in_the_mailbox()[0])}).status_code == 302
    assert arrivals() == counted
    assert Fan.objects.get(name="Cy").recruited_by_share_id == share.pk


@pytest.mark.parametrize(
    ("ended", "later", "recruits"), [(False, HOUR, True), (True, HOUR, False), (False, DAY + HOUR, False)]
)
def test_a_share_recruits_for_a_day_after_its_page_was_seen_and_not_once_it_ended(
    ended: bool, later: dt.timedelta, recruits: bool
) -> None:
    campaign = cast.open_campaign()
    share = cast.share_of(cast.join(campaign.pk, "Ana"))
    with time_machine.travel(AT, tick=False) as clock:
        via = via_of(share)
        if ended:
            end_share(share=share, at=AT)
        clock.move_to(AT + later)
        client = Client(headers={"Host": "cy.localhost"})
        page = client.post("/maree-haute/join", JOINING | {"via": via})["Location"]
        deliver_due(at=AT + later)
        client.post(page, {"code": code_in(in_the_mailbox()[0])})
    assert (Fan.objects.get(name="Cy").recruited_by_share_id == share.pk) is recruits
