"""Coming in with a proven address: nothing before the code is right, nothing told about who is known, nobody locked out."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests import cast
from tests.cast import AT, AT_US, come_in_as, entry, join, share_of
from tests.services.concurrency import at_once, raised
from tests.services.letters import code_in, in_the_mailbox, link_in
from vteam.campaigns.joining import come_in
from vteam.channels.mail.codes import Asker, ask_code
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.journal.models import Fact
from vteam.ledger import queries
from vteam.people import vault
from vteam.people.models import Fan, Pending, Person
from vteam.people.queries import fan_of, names_of
from vteam.people.services import (
    LINK_HOURS,
    Entry,
    Opened,
    Proof,
    entry_of,
    forget_expired,
    open_pending,
    prove_by_code,
    prove_by_link,
)
from vteam.permissions import budgets
from vteam.permissions.models import Budget
from vteam.permissions.services import refuse_for_ever

C = 7
BO = "bo@example.org"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


def opened(address: str = BO, *, at: dt.datetime = AT, wanted: Entry | None = None) -> tuple[Opened, str]:
    """A pending entry, and the code that was mailed for it."""
    made = open_pending(address=address, entry=wanted or entry(C), at=at)
    assert made.code is not None
    return made, made.code


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


# The code -------------------------------------------------------------------------------------------------------
def test_the_right_code_opens_the_door_however_it_is_typed() -> None:
    made, code = opened()
    for typed in (code, f" {code[:3]} {code[3:]}\n", f"{code[:3]}-{code[3:]}"):
        assert prove_by_code(pending=made.pending, typed=typed, at=AT) is Proof.RIGHT


def test_before_the_code_is_right_there_is_no_account() -> None:
    opened()
    assert not Person.objects.exists()
    assert not Fan.objects.exists()


@pytest.mark.parametrize("typed", ["", "12345", "abcdef"])
def test_a_wrong_code_is_wrong(typed: str) -> None:
    made, _ = opened()
    assert prove_by_code(pending=made.pending, typed=typed, at=AT) is Proof.WRONG


def test_the_code_of_another_entry_is_wrong() -> None:
    made, code = opened()
    other, other_code = opened("cy@example.org")
    if code != other_code:
        assert prove_by_code(pending=made.pending, typed=other_code, at=AT) is Proof.WRONG
        assert prove_by_code(pending=other.pending, typed=code, at=AT) is Proof.WRONG


def test_a_code_expires(settings: Any) -> None:
    made, code = opened()
    end = AT + MINUTE * settings.CODE_MINUTES
    last = end - dt.timedelta(microseconds=1)
    assert prove_by_code(pending=made.pending, typed=code, at=last) is Proof.RIGHT
    assert prove_by_code(pending=made.pending, typed=code, at=end) is Proof.EXPIRED


def test_an_entry_that_was_used_up_is_expired() -> None:
    made, code = opened()
    made.pending.delete()
    gone = Pending(pk="gone")
    assert prove_by_code(pending=gone, typed=code, at=AT) is Proof.EXPIRED


def test_after_too_many_wrong_tries_the_right_code_no_longer_helps_but_the_mailed_link_does(settings: Any) -> None:
    made, code = opened()
    for _ in range(settings.CODE_WRONG_TRIES):
        assert prove_by_code(pending=made.pending, typed=other_than(code), at=AT) is Proof.WRONG
    assert prove_by_code(pending=made.pending, typed=code, at=AT) is Proof.TOO_MANY_TRIES
    assert made.link_secret is not None
    assert prove_by_link(link_secret=made.link_secret, at=AT) == made.pending


def test_the_mailed_link_works_for_a_day_on_any_device_and_nothing_else_does() -> None:
    made, _ = opened()
    assert made.link_secret is not None
    assert prove_by_link(link_secret=made.link_secret, at=AT + HOUR * LINK_HOURS - MINUTE) == made.pending
    assert prove_by_link(link_secret=made.link_secret, at=AT + HOUR * LINK_HOURS) is None
    for forged in ("", "x", made.link_secret[:-1], made.pending.pk):
        assert prove_by_link(link_secret=forged, at=AT) is None


def test_neither_code_nor_link_can_be_read_from_the_database() -> None:
    made, code = opened()
    row = Pending.objects.filter(pk=made.pending.pk).values().get()
    assert made.link_secret is not None
    stored = b"".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row.values())
    assert made.link_secret.encode() not in stored
    assert bytes(row["code_hash"]) != vault.keyed_hash("mailed code", code), "the same code has another hash per entry"


def test_what_expired_is_forgotten_and_nothing_sooner() -> None:
    opened()
    assert forget_expired(at=AT + HOUR * LINK_HOURS) == 0
    assert forget_expired(at=AT + HOUR * LINK_HOURS + MINUTE) == 1
    assert not Pending.objects.exists()


# Asking ---------------------------------------------------------------------------------------------------------
def ask(
    address: str = BO, *, at: dt.datetime = AT, network: str = "near", wanted: Entry | None = None
) -> Pending:
    asker = Asker(network=network, base_url="http://localhost:8000")
    return ask_code(address=address, entry=wanted or entry(C), asker=asker, link_path="/code", at=at)


def mailed() -> int:
    """How many messages would really leave."""
    return OutboxMessage.objects.filter(is_null=False).count()


def test_asking_again_within_validity_sends_nothing_and_the_first_code_stays_good(settings: Any) -> None:
    first = ask()
    again = [ask(at=AT + MINUTE * minutes, network=f"n{minutes}") for minutes in range(1, settings.CODE_MINUTES)]
    assert {pending.pk for pending in again} == {first.pk}
    assert mailed() == 1
    assert ask(at=AT + MINUTE * settings.CODE_MINUTES).pk != first.pk
    assert mailed() == 2


def test_however_an_address_is_spelled_it_is_one() -> None:
    assert ask(" Bo@Example.ORG ").pk == ask("bo@example.org").pk
    assert ask("zoé@example.org").pk == ask("zoe\u0301@example.org").pk


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


def test_known_unknown_and_refused_addresses_cost_the_database_the_same() -> None:
    come_in_as(entry(C), BO)
    refuse_for_ever(lookup=vault.lookup_of("refused@example.org"), act="by hand", at=AT)
    costs = {count_queries(address, "n") for address in (BO, "unknown@example.org", "refused@example.org")}
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

    assert [take("a"), take("a"), take("a"), take("b"), take("a", door="other")] == [True, True, False, True, True]
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
def test_a_thousand_requests_for_a_fans_address_cannot_lock_the_fan_out(settings: Any, tmp_path: Path) -> None:
    """For a day strangers ask for Bo's codes and use up the tries of each; in Bo's mailbox is always a way in."""
    settings.DATA = tmp_path
    come_in_as(entry(C), BO)
    signing_in = entry(None, "")
    begun = AT.replace(hour=0) + DAY
    for n in range(1_000):
        at = begun + n * DAY / 1_000
        pending = ask(at=at, network=f"botnet {n}", wanted=signing_in)
        if n % 20 == 0:
            deliver_due(at=at, at_most=100)
            links = [link_in(letter, "/code") for letter in in_the_mailbox()]
            assert any(prove_by_link(link_secret=link, at=at) for link in links), f"locked out at {at}"
        if n % 20 < settings.CODE_WRONG_TRIES:
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


def test_a_thousand_strangers_in_the_fans_own_network_cannot_lock_the_fan_out(settings: Any) -> None:
    come_in_as(entry(C), BO)
    settings.CODES_PER_HOUR = 100
    for n in range(1_000):
        ask(f"stranger{n}@example.org", network=f"n{n % 20}")
    assert mailed() == 100
    ask(network="n1", wanted=entry(None, ""))
    assert mailed() == 101


# Who came in ----------------------------------------------------------------------------------------------------
def test_a_proven_address_makes_an_account_a_fan_and_a_fact_at_once() -> None:
    arrived = come_in_as(entry(C, "Bo"), BO, network="home")
    assert arrived.is_new
    assert arrived.fan is not None
    assert (arrived.fan.name, arrived.fan.joined_at) == ("Bo", AT)
    assert vault.unseal(bytes(arrived.person.sealed_key), bytes(arrived.person.sealed_address)) == BO
    assert fan_of(arrived.person, C) == arrived.fan
    assert fan_of(arrived.person, C + 1) is None
    assert names_of([arrived.fan.pk, 10**9]) == {arrived.fan.pk: "Bo"}
    cast.move()
    fact = Fact.objects.get(kind="FanConfirmed")
    assert (fact.key, fact.seen_at_us) == (f"fan:{arrived.fan.pk}", AT_US)
    assert not Pending.objects.exists()


def test_coming_back_finds_the_same_person_and_makes_no_new_fact() -> None:
    first = come_in_as(entry(C, "Bo"), BO)
    back = come_in_as(entry(None, ""), BO, at=AT + DAY)
    again = come_in_as(entry(C, "Another name"), BO, at=AT + DAY * 2)
    assert back.person == again.person == first.person
    assert (back.fan, back.is_new) == (None, False)
    assert (again.fan, again.is_new) == (first.fan, False)
    cast.move()
    assert Fact.objects.filter(kind="FanConfirmed").count() == 1
    assert Fan.objects.get().name == "Bo"


def test_one_person_is_a_fan_of_each_campaign_once() -> None:
    fans = [come_in_as(entry(campaign), BO).fan for campaign in (C, C + 1)]
    assert len({fan.pk for fan in fans if fan}) == 2
    assert Person.objects.count() == 1


def test_the_name_typed_last_by_the_one_who_comes_in_is_theirs_not_a_strangers(
    settings: Any, tmp_path: Path
) -> None:
    """A stranger asked first; the code went to Bo, whose own page carries what Bo typed."""
    settings.DATA = tmp_path
    pending = ask(wanted=entry(C, "Stranger's joke"))
    deliver_due(at=AT)
    own = entry(C, "Bo")
    assert ask(wanted=own) == pending
    assert prove_by_code(pending=pending, typed=code_in(in_the_mailbox()[0]), at=AT) is Proof.RIGHT
    arrived = come_in(pending=pending, entry=own, network="n", signed_in_fan=None, at_us=AT_US)
    assert arrived.fan is not None
    assert arrived.fan.name == "Bo"


def test_the_mailed_link_carries_what_was_typed_with_the_request_that_was_mailed() -> None:
    wanted = entry(C, "Bo", after="/somewhere", asked_from="near")
    made, _ = opened(wanted=wanted)
    assert entry_of(Pending.objects.get(pk=made.pending.pk)) == wanted


# Recruiting -----------------------------------------------------------------------------------------------------
def test_who_brought_a_fan_is_credited_once_however_often_the_recruit_comes_back() -> None:
    cast.open_season(C)
    ana = join(C, "Ana")
    share = share_of(ana)
    for days in range(3):
        come_in_as(entry(C, "Bo", share=share), BO, at=AT + DAY * days)
    cast.move()
    assert queries.points_of(C, ana.pk) == (500, 0)
    assert Fan.objects.get(name="Bo").recruited_by_share_id == share.pk


def test_a_fan_who_joined_alone_is_nobodys_recruit_later() -> None:
    cast.open_season(C)
    ana = join(C, "Ana")
    come_in_as(entry(C, "Bo"), BO)
    come_in_as(entry(C, "Bo", share=share_of(ana)), BO, at=AT + DAY)
    cast.move()
    assert queries.points_of(C, ana.pk) == (0, 0)


def test_nobody_recruits_themselves_in_the_browser_they_are_signed_in_with() -> None:
    cast.open_season(C)
    ana = join(C, "Ana")
    come_in_as(entry(C, "Ana's twin", share=share_of(ana)), "ana.twin@example.org", signed_in_fan=ana.pk)
    cast.move()
    assert queries.points_of(C, ana.pk) == (0, 0)
    (made,) = queries.decisions_of(C, ana.pk, at_most=9)
    assert str(made.decision.outcome) == "same_person"


def test_another_fans_browser_at_home_may_bring_somebody_in() -> None:
    cast.open_season(C)
    ana, bo = join(C, "Ana"), join(C, "Bo")
    come_in_as(entry(C, "Cy", share=share_of(ana)), "cy@example.org", signed_in_fan=bo.pk)
    cast.move()
    assert queries.points_of(C, ana.pk) == (500, 0)


@pytest.mark.django_db(transaction=True)
def test_a_button_pressed_twice_at_the_same_moment_makes_one_fan_and_one_fact() -> None:
    made, _ = opened()

    def press() -> int:
        arrived = come_in(pending=made.pending, entry=entry(C), network="n", signed_in_fan=None, at_us=AT_US)
        assert arrived.fan is not None
        return arrived.fan.pk

    results = at_once(*[press] * 4)
    assert raised(results) == []
    assert len(set(results)) == 1
    cast.move()
    assert Fact.objects.filter(kind="FanConfirmed").count() == 1
    assert (Person.objects.count(), Fan.objects.count()) == (1, 1)


def test_delivery_and_joining_together_leave_nothing_of_the_entry(settings: Any, tmp_path: Any) -> None:
    settings.DATA = tmp_path
    pending = ask()
    deliver_due(at=AT)
    come_in(pending=pending, entry=entry(C), network="n", signed_in_fan=None, at_us=AT_US)
    assert not Pending.objects.exists()
    assert not OutboxMessage.objects.exclude(sealed=b"").exists()
