"""Copies a fan served, through the books: an honest week is paid whole; what one hand on both ends earns is bounded."""

from collections.abc import Iterable, Sequence

import pytest

from tests import cast
from tests.cast import AT_US, DAY_US, PASS_ON
from tests.rules.demofile import campaign
from tests.services.moving import BO, C, books_hold, points
from vteam.campaigns.missions import new_versions, season_of
from vteam.ledger.queries import waiting_for_review
from vteam.ledger.services import decide_review
from vteam.rules import facts
from vteam.rules.facts import Evidence, NewFact
from vteam.rules.missions import Mission

MINUTE_US = 60_000_000


def play(served: Iterable[NewFact], missions: Sequence[Mission] = (PASS_ON,)) -> tuple[int, int]:
    """Bo's points that count and that wait, once the copies are in the books."""
    cast.open_season(C, missions)
    cast.offer(C, *served)
    cast.move()
    assert books_hold(C)
    return points(BO)


def demo_missions() -> list[Mission]:
    """The missions as the demo's campaign file has them, in force from the season's first instant."""
    file = campaign()
    return new_versions(file, [], at_us=season_of(file).starts_at_us)


def honest_copies(a_day: int) -> list[NewFact]:
    """A week of copies to other people: two a day to fans, two at home with Bo, the others to nobody we know."""
    return [
        cast.served(
            BO,
            listener=f"{day} {number}",
            by=1_000 + a_day * day + number if number < 2 else None,
            network="Bo's home" if number in (2, 3) else "",
            evidence=list(Evidence)[number % 3],
            at_us=AT_US + day * DAY_US + number * MINUTE_US,
        )
        for day in range(7)
        for number in range(a_day)
    ]


@pytest.mark.django_db
def test_a_keen_fans_honest_first_week_reaches_20_000_points_by_passing_on_alone() -> None:
    """With the demo's file, six people a day."""
    assert play(honest_copies(6), demo_missions()) == (21_000, 0)


@pytest.mark.django_db
def test_a_keen_fans_honest_first_week_with_something_of_everything_reaches_20_000_points_too() -> None:
    """With the demo's file: each day three people brought in, four places and three copies; and the three titles."""
    week = honest_copies(3)
    week += [facts.title_downloaded(fan=BO, title=title, at_us=AT_US) for title in (1, 2, 3)]
    for day in range(7):
        at_us = AT_US + day * DAY_US
        for number in range(4):
            share = 10 * day + number
            week.append(cast.arrival(share, BO, near=f"near {share}", day=str(day), at_us=at_us))
        for number in range(3):
            recruit = 100 + 10 * day + number
            week.append(cast.joined(recruit, recruiter=BO, network=f"near {recruit}", at_us=at_us))
    counted = 7 * (3 * 500 + 4 * 50 + 3 * 500) + 3 * 50
    assert play(week, demo_missions()) == (counted, 0)
    assert counted > 20_000


@pytest.mark.django_db
def test_the_demos_limits_bound_one_hand_on_both_ends_as_these_do() -> None:
    faked = (cast.served(BO, listener=f"fake {number}") for number in range(60))
    assert play(faked, demo_missions()) == (10 * 500, 50 * 500)


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
