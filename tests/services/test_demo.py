"""The demo is a campaign like any other: real services, books that hold, and points an honest fan can earn."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from vteam import clock
from vteam.campaigns.check import check_campaign
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import titles_of
from vteam.campaigns.services import apply_campaign
from vteam.channels.links.models import VisitDay
from vteam.demo.opening import demo_folder, open_demo
from vteam.demo.season import play_season
from vteam.demofolder import is_demo_folder
from vteam.errors import CannotStart
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Fact, Rejected
from vteam.journal.services import record_fact
from vteam.ledger.queries import fans_ranked, points_of, top
from vteam.ledger.replay import replay
from vteam.ledger.verify import verify
from vteam.people.models import Fan, Person
from vteam.rules import facts
from vteam.rules.rights import Way


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Any) -> Path:
    """A data folder of the test's own: whether it is a demo's is written in it."""
    settings.DATA = tmp_path / "data"
    return tmp_path / "data"


pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demo_is_a_week_in_and_its_artists_agree_in_their_own_way() -> None:
    campaign = open_demo()
    now = clock.now()
    assert now - campaign.file.season.starts_at < dt.timedelta(days=8.1)
    assert campaign.file.season.starts_at < now < campaign.file.season.release_at
    offered = titles_of(campaign, at_us=clock.now_us())
    assert len(offered) == 3
    assert all(row.can_listen and row.can_download for row in offered)
    assert [row.ways[Way.PASS_ON].is_open for row in offered] == [True, True, False]
    assert offered[-1].ways[Way.DOWNLOAD].words


def test_opening_it_again_changes_nothing_and_another_campaign_is_left_alone() -> None:
    campaign = open_demo()
    Mover(InboxTable()).move()
    journaled = Fact.objects.count()
    assert open_demo() == campaign
    Mover(InboxTable()).move()
    assert Fact.objects.count() == journaled
    Campaign.objects.filter(pk=campaign.pk).update(slug="something-else")
    with pytest.raises(CannotStart, match="VTEAM_DATA"):
        open_demo()


def test_a_demos_folder_says_so_in_a_sentence(data: Path) -> None:
    assert not is_demo_folder(data)
    open_demo()
    assert is_demo_folder(data)
    assert "invented" in (data / "demo").read_text()


def test_somebodys_own_campaign_at_the_demos_address_is_left_alone(data: Path) -> None:
    folder = demo_folder()
    checked = check_campaign(folder)
    assert checked.file is not None
    own = apply_campaign(file=checked.file, folder=folder, at=clock.now()).campaign
    with pytest.raises(CannotStart, match="VTEAM_DATA"):
        open_demo()
    assert not is_demo_folder(data)
    assert list(Campaign.objects.all()) == [own]
    assert not Person.objects.exists()


def test_a_lively_season_has_books_that_hold_and_goes_on_where_it_stopped() -> None:
    campaign = open_demo()
    told: list[int] = []
    play_season(campaign, fans=12, progress=told.append)
    play_season(campaign, fans=15)
    assert told == list(range(1, 13))
    assert fans_ranked(campaign.pk) == Fan.objects.count() == 15
    assert top(campaign.pk, at_most=1)[0].points > 0
    assert VisitDay.objects.exists()
    assert not Rejected.objects.exists()
    assert verify(connection, campaign.pk) is None
    assert replay(connection, campaign.pk) is None


def test_a_keen_honest_fan_passes_20000_points_in_the_first_week() -> None:
    """Six people brought in and eight places a day, each from a home of their own, and the three titles."""
    campaign = open_demo()
    begins = clock.to_us(campaign.file.season.starts_at)
    day_us, bo, others = 86_400 * 1_000_000, 1, iter(range(2, 1_000))
    for title in range(1, 4):
        record_fact(campaign_id=campaign.pk, fact=facts.title_downloaded(fan=bo, title=title, at_us=begins))
    for day in range(7):
        for number in range(8):
            at_us, home = begins + day * day_us + (number + 9) * 3_600 * 1_000_000, f"home-{day}-{number}"
            arrival = facts.arrival_confirmed(
                share=day * 8 + number,
                owner=bo,
                networks=(home, home, home),
                day=str(day),
                by=None,
                act="stayed",
                at_us=at_us,
            )
            record_fact(campaign_id=campaign.pk, fact=arrival)
            if number < 6:
                joined = facts.fan_confirmed(
                    fan=next(others), recruiter=bo, share=1, network=home, same_session=False, at_us=at_us
                )
                record_fact(campaign_id=campaign.pk, fact=joined)
    Mover(InboxTable()).move()
    assert points_of(campaign.pk, bo) == (7 * 6 * 500 + 7 * 8 * 50 + 3 * 50, 0)
    assert points_of(campaign.pk, bo)[0] > 20_000
