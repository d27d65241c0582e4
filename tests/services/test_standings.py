"""The ranking: exact for everybody, ties and newcomers included, compared with counting everybody by hand."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests import cast
from tests.cast import AT_US, HOUR_US, SPREAD
from tests.services.moving import books_hold
from vteam.ledger import queries
from vteam.ledger.models import Bucket, Level
from vteam.ledger.queries import Standing

C = 7
PAYS = (1, 7, 50, 333, 500, 999, 1_000, 1_001, 2_500)
# A mission per hour, so that an arrival in that hour pays what it pays.
HOURLY = tuple(
    replace(
        SPREAD,
        key=f"hour-{hour}",
        points=points,
        opens_at_us=AT_US + hour * HOUR_US,
        closes_at_us=AT_US + (hour + 1) * HOUR_US,
    )
    for hour, points in enumerate(PAYS)
)


def earn(totals_in_hours: Mapping[int, list[int]]) -> dict[int, int]:
    """Fans who joined, and earned what each of these hours pays; returns their points by hand."""
    cast.open_season(C, HOURLY)
    cast.offer(C, *(cast.joined(fan, network=f"home {fan}") for fan in totals_in_hours))
    for fan, hours in totals_in_hours.items():
        for turn, hour in enumerate(hours):
            share, at_us = fan * 100 + turn, AT_US + hour * HOUR_US
            cast.offer(C, cast.arrival(share, fan, near=f"near {share}", at_us=at_us))
    cast.move()
    return {fan: sum(PAYS[hour] for hour in hours) for fan, hours in totals_in_hours.items()}


def by_hand(points: Mapping[int, int]) -> list[Standing]:
    """The whole ranking: more points first, ties in the order of joining, equal points equal rank."""
    return [
        Standing(
            fan_id=fan,
            rank=1 + sum(other > mine for other in points.values()),
            points=mine,
            waiting=0,
        )
        for fan, mine in sorted(points.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_every_rank_neighbour_and_page_of_the_ranking_is_what_counting_by_hand_gives(seed: int) -> None:
    chance = random.Random(seed)
    hours = {fan: chance.choices(range(len(PAYS)), k=chance.randint(0, 5)) for fan in range(1, 41)}
    hours |= {fan: list(hours[fan - 40]) for fan in range(41, 51)}  # ties
    ranking = by_hand(earn(hours))
    assert queries.fans_ranked(C) == len(ranking)
    assert queries.top(C, at_most=1_000) == ranking
    for skip in range(len(ranking) + 2):
        assert queries.top(C, at_most=7, skip=skip) == ranking[skip : skip + 7]
    for place, standing in enumerate(ranking):
        assert queries.standing_of(C, standing.fan_id) == standing
        for side in (1, 3):
            around = ranking[max(0, place - side) : place + side + 1]
            assert queries.neighbours(C, standing.fan_id, each_side=side) == around
    for points in {0, 999, 1_000, 1_001, *(standing.points + 1 for standing in ranking)}:
        assert queries.rank_at(C, points) == 1 + sum(standing.points > points for standing in ranking)


@pytest.mark.django_db
def test_a_newcomer_stands_in_the_ranking_with_nothing_yet() -> None:
    earn({1: [2], 2: [], 3: []})
    assert queries.standing_of(C, 2) == Standing(fan_id=2, rank=2, points=0, waiting=0)
    assert [(s.fan_id, s.rank) for s in queries.top(C, at_most=9)] == [(1, 1), (2, 2), (3, 2)]


@pytest.mark.django_db
def test_somebody_whose_joining_was_not_moved_yet_already_sees_their_place() -> None:
    earn({1: [2]})
    assert queries.standing_of(C, 99) == Standing(fan_id=99, rank=2, points=0, waiting=0)
    assert [s.fan_id for s in queries.neighbours(C, 99)] == [1, 99]


@pytest.mark.django_db
def test_points_that_wait_are_told_and_do_not_rank() -> None:
    cast.open_season(C, (replace(SPREAD, hold_us=HOUR_US),))
    cast.offer(C, cast.joined(1), cast.joined(2), cast.arrival(20, 2))
    cast.move()
    assert queries.standing_of(C, 2) == Standing(fan_id=2, rank=1, points=0, waiting=50)


@pytest.mark.django_db
def test_a_climb_across_many_batches_leaves_nobody_standing_twice() -> None:
    cast.open_season(C, (replace(SPREAD, points=400),))
    cast.offer(C, *(cast.joined(fan) for fan in (1, 2)))
    for share in range(10, 17):
        cast.offer(C, cast.arrival(share, 1, near=f"home {share}"))
        cast.move()
        points = (share - 9) * 400
        assert [(s.fan_id, s.rank, s.points) for s in queries.top(C, at_most=9)] == [
            (1, 1, points),
            (2, 2, 0),
        ]
        assert queries.fans_ranked(C) == 2


@pytest.mark.django_db
def test_rankings_of_two_campaigns_do_not_touch() -> None:
    for campaign, fans in ((C, (1, 2)), (C + 1, (1, 2, 3))):
        cast.open_season(campaign)
        cast.offer(campaign, *(cast.joined(fan) for fan in fans))
    cast.offer(C, cast.arrival(10, 1))
    cast.move()
    assert queries.standing_of(C + 1, 1) == Standing(fan_id=1, rank=1, points=0, waiting=0)
    assert (queries.fans_ranked(C), queries.fans_ranked(C + 1)) == (2, 3)


@pytest.mark.django_db
def test_a_fans_story_is_read_newest_first_a_page_at_a_time() -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(1), cast.joined(2, recruiter=1), cast.arrival(20, 2))
    cast.offer(C, *(cast.arrival(share, 1, near=f"home {share}") for share in (10, 11)))
    cast.move()
    story = queries.decisions_of(C, 1, at_most=2)
    assert [(made.fact_seq, made.decision.points) for made in story] == [(9, 50), (8, 50)]
    earlier = queries.decisions_of(C, 1, at_most=2, before=story[-1].seq)
    assert [(made.mission, made.decision.points) for made in earlier] == [("recruit", 500)]
    assert queries.last_decision_of(C, 1) == story[0].seq
    assert queries.last_decision_of(C, 99) == 0
    assert queries.still_counts(C, story[0].seq)
    assert not queries.still_counts(C, 10**6)
    assert queries.arrivals_of(C, [10, 11, 999]) == {10: 1, 11: 1}


@pytest.mark.django_db
def test_the_histogram_keeps_no_place_where_nobody_stands() -> None:
    """A fan who climbs leaves one behind at every step; a rank adds up all that are kept."""
    cast.open_season(C, (SPREAD,))
    for step in range(60):
        cast.offer(
            C, cast.arrival(step, 1, near=f"near {step}"), cast.arrival(step + 100, 2, near=f"far {step}")
        )
        cast.move()
    assert [(level.points, level.fans) for level in Level.objects.filter(campaign_id=C)] == [(3_000, 2)]
    assert [(bucket.bucket, bucket.fans) for bucket in Bucket.objects.filter(campaign_id=C)] == [(3, 2)]
    assert books_hold(C)
