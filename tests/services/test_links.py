"""Shares and arrivals: a link per place, and a person, not a scanner, once per share, network and day."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from tests import cast
from tests.cast import AT, AT_US, DAY_US, join, share_of, visitor
from tests.services.concurrency import at_once, raised
from vteam.channels.links import queries
from vteam.channels.links.models import Share, SpentToken
from vteam.channels.links.services import (
    Arrival,
    ShareRefused,
    Visitor,
    arrival_token,
    confirm_arrival,
    count_visits,
    end_share,
    forget_spent,
    make_share,
    reopen_share,
    share_inside_copies,
)
from vteam.journal.models import Fact, Inbox
from vteam.ledger import queries as ledger
from vteam.people.models import Fan
from vteam.rules.codes import is_share_code

C = 7
SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)
TODAY = "2026-11-20"


@pytest.fixture
def bo(db: None) -> Fan:
    cast.open_season(C)
    return join(C, "Bo")


# Shares ---------------------------------------------------------------------------------------------------------
def test_a_share_has_a_code_of_its_own_by_which_it_is_found(bo: Fan) -> None:
    shares = [share_of(bo, f"place {n}") for n in range(20)]
    assert len({share.code for share in shares}) == 20
    for share in shares:
        assert is_share_code(share.code)
        assert queries.share_by_code(share.code) == share
    for wrong in ("", "short", shares[0].code.upper(), shares[0].code + "a", "' OR 1=1 --"):
        assert queries.share_by_code(wrong) is None


def test_a_fan_makes_so_many_shares_and_no_more(bo: Fan, settings: Any) -> None:
    settings.SHARES_PER_FAN = 3
    made = [make_share(fan=bo, place=f"place {n}", at=AT) for n in range(5)]
    assert made[3:] == [ShareRefused.TOO_MANY] * 2
    assert bo.shares.count() == 3
    assert isinstance(share_inside_copies(fan=bo, at=AT), Share), "the one in the copies has its own place"
    assert isinstance(make_share(fan=join(C, "Cy"), place="mine", at=AT), Share)


def test_a_link_can_be_ended_and_opened_again_and_keeps_the_moment_it_ended(bo: Fan) -> None:
    share = share_of(bo)
    end_share(share=share, at=AT)
    end_share(share=share, at=AT + MINUTE)
    assert Share.objects.get(pk=share.pk).ended_at == AT
    reopen_share(share=share)
    assert Share.objects.get(pk=share.pk).ended_at is None


def test_a_fan_sees_their_links_newest_first_with_visits_and_arrivals(bo: Fan) -> None:
    old = make_share(fan=bo, place="old", at=AT - MINUTE)
    new = share_of(bo, "new")
    assert isinstance(old, Share)
    count_visits([(old.pk, AT_US), (old.pk, AT_US + DAY_US), (new.pk, AT_US)])
    cast.offer(C, cast.arrival(old.pk, bo.pk), cast.arrival(old.pk, bo.pk, near="elsewhere"))
    cast.move()
    assert [(f.share, f.visits, f.arrivals) for f in queries.figures_of(bo, at_most=9)] == [
        (new, 1, 0),
        (old, 2, 2),
    ]
    assert [f.share for f in queries.figures_of(bo, at_most=1, skip=1)] == [old]
    figures = queries.figures(old)
    assert (figures.visits, figures.arrivals) == (2, 2)
    assert queries.figures_of(join(C, "Cy"), at_most=9) == []


@pytest.mark.django_db(transaction=True)
def test_the_share_inside_copies_is_one_however_many_copies_are_made_at_once() -> None:
    bo = join(C, "Bo")
    results = at_once(*[lambda: share_inside_copies(fan=bo, at=AT).pk] * 6)
    assert raised(results) == []
    assert len(set(results)) == 1
    assert Share.objects.filter(fan=bo, kind="copy").count() == 1


# Arrivals -------------------------------------------------------------------------------------------------------
def arrive(
    share: Share,
    who: Visitor,
    *,
    after: dt.timedelta = MINUTE,
    confirming: Visitor | None = None,
    token: str | None = None,
    at: dt.datetime = AT,
) -> Arrival:
    """Open a landing page, stay a while, and show oneself."""
    with time_machine.travel(at, tick=False):
        token = token or arrival_token(share=share, visitor=who)
    with time_machine.travel(at + after, tick=False):
        return confirm_arrival(token=token, visitor=confirming or who, act="stayed", day=TODAY, at=at + after)


def test_somebody_who_stays_a_while_has_arrived_and_their_fan_earns(bo: Fan) -> None:
    share = share_of(bo)
    assert arrive(share, visitor()) is Arrival.CONFIRMED
    cast.move()
    fact = Fact.objects.get(kind="ArrivalConfirmed")
    assert "203.0.113" not in fact.body + fact.key
    assert ledger.points_of(C, bo.pk) == (50, 0)
    assert queries.figures(share).arrivals == 1


def test_a_second_page_of_the_same_network_that_day_is_the_same_arrival(bo: Fan) -> None:
    share = share_of(bo)
    assert arrive(share, visitor("203.0.113.9")) is Arrival.CONFIRMED
    assert arrive(share, visitor("203.0.113.77")) is Arrival.CONFIRMED
    assert arrive(share, visitor("198.51.100.1")) is Arrival.CONFIRMED
    cast.move()
    assert queries.figures(share).arrivals == 2
    assert ledger.points_of(C, bo.pk) == (50, 0), "a share's first arrival pays"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, Arrival.TOO_EARLY), (2, Arrival.TOO_EARLY), (3, Arrival.CONFIRMED)]
)
def test_nobody_arrives_faster_than_a_person_could(bo: Fan, seconds: int, expected: Arrival) -> None:
    assert arrive(share_of(bo), visitor(), after=seconds * SECOND) is expected


def test_too_early_is_not_too_late_the_same_token_works_a_moment_later(bo: Fan) -> None:
    share = share_of(bo)
    with time_machine.travel(AT, tick=False):
        token = arrival_token(share=share, visitor=visitor())
    assert arrive(share, visitor(), token=token, after=SECOND) is Arrival.TOO_EARLY
    assert arrive(share, visitor(), token=token, after=5 * SECOND) is Arrival.CONFIRMED


def test_a_token_works_once(bo: Fan) -> None:
    share = share_of(bo)
    with time_machine.travel(AT, tick=False):
        token = arrival_token(share=share, visitor=visitor())
    assert arrive(share, visitor(), token=token) is Arrival.CONFIRMED
    assert arrive(share, visitor(), token=token) is Arrival.SPENT
    assert Inbox.objects.filter(kind="ArrivalConfirmed").count() == 1


def test_a_token_expires(bo: Fan, settings: Any) -> None:
    minutes = settings.ARRIVAL_TOKEN_MINUTES
    assert arrive(share_of(bo), visitor(), after=MINUTE * minutes) is Arrival.CONFIRMED
    assert arrive(share_of(bo), visitor("192.0.2.1"), after=MINUTE * minutes + SECOND) is Arrival.NOT_VALID


def test_a_token_belongs_to_the_network_it_was_given_to(bo: Fan) -> None:
    share = share_of(bo)
    assert arrive(share, visitor("203.0.113.9"), confirming=visitor("198.51.100.1")) is Arrival.NOT_VALID
    assert arrive(share, visitor("203.0.113.9"), confirming=visitor("203.0.113.200")) is Arrival.CONFIRMED


def forgeries(token: str) -> list[str]:
    value, stamp, signature = token.rsplit(":", 2)
    return [
        "",
        ":",
        "a:b",
        "a:b:c",
        token[:-1],
        f"{value}:{stamp}:{signature[::-1]}",
        f"{value}:000001:{signature}",
        f"{value[::-1]}:{stamp}:{signature}",
        token + "\n",
    ]


def test_a_forged_token_is_worth_nothing(bo: Fan) -> None:
    share = share_of(bo)
    with time_machine.travel(AT, tick=False):
        token = arrival_token(share=share, visitor=visitor())
    for forged in forgeries(token):
        assert arrive(share, visitor(), token=forged or ":") is Arrival.NOT_VALID, forged
    assert not Inbox.objects.filter(kind="ArrivalConfirmed").exists()


def test_a_fan_does_not_arrive_through_their_own_link_and_another_fan_does(bo: Fan) -> None:
    share, cy = share_of(bo), join(C, "Cy")
    assert arrive(share, visitor(fan=bo)) is Arrival.OWN_LINK
    assert arrive(share, visitor(fan=cy)) is Arrival.CONFIRMED
    assert not Inbox.objects.filter(kind="ArrivalConfirmed", body__contains=f'"by":{bo.pk}').exists()


def test_nobody_arrives_through_a_link_that_ended_and_again_once_it_is_open(bo: Fan) -> None:
    share = share_of(bo)
    end_share(share=share, at=AT)
    assert arrive(share, visitor()) is Arrival.NOT_VALID
    reopen_share(share=share)
    assert arrive(share, visitor()) is Arrival.CONFIRMED


def test_one_network_arrives_so_often_an_hour(bo: Fan, settings: Any) -> None:
    settings.ARRIVALS_PER_NETWORK_HOUR = 2
    shares = [share_of(bo, f"place {n}") for n in range(3)]
    assert [arrive(share, visitor()) for share in shares] == [
        Arrival.CONFIRMED,
        Arrival.CONFIRMED,
        Arrival.TOO_MANY,
    ]
    assert arrive(shares[2], visitor("198.51.100.1")) is Arrival.CONFIRMED


def test_what_is_remembered_of_a_token_is_forgotten_only_once_it_has_expired(bo: Fan, settings: Any) -> None:
    share = share_of(bo)
    with time_machine.travel(AT, tick=False):
        token = arrival_token(share=share, visitor=visitor())
    lifetime = MINUTE * settings.ARRIVAL_TOKEN_MINUTES
    arrive(share, visitor(), token=token, after=lifetime - SECOND)
    assert forget_spent(at=AT + lifetime) == 0
    assert arrive(share, visitor(), token=token, after=lifetime) is Arrival.SPENT
    assert forget_spent(at=AT + lifetime * 2) == 1


@pytest.mark.django_db(transaction=True)
def test_a_token_spent_twice_at_the_same_moment_is_one_arrival() -> None:
    share = share_of(join(C, "Bo"))
    with time_machine.travel(AT, tick=False):
        token = arrival_token(share=share, visitor=visitor())

    def confirm() -> Arrival:
        return confirm_arrival(token=token, visitor=visitor(), act="played", day=TODAY, at=AT + MINUTE)

    with time_machine.travel(AT + MINUTE, tick=False):
        results = at_once(*[confirm] * 4)
    assert raised(results) == []
    assert sorted(results) == [Arrival.CONFIRMED, Arrival.SPENT, Arrival.SPENT, Arrival.SPENT]
    assert SpentToken.objects.count() == 1
    assert Inbox.objects.filter(kind="ArrivalConfirmed").count() == 1
