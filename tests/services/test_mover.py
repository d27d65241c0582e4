"""From the inboxes into the journal and the books: exactly once, in one order, whatever breaks in between."""

import json
import random
from dataclasses import replace

import pytest
from django.db import connection

from tests import cast
from tests.cast import AT_US, DAY_US, RECRUIT, SPREAD
from tests.services.moving import ANA, BO, C, books_hold, points
from vteam.channels.links.models import VisitDay
from vteam.journal.models import Fact, Inbox, Rejected
from vteam.journal.queries import every_fact
from vteam.ledger import queries
from vteam.ledger.models import Hold
from vteam.ledger.services import decide_review, end_due_holds, reverse_award
from vteam.rules import facts
from vteam.rules.canonical import canonical
from vteam.rules.facts import VISIT


# One fact, one time ---------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_facts_get_their_numbers_in_the_order_they_were_left_and_leave_the_inbox_empty() -> None:
    cast.open_season(C)
    cast.offer(
        C, cast.joined(ANA), cast.arrival(10, ANA), facts.title_downloaded(fan=ANA, title=1, at_us=AT_US)
    )
    assert cast.move() == 7
    journal = list(every_fact(connection, C, page=3))
    assert [fact.seq for fact in journal] == [1, 2, 3, 4, 5, 6, 7]
    assert [fact.kind for fact in journal[4:]] == ["FanConfirmed", "ArrivalConfirmed", "TitleDownloaded"]
    assert not Inbox.objects.exists()
    assert points(ANA) == (100, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_nothing_to_move_moves_nothing() -> None:
    assert cast.move() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in two turns"])
def test_a_fact_offered_twice_pays_once(together: bool) -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(ANA), cast.arrival(10, ANA))
    if not together:
        cast.move()
    cast.offer(C, cast.arrival(10, ANA), cast.joined(ANA))
    cast.move()
    assert points(ANA) == (50, 0)
    assert Fact.objects.filter(campaign_id=C, kind="ArrivalConfirmed").count() == 1
    assert not Rejected.objects.exists()
    assert books_hold(C)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_however_often_and_mixed_facts_are_offered_each_pays_once(seed: int) -> None:
    chance = random.Random(seed)
    new = [cast.joined(fan) for fan in (1, 2, 3)]
    new += [cast.arrival(share, share // 10, near=f"home {share}") for share in range(10, 40)]
    repeated = [fact for fact in new for _ in range(chance.randint(1, 4))]
    chance.shuffle(repeated)
    cast.open_season(C)
    for fact in repeated:
        cast.offer(C, fact)
        if chance.random() < 0.1:
            cast.move()
    cast.move()
    assert [points(fan) for fan in (1, 2, 3)] == [(500, 0)] * 3
    assert books_hold(C)


@pytest.mark.django_db
def test_a_second_arrival_of_the_same_network_that_day_is_the_same_arrival_whatever_it_adds() -> None:
    cast.open_season(C)
    cast.offer(C, cast.arrival(10, ANA), cast.arrival(10, ANA, by=BO, at_us=AT_US + 5))
    cast.move()
    assert Fact.objects.filter(kind="ArrivalConfirmed").count() == 1
    assert not Rejected.objects.exists()


@pytest.mark.django_db
def test_the_same_key_with_other_content_is_kept_aside_and_the_rest_goes_on() -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(BO, recruiter=ANA), cast.joined(BO, recruiter=3), cast.joined(ANA))
    cast.move()
    kept = Rejected.objects.get()
    assert (kept.campaign_id, kept.kind, kept.key) == (C, "FanConfirmed", f"fan:{BO}")
    assert json.loads(kept.body)["recruiter"] == 3
    assert "other content" in kept.reason
    assert points(ANA) == (500, 0)
    assert points(3) == (0, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_a_key_belongs_to_its_campaign() -> None:
    for campaign in (C, C + 1):
        cast.open_season(campaign)
        cast.offer(campaign, cast.arrival(10, ANA))
    cast.move()
    assert points(ANA, C) == points(ANA, C + 1) == (50, 0)


POISON = [
    ("Nonsense", "a", AT_US, "{}"),
    ("FanConfirmed", "b", AT_US, "not json"),
    ("FanConfirmed", "c", AT_US, "[1]"),
    ("FanConfirmed", "d", AT_US, '{"fan":"one"}'),
    ("ArrivalConfirmed", "e", AT_US, '{"share":1,"fan":1,"network":"' + "n" * 300 + '","by":null}'),
    ("MissionVersioned", "f", AT_US, canonical({**SPREAD.body(), "kind": "nonsense", "version": 9})),
    ("MissionVersioned", "g", AT_US, canonical({**SPREAD.body(), "points": -50, "version": 9})),
    ("CampaignVersioned", "h", AT_US, '{"version":9,"season":{},"file_sha256":""}'),
    ("TitleDownloaded", "i", 10**18, '{"fan":1,"title":1}'),
    ("TitleDownloaded", "j", -1, '{"fan":1,"title":1}'),
    ("TitleDownloaded", "k", AT_US, '{"fan":1,"title":' + "9" * 30 + "}"),
    (VISIT, "", AT_US, "not json"),
    (VISIT, "", AT_US, "[]"),
    (VISIT, "", AT_US, '{"share":"ten"}'),
    (VISIT, "", AT_US, '{"share":' + "9" * 30 + "}"),
    (VISIT, "", 10**18, '{"share":10}'),
]


@pytest.mark.django_db
def test_what_nobody_can_read_is_kept_aside_and_never_stops_the_queue(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(ANA))
    Inbox.objects.bulk_create(
        Inbox(campaign_id=C, kind=kind, key=key, seen_at_us=at_us, body=body)
        for kind, key, at_us, body in POISON
    )
    cast.offer(C, cast.arrival(10, ANA))
    assert cast.move() == 6 + len(POISON)
    assert points(ANA) == (50, 0)
    kept = Rejected.objects.values_list("kind", "key", "seen_at_us", "body")
    assert sorted(kept) == sorted(POISON)
    assert len(caplog.records) == len(POISON)
    assert books_hold(C)


@pytest.mark.django_db
def test_a_field_that_belongs_to_another_kind_of_fact_changes_nothing() -> None:
    cast.open_season(C)
    body = dict(cast.arrival(10, ANA).body) | {
        "title": 1,
        "way": "download",
        "evidence": "relayed",
        "by": None,
    }
    cast.offer(C, replace(cast.arrival(10, ANA), body=body), cast.arrival(11, ANA))
    cast.move()
    assert points(ANA) == (100, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_campaigns_interleaved_in_one_inbox_each_get_their_own_order_and_books() -> None:
    campaigns = (3, 1, 2)
    for campaign in campaigns:
        cast.open_season(campaign)
    for share in range(10, 30):
        for campaign in campaigns:
            cast.offer(campaign, cast.arrival(share * campaign, ANA, near=f"home {share}"))
    cast.move()
    for campaign in campaigns:
        journal = list(every_fact(connection, campaign))
        assert [fact.seq for fact in journal] == list(range(1, 25))
        assert [fact.body["share"] for fact in journal[4:]] == [share * campaign for share in range(10, 30)]
        assert points(ANA, campaign) == (1_000, 0)
    assert books_hold(*campaigns)


@pytest.mark.django_db
def test_visits_become_counters_and_never_facts() -> None:
    bo = cast.join(C, "Bo")
    share, other = cast.share_of(bo), cast.share_of(bo, "poster at the bar")
    gone = share.pk + other.pk + 1
    visits = [
        (share.pk, AT_US),
        (share.pk, AT_US + 1),
        (other.pk, AT_US),
        (share.pk, AT_US + DAY_US),
        (gone, AT_US),
    ]
    Inbox.objects.bulk_create(
        Inbox(campaign_id=C, kind=VISIT, key="", seen_at_us=at_us, body=canonical({"share": pk}))
        for pk, at_us in visits
    )
    cast.move()
    counted = VisitDay.objects.order_by("share", "day").values_list("share_id", "day", "visits")
    assert [(pk, day.isoformat(), n) for pk, day, n in counted] == [
        (share.pk, "2026-11-20", 2),
        (share.pk, "2026-11-21", 1),
        (other.pk, "2026-11-20", 1),
    ]
    assert not Fact.objects.filter(kind=VISIT).exists()


# Holds, reviews, reversals --------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_held_award_counts_when_its_hold_is_over_and_not_before() -> None:
    cast.open_season(C, (replace(RECRUIT, hold_us=DAY_US),))
    cast.offer(C, cast.joined(BO, recruiter=ANA))
    cast.move()
    assert points(ANA) == (0, 500)
    assert queries.next_due(C, ANA) == (AT_US + DAY_US, 500)
    assert end_due_holds(at_us=AT_US + DAY_US - 1, at_most=10) == 0
    assert end_due_holds(at_us=AT_US + DAY_US, at_most=10) == 1
    assert end_due_holds(at_us=AT_US + DAY_US + 9, at_most=10) == 0, "said once, moved or not"
    cast.move()
    assert points(ANA) == (500, 0)
    assert queries.next_due(C, ANA) is None
    assert end_due_holds(at_us=AT_US + DAY_US * 2, at_most=10) == 0
    assert not Rejected.objects.exists()
    assert books_hold(C)


@pytest.mark.django_db
def test_at_most_so_many_holds_end_at_once_the_longest_due_first() -> None:
    cast.open_season(C, (replace(RECRUIT, hold_us=DAY_US),))
    cast.offer(C, *(cast.joined(fan, recruiter=ANA, at_us=AT_US - fan) for fan in range(10, 15)))
    cast.move()
    assert end_due_holds(at_us=AT_US + DAY_US, at_most=2) == 2
    cast.move()
    assert points(ANA) == (1_000, 1_500)
    assert list(Hold.objects.order_by("due_at_us").values_list("due_at_us", flat=True)) == [
        AT_US + DAY_US - fan for fan in (12, 11, 10)
    ]


@pytest.mark.django_db
def test_a_person_accepts_one_award_refuses_another_and_takes_a_third_back() -> None:
    cast.open_season(C, (replace(SPREAD, per_network_per_day=1),))
    cast.offer(C, cast.joined(ANA), *(cast.arrival(share, ANA, near="school") for share in (10, 11, 12)))
    cast.move()
    assert points(ANA) == (50, 100)
    counted, second, third = sorted(queries.decisions_of(C, ANA, at_most=9), key=lambda made: made.seq)
    assert [made.seq for made in queries.waiting_for_review(C, at_most=9)] == [second.seq, third.seq]
    decide_review(campaign_id=C, decision=second.seq, accepted=True, reason="a school, fine", at_us=AT_US)
    decide_review(campaign_id=C, decision=third.seq, accepted=False, reason="one phone", at_us=AT_US)
    reverse_award(campaign_id=C, decision=counted.seq, reason="asked for", at_us=AT_US)
    cast.move()
    assert points(ANA) == (50, 0)
    outcomes = [str(made.decision.outcome) for made in queries.decisions_of(C, ANA, at_most=9)]
    assert outcomes[:3] == ["reversed", "refused", "awarded"]
    assert books_hold(C)


@pytest.mark.django_db
def test_a_crowd_sent_to_somebody_elses_link_uses_up_nothing_there() -> None:
    """Awards in review leave the way open: an honest visitor counts, and a review accepted later does not pay twice."""
    cast.open_season(C, (replace(SPREAD, per_network_per_day=1, per_fan_per_day=1),))
    cast.offer(C, cast.arrival(1, ANA, near="school"), cast.arrival(2, BO, near="school"))
    cast.move()
    assert points(BO) == (0, 50)
    cast.offer(C, cast.arrival(2, BO, near="home"))
    cast.move()
    assert points(BO) == (50, 50)
    (waiting,) = queries.waiting_for_review(C, at_most=9)
    decide_review(campaign_id=C, decision=waiting.seq, accepted=True, reason="a school, fine", at_us=AT_US)
    cast.move()
    assert points(BO) == (50, 0)
    assert books_hold(C)
