"""Copies a fan served, through the books: an honest week is paid whole; what one hand on both ends earns is bounded."""

from collections.abc import Iterable

import pytest

from tests import cast
from tests.cast import AT_US, DAY_US, PASS_ON
from tests.services.moving import BO, C, books_hold, points
from vteam.ledger.queries import waiting_for_review
from vteam.ledger.services import decide_review
from vteam.rules.facts import NewFact

MINUTE_US = 60_000_000


def play(served: Iterable[NewFact]) -> tuple[int, int]:
    """Bo's points that count and that wait, once the copies are in the books."""
    cast.open_season(C, (PASS_ON,))
    cast.offer(C, *served)
    cast.move()
    assert books_hold(C)
    return points(BO)


@pytest.mark.django_db
def test_a_keen_fans_honest_first_week_reaches_20_000_points() -> None:
    """Six people a day, most of them nobody we know, two of them at home with Bo."""
    week = [
        cast.served(
            BO,
            listener=f"{day} {number}",
            by=1_000 + 6 * day + number if number < 2 else None,
            network="Bo's home" if number in (2, 3) else "",
            at_us=AT_US + day * DAY_US + number * MINUTE_US,
        )
        for day in range(7)
        for number in range(6)
    ]
    assert play(week) == (21_000, 0)


@pytest.mark.django_db
def test_one_who_plays_both_ends_from_one_network_earns_five_a_day() -> None:
    faked = (cast.served(BO, listener=f"fake {number}", network="home") for number in range(60))
    counted, waiting = play(faked)
    assert counted == 5 * 500
    assert waiting == 55 * 500


@pytest.mark.django_db
def test_with_a_network_for_every_listener_they_earn_ten_a_day() -> None:
    counted, waiting = play(cast.served(BO, listener=f"fake {number}") for number in range(60))
    assert counted == 10 * 500
    assert waiting == 50 * 500


@pytest.mark.django_db
def test_with_an_account_for_every_listener_too_less_than_forty_a_day() -> None:
    faked = (cast.served(BO, listener=f"fake {number}", by=1_000 + number) for number in range(300))
    counted, waiting = play(faked)
    assert 20 * 500 < counted < 40 * 500
    assert waiting == 0


@pytest.mark.django_db
def test_the_same_listener_and_title_count_once_and_another_title_counts_again() -> None:
    again = (cast.served(BO, title=title, listener="phone") for title in (1, 1, 2))
    assert play(again) == (1_000, 0)


@pytest.mark.django_db
def test_what_waits_cannot_be_brought_again_until_a_person_has_looked() -> None:
    full = [cast.served(BO, listener=f"first {number}", network="home") for number in range(5)]
    again = [cast.served(BO, listener="late", network="home") for _ in range(20)]
    assert play([*full, *again]) == (2_500, 500)
    (waits,) = waiting_for_review(C, at_most=5)
    decide_review(campaign_id=C, decision=waits.seq, accepted=False, reason="no", at_us=AT_US)
    cast.offer(C, cast.served(BO, listener="late"))
    cast.move()
    assert points(BO) == (3_000, 0), "once refused, another honest time may count"
    assert books_hold(C)


@pytest.mark.django_db
def test_of_two_that_wait_only_one_counts() -> None:
    """The same person once signed out and once as a fan: two waits, one copy."""
    full = [cast.served(BO, listener=f"first {number}", network="home") for number in range(5)]
    play([*full, cast.served(BO, listener="late", by=9, network="home")])
    (waits,) = waiting_for_review(C, at_most=5)
    cast.offer(C, cast.served(BO, listener="another browser", by=9))
    cast.move()
    assert points(BO) == (2_500, 500), "as the same fan it waits already"
    decide_review(campaign_id=C, decision=waits.seq, accepted=True, reason="a party", at_us=AT_US)
    cast.offer(C, cast.served(BO, listener="late"))
    cast.move()
    assert points(BO) == (3_000, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_what_waits_for_a_person_counts_once_accepted_and_keeps_what_it_was_worth() -> None:
    play(cast.served(BO, listener=f"fake {number}") for number in range(11))
    (waits,) = waiting_for_review(C, at_most=5)
    decide_review(
        campaign_id=C, decision=waits.seq, accepted=True, reason="a stall at the market", at_us=AT_US
    )
    cast.move()
    assert points(BO) == (11 * 500, 0)
    assert books_hold(C)
