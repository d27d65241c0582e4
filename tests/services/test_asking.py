"""Asking for a code: nothing told about who is known, budgets for strangers, and no fan locked out."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.cast import AT, come_in_as, entry
from tests.services.concurrency import at_once, raised
from tests.services.doors import BO, DAY, HOUR, MINUTE, C, ask, mailed
from tests.services.letters import code_in, in_the_mailbox, link_in, text_of
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.people import vault
from vteam.people.models import Pending
from vteam.people.services import (
    Proof,
    entry_of,
    prove_by_code,
    prove_by_link,
)
from vteam.permissions import budgets
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.models import Budget

pytestmark = pytest.mark.django_db


# Asking ---------------------------------------------------------------------------------------------------------
def test_asking_again_within_validity_sends_nothing_and_the_first_code_stays_good(settings: Any) -> None:
    first = ask()
    again = [
        ask(at=AT + MINUTE * minutes, network=f"n{minutes}") for minutes in range(1, settings.CODE_MINUTES)
    ]
    assert {pending.pk for pending in again} == {first.pk}
    assert mailed() == 1
    assert ask(at=AT + MINUTE * settings.CODE_MINUTES).pk != first.pk
    assert mailed() == 2


def test_however_an_address_is_spelled_it_is_one() -> None:
    assert ask(" Bo@Example.ORG ").pk == ask("bo@example.org").pk
    spelled = ("bo@zoé.example", "bo@zoe\u0301.example", "Bo@ZOÉ.example", "bo@xn--zo-cja.example")
    assert len({ask(address).pk for address in spelled}) == 1


def test_joining_and_signing_in_are_asked_for_separately() -> None:
    assert ask().pk != ask(wanted=entry(None, "")).pk
    assert mailed() == 2


def look(pending: Pending) -> dict[str, Any]:
    """What a page could show of an entry, and the kind of work that was done for it."""
    row = OutboxMessage.objects.order_by("-pk").first()
    assert row is not None
    pending = Pending.objects.get(pk=pending.pk)
    return {
        "length": len(pending.pk),
        "expires": pending.expires_at,
        "tries": pending.wrong_tries,
        "name": pending.name,
        "rows": (len(bytes(row.sealed_key)), row.state, row.due_at, row.useless_at),
    }


def test_known_unknown_refused_and_worn_out_addresses_get_the_same_answers(settings: Any) -> None:
    come_in_as(entry(C), BO)
    refuse_for_ever(lookup=vault.lookup_of("refused@example.org"), act="by hand", at=AT)
    worn_out = "worn-out@example.org"
    hours = settings.CODES_PER_ADDRESS_DAY
    for hour in range(hours):
        ask(worn_out, at=AT + HOUR * hour)
    at = AT + HOUR * hours
    addresses = (BO, "unknown@example.org", "refused@example.org", worn_out)
    answers = [look(ask(address, at=at, network="another")) for address in addresses]
    assert all(answer == answers[0] for answer in answers)
    told = [prove_by_code(pending=Pending.objects.latest("created_at"), typed="", at=at)]
    assert told == [Proof.WRONG]


def count_queries(address: str, network: str) -> int:
    with _Counting() as counting:
        ask(address, network=network)
    return counting.n


class _Counting:
    """How many statements the database was given."""

    def __init__(self) -> None:
        self.n = 0

    def __enter__(self) -> "_Counting":
        self._block = connection.execute_wrapper(self._count)
        self._block.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._block.__exit__(*error)

    def _count(self, execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        self.n += 1
        return execute(statement, params, many, context)


def test_known_unknown_and_refused_addresses_cost_the_database_the_same_now_and_again(settings: Any) -> None:
    come_in_as(entry(C), BO)
    refuse_for_ever(lookup=vault.lookup_of("refused@example.org"), act="by hand", at=AT)
    addresses = (BO, "unknown@example.org", "refused@example.org")
    costs = {count_queries(address, "n") for address in addresses * 3}
    settings.CODES_PER_NETWORK_HOUR = 1
    costs |= {count_queries(address, "n") for address in (*addresses, "another@example.org") * 2}
    assert len(costs) == 1


# Budgets --------------------------------------------------------------------------------------------------------
def test_an_address_nobody_proved_gets_so_many_codes_a_day(settings: Any) -> None:
    for hour in range(settings.CODES_PER_ADDRESS_DAY + 3):
        ask(at=AT.replace(hour=0) + HOUR * hour, network=f"n{hour}")
    assert mailed() == settings.CODES_PER_ADDRESS_DAY
    ask(at=AT.replace(hour=0) + DAY)
    assert mailed() == settings.CODES_PER_ADDRESS_DAY + 1


def test_a_network_gets_so_many_codes_an_hour_and_its_neighbours_all_of_theirs(settings: Any) -> None:
    settings.CODES_PER_NETWORK_HOUR = 3
    for n in range(5):
        ask(f"fan{n}@example.org", network="school")
    assert mailed() == 3
    ask("elsewhere@example.org", network="home")
    assert mailed() == 4
    ask("later@example.org", network="school", at=AT + HOUR)
    assert mailed() == 5


def test_all_together_get_so_many_codes_an_hour(settings: Any) -> None:
    settings.CODES_PER_HOUR = 3
    for n in range(5):
        ask(f"fan{n}@example.org", network=f"n{n}")
    assert mailed() == 3


def test_one_network_beyond_its_own_number_uses_up_nothing_of_everybodys(settings: Any) -> None:
    settings.CODES_PER_HOUR, settings.CODES_PER_NETWORK_HOUR = 4, 2
    for n in range(9):
        ask(f"fan{n}@example.org", network="one")
    for n in (20, 21):
        ask(f"fan{n}@example.org", network=f"other {n}")
    assert mailed() == 4


def test_a_budget_is_per_door_and_key_and_begins_anew_with_each_window() -> None:
    def take(key: str, at: dt.datetime = AT, door: str = "door") -> bool:
        return budgets.take(door=door, key=key, limit=2, window=HOUR, at=at)

    assert [take("a"), take("a"), take("a"), take("b"), take("a", door="other")] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert take("a", AT + HOUR)
    assert budgets.forget_past(at=AT) == 0
    assert budgets.forget_past(at=AT + DAY) == 4
    assert not Budget.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_budget_taken_from_at_the_same_moment_gives_no_more_than_there_is() -> None:
    def take() -> int:
        return sum(budgets.take(door="d", key="k", limit=20, window=DAY, at=AT) for _ in range(10))

    results = at_once(*[take] * 4)
    assert raised(results) == []
    assert sum(results) == 20


# Locked out? ----------------------------------------------------------------------------------------------------
def test_a_thousand_requests_for_a_fans_address_cannot_lock_the_fan_out(
    settings: Any, tmp_path: Path
) -> None:
    """For a day strangers ask for Bo's codes and use up the tries of each; in Bo's mailbox is always a way in."""
    settings.DATA = tmp_path
    come_in_as(entry(C), BO)
    signing_in = entry(None, "")
    begun = AT.replace(hour=0) + DAY
    for n in range(1_000):
        at = begun + n * DAY / 1_000
        pending = ask(at=at, network=f"botnet {n}", wanted=signing_in)
        if n % 40 == 0:
            deliver_due(at=at, at_most=100)
            links = [link_in(letter, "/code") for letter in in_the_mailbox()]
            assert any(prove_by_link(link_secret=link, at=at) for link in links), f"locked out at {at}"
        if n % 40 < settings.CODE_WRONG_TRIES:
            prove_by_code(pending=pending, typed="", at=at)
    assert 2 <= mailed() <= settings.CODES_PER_FAN_DAY
    before = mailed()
    ask(at=begun + DAY, wanted=signing_in)
    assert mailed() == before + 1, "the new day brings a new code at once"


def test_a_request_that_could_not_be_mailed_does_not_stand_in_the_way_of_the_next(
    settings: Any, tmp_path: Path
) -> None:
    """A stranger whose network is over its budget asked first: the owner was put off with a code nobody got."""
    settings.DATA, settings.CODES_PER_NETWORK_HOUR = tmp_path, 1
    ask("somebody@example.org", network="worn out")
    strangers = ask(network="worn out", wanted=entry(C, "Stranger's joke"))
    assert mailed() == 1
    own = ask(network="home")
    assert mailed() == 2
    deliver_due(at=AT)
    letter = next(letter for letter in in_the_mailbox() if letter["To"] == BO)
    assert prove_by_code(pending=own, typed=code_in(letter), at=AT) is Proof.RIGHT
    assert entry_of(Pending.objects.get(pk=own.pk)).name == "Bo"
    assert own.pk == strangers.pk, "the page of whoever asked first goes on waiting for the same code"


def test_a_code_given_to_an_entry_that_waited_for_it_changes_nothing_a_stranger_sees(
    settings: Any, tmp_path: Path
) -> None:
    """A refused try began anew with each request while no mail had left, and so told that none had."""
    settings.DATA, settings.CODES_PER_NETWORK_HOUR = tmp_path, 1
    ask("somebody@example.org", network="worn out")
    strangers = ask(network="worn out")
    for _ in range(settings.CODE_WRONG_TRIES):
        assert prove_by_code(pending=strangers, typed="", at=AT) is Proof.WRONG
    before = look(strangers)
    ask(network="worn out", at=AT + MINUTE)
    own = ask(network="home", at=AT + MINUTE * 10, wanted=entry(C, "Bo"))
    assert (own.pk, look(own)["tries"], look(own)["expires"]) == (
        strangers.pk,
        before["tries"],
        before["expires"],
    )
    assert prove_by_code(pending=own, typed="", at=AT + MINUTE * 10) is Proof.TOO_MANY_TRIES
    deliver_due(at=AT + MINUTE * 10)
    letter = next(letter for letter in in_the_mailbox() if letter["To"] == BO)
    assert f"{settings.CODE_MINUTES - 10} minutes" in text_of(letter)
    assert prove_by_link(link_secret=link_in(letter, "/code"), at=AT + HOUR * 20) == own


def test_a_thousand_strangers_in_the_fans_own_network_cannot_lock_the_fan_out(settings: Any) -> None:
    come_in_as(entry(C), BO)
    settings.CODES_PER_HOUR = 100
    for n in range(1_000):
        ask(f"stranger{n}@example.org", network=f"n{n % 20}")
    assert mailed() == 100
    ask(network="n1", wanted=entry(None, ""))
    assert mailed() == 101
