"""Coming in with a proven address: the code, the link, the account and the fan, and who brought them."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests import cast
from tests.cast import AT, AT_US, come_in_as, entry, join, share_of
from tests.services.concurrency import at_once, raised
from tests.services.doors import BO, DAY, HOUR, MINUTE, C, ask
from tests.services.letters import code_in, in_the_mailbox
from vteam.campaigns.joining import come_in
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.journal.models import Fact, Rejected
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
from vteam.permissions.codes import refuse_for_ever

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


def test_after_too_many_wrong_tries_the_right_code_no_longer_helps_but_the_mailed_link_does(
    settings: Any,
) -> None:
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
    stored = b"".join(
        bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row.values()
    )
    assert made.link_secret.encode() not in stored
    assert bytes(row["code_hash"]) != vault.keyed_hash("mailed code", code), (
        "the same code has another hash per entry"
    )


def test_what_expired_is_forgotten_and_nothing_sooner() -> None:
    opened()
    assert forget_expired(at=AT + HOUR * LINK_HOURS) == 0
    assert forget_expired(at=AT + HOUR * LINK_HOURS + MINUTE) == 1
    assert not Pending.objects.exists()


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
    assert not Rejected.objects.exists()
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


def test_an_entry_nobody_was_mailed_for_is_forgotten_as_soon_as_its_page_is_over(settings: Any) -> None:
    refuse_for_ever(lookup=vault.lookup_of(BO), act="by hand", at=AT)
    ask()
    ask("cy@example.org")
    assert forget_expired(at=AT + MINUTE * (settings.CODE_MINUTES + 1)) == 1
    assert bytes(Pending.objects.get().lookup) == vault.lookup_of("cy@example.org")


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
    assert not Rejected.objects.exists()
    assert (Person.objects.count(), Fan.objects.count()) == (1, 1)


def test_delivery_and_joining_together_leave_nothing_of_the_entry(settings: Any, tmp_path: Any) -> None:
    settings.DATA = tmp_path
    pending = ask()
    deliver_due(at=AT)
    come_in(pending=pending, entry=entry(C), network="n", signed_in_fan=None, at_us=AT_US)
    assert not Pending.objects.exists()
    assert not OutboxMessage.objects.exclude(sealed=b"").exists()
