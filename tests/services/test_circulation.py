"""How often titles circulate, by day, and the end of what a holder allowed only so many times."""

import pytest
from django.db import connection

from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.circulation import circulated, circulation_by_day
from vteam.campaigns.models import Campaign, CirculationDay, Title
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.services import record_fact
from vteam.ledger.replay import replay
from vteam.ledger.verify import verify
from vteam.people.models import Fan
from vteam.rights.models import Holder, RightEvent
from vteam.rights.queries import circulation_of
from vteam.rules.facts import Doubt, Evidence, copy_served, title_downloaded
from vteam.rules.rights import Act, Standing, Way

pytestmark = pytest.mark.django_db(transaction=True)


def served(
    bo: Fan, digues: Title, number: int, *, doubt: Doubt | None = None, same_person: bool = False
) -> None:
    fact = copy_served(
        introduction=f"{number:016x}", fan=bo.pk, title=digues.pk, listener=f"{number:032x}", by=None,
        same_person=same_person, network=f"{number:032x}", evidence=Evidence.WITNESSED, proof="0" * 64,
        at_us=clock.now_us(), doubt=doubt,
    )  # fmt: skip
    record_fact(campaign_id=bo.campaign_id, fact=fact)
    Mover(InboxTable()).move()


def agree(digues: Title, at_most: int | None) -> Holder:
    holder = Holder.objects.filter(titles__title_id=digues.pk).order_by("pk")[0]
    speak(
        holder=holder, person=None, title=digues, way=Way.PASS_ON, act=Act.AGREED, language="en",
        at_us=clock.now_us(), at_most=at_most, counted_before=circulated(digues.pk, Way.PASS_ON),
    )  # fmt: skip
    return holder


def standing(digues: Title) -> Standing:
    return circulation_of(digues.pk, Way.PASS_ON, at_us=clock.now_us()).standing


def test_what_went_out_is_counted_by_day_and_way_once(bo: Fan, digues: Title) -> None:
    served(bo, digues, 1)
    served(bo, digues, 2, doubt=Doubt.GAP)
    served(bo, digues, 3, doubt=Doubt.UNSEEN)
    served(bo, digues, 4, same_person=True)
    served(bo, digues, 1)
    record_fact(
        campaign_id=bo.campaign_id, fact=title_downloaded(fan=bo.pk, title=digues.pk, at_us=clock.now_us())
    )
    Mover(InboxTable()).move()
    (day,) = circulation_by_day(digues.pk, days=30)
    assert (day.downloaded, day.passed_on, day.total) == (1, 1, 2)
    assert circulated(digues.pk, Way.PASS_ON) == 1


def test_the_last_days_are_shown_newest_first(bo: Fan, digues: Title) -> None:
    import datetime as dt

    for number in range(40):
        CirculationDay.objects.create(
            title=digues, way=Way.DOWNLOAD, day=dt.date(2026, 1, 1) + dt.timedelta(days=number), n=number + 1
        )
    found = circulation_by_day(digues.pk, days=30)
    assert len(found) == 30
    assert (found[0].day, found[0].downloaded) == (dt.date(2026, 2, 9), 40)


def test_the_nth_copy_closes_the_way_and_a_new_yes_opens_it_again(bo: Fan, digues: Title) -> None:
    served(bo, digues, 1)
    holder = agree(digues, at_most=2)
    served(bo, digues, 2)
    assert standing(digues) is Standing.OPEN
    served(bo, digues, 3)
    assert standing(digues) is Standing.USED_UP
    last = RightEvent.objects.order_by("-pk")[0]
    assert (last.act, last.holder_id, last.way) == ("used_up", holder.pk, "pass-on")
    served(bo, digues, 4)
    assert RightEvent.objects.filter(act="used_up").count() == 1
    agree(digues, at_most=1)
    assert standing(digues) is Standing.OPEN
    served(bo, digues, 5)
    assert standing(digues) is Standing.USED_UP
    assert RightEvent.objects.filter(act="used_up").count() == 2
    assert verify(connection, bo.campaign_id) is None
    assert replay(connection, bo.campaign_id) is None


def test_a_fact_about_no_title_of_that_campaign_is_counted_nowhere_and_hinders_nothing(
    demo: Campaign, bo: Fan, digues: Title
) -> None:
    for campaign_id, title_id in ((demo.pk, 10**9), (10**9, digues.pk)):
        fact = title_downloaded(fan=bo.pk, title=title_id, at_us=clock.now_us())
        record_fact(campaign_id=campaign_id, fact=fact)
    Mover(InboxTable()).move()
    assert not CirculationDay.objects.exists()


def test_without_a_number_there_is_no_end(bo: Fan, digues: Title) -> None:
    agree(digues, at_most=None)
    for number in range(5):
        served(bo, digues, number)
    assert standing(digues) is Standing.OPEN


def test_what_shows_nothing_uses_nothing_up(bo: Fan, digues: Title) -> None:
    agree(digues, at_most=1)
    served(bo, digues, 1, doubt=Doubt.UNCHECKED)
    assert standing(digues) is Standing.OPEN
