"""The end of a season: its result is provisional, then final, and nothing that comes later changes it."""

import datetime as dt
import json
from pathlib import Path

import pytest
import time_machine
from django.db import connection

from tests.cast import AT, AT_US, DAY_US, RECRUIT, SEASON, join, joined, move, offer, open_campaign
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.services import apply_campaign, freeze_results
from vteam.demo.opening import demo_folder, open_demo
from vteam.errors import CampaignFileError
from vteam.journal.models import Fact
from vteam.ledger.queries import decisions_of, is_final, points_of, top
from vteam.ledger.replay import replay
from vteam.ledger.services import decide_review, end_due_holds, reverse_award
from vteam.rules.decisions import Outcome
from vteam.rules.facts import Kind

pytestmark = pytest.mark.django_db(transaction=True)
END = clock.from_us(SEASON.ends_at_us)
SETTLED = END + dt.timedelta(days=14)
LAST_US = SEASON.ends_at_us - 1


def earn(campaign: Campaign, fan: int, *recruits: int, at_us: int = AT_US, network: str = "") -> None:
    offer(
        campaign.pk,
        *(joined(each, recruiter=fan, network=network or f"n{each}", at_us=at_us) for each in recruits),
    )


def outcomes(campaign: Campaign, fan: int) -> list[Outcome]:
    return [each.decision.outcome for each in decisions_of(campaign.pk, fan, at_most=50)][::-1]


def test_a_season_that_is_over_settles_once_and_says_when() -> None:
    campaign = open_campaign()
    before = [freeze_results(at=at) for at in (AT, END, SETTLED - dt.timedelta(seconds=1), SETTLED, SETTLED)]
    assert before == [0, 0, 0, 1, 0]
    move()
    (fact,) = Fact.objects.filter(campaign_id=campaign.pk, kind=Kind.RESULT_FROZEN)
    assert (fact.key, fact.seen_at_us) == ("result", clock.to_us(SETTLED))
    assert json.loads(fact.body) == {"season_ends_at_us": SEASON.ends_at_us}
    assert is_final(campaign.pk)


def test_what_comes_to_the_books_after_the_result_counts_for_nobody() -> None:
    campaign = open_campaign()
    earn(campaign, 1, 101)
    move()
    freeze_results(at=SETTLED)
    # It was seen in the season, and lay in an inbox we could not reach until now.
    earn(campaign, 1, 102, at_us=LAST_US)
    move()
    earn(campaign, 1, 103, at_us=LAST_US)
    move()
    assert points_of(campaign.pk, 1) == (500, 0)
    assert outcomes(campaign, 1) == [Outcome.AWARDED, Outcome.RESULT_FINAL, Outcome.RESULT_FINAL]


def test_reviews_and_reversals_after_the_result_are_moot() -> None:
    limited = {**RECRUIT.body(), "per_network_per_day": 1, "evidence": ()}
    campaign = open_campaign((type(RECRUIT)(**limited),))
    earn(campaign, 1, 101, 102, network="home")
    move()
    awarded, waiting = decisions_of(campaign.pk, 1, at_most=2)[::-1]
    assert waiting.decision.outcome is Outcome.NEEDS_REVIEW
    freeze_results(at=SETTLED)
    move()
    standing = top(campaign.pk, at_most=10)
    decide_review(
        campaign_id=campaign.pk, decision=waiting.seq, accepted=True, reason="", at_us=SEASON.ends_at_us
    )
    reverse_award(campaign_id=campaign.pk, decision=awarded.seq, reason="", at_us=SEASON.ends_at_us)
    move()
    assert top(campaign.pk, at_most=10) == standing
    assert points_of(campaign.pk, 1) == (500, 500)


def test_a_hold_that_ends_before_the_last_day_counts_before_the_result_is_final() -> None:
    held = {**RECRUIT.body(), "hold_us": 13 * DAY_US, "evidence": ()}
    campaign = open_campaign((type(RECRUIT)(**held),))
    earn(campaign, 1, 101, at_us=LAST_US)
    move()
    assert freeze_results(at=SETTLED) == 0, "an award still waits for its time"
    end_due_holds(at_us=clock.to_us(SETTLED), at_most=10)
    move()
    assert freeze_results(at=SETTLED) == 1
    move()
    assert points_of(campaign.pk, 1) == (500, 0)


def test_the_books_replay_to_the_same_with_a_result_in_them() -> None:
    campaign = open_campaign()
    earn(campaign, 1, 101, 102)
    freeze_results(at=SETTLED)
    move()
    earn(campaign, 1, 103, at_us=LAST_US)
    move()
    assert replay(connection, campaign.pk) is None


def test_who_joins_after_the_result_stands_behind_everybody() -> None:
    campaign = open_campaign()
    bo = join(campaign.pk, "Bo")
    earn(campaign, bo.pk, 101)
    freeze_results(at=SETTLED)
    move()
    assert [each.fan_id for each in top(campaign.pk, at_most=1)] == [bo.pk]


def test_a_season_whose_result_is_final_stays_as_it_was(own_folder: Path) -> None:
    with time_machine.travel(SETTLED - dt.timedelta(days=40)):
        campaign = open_demo()
    season = campaign.file.season
    at = season.settled_at + dt.timedelta(hours=1)
    assert freeze_results(at=at) == 1
    longer = campaign.file.model_copy(
        update={
            "season": season.model_copy(update={"ends": season.ends + dt.timedelta(days=1), "settled": None})
        }
    )
    with pytest.raises(CampaignFileError, match="The result of this season is final"):
        apply_campaign(file=longer, folder=demo_folder(), at=at)
    renamed = campaign.file.model_copy(update={"team": "The crew"})
    assert apply_campaign(file=renamed, folder=demo_folder(), at=at).changed
