"""What fans earned, told by mail to those who want it: once, when something was earned, and never before they asked."""

import datetime as dt

import pytest

from tests import cast
from tests.cast import AT, allow, move, offer
from tests.services.letters import in_the_mailbox, parts_of
from tests.services.test_gate import ask_for
from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.channels.mail import telling
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.outbox import forget_ended
from vteam.channels.mail.telling import PointsTeller
from vteam.channels.swarm.models import Asked
from vteam.channels.swarm.services import ask_for as ask_fan_for
from vteam.channels.swarm.services import end_asked, let_be_asked, see_asked
from vteam.people.models import Fan
from vteam.rules import facts
from vteam.rules.grants import Pace, Purpose

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
MONDAY_MORNING = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)  # 9 o'clock in Paris
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_folder")]


@pytest.fixture
def campaign() -> Campaign:
    return cast.open_campaign()


def downloads(fan: Fan, title: int, *, at: dt.datetime) -> None:
    offer(
        fan.campaign_id,
        facts.title_downloaded(fan=fan.pk, title=title, at_us=clock.to_us(at)),
    )
    move()


def tell(at: dt.datetime) -> int:
    """A whole round, and what is due."""
    teller, told = PointsTeller(), 0
    for _ in range(3):
        told += teller.turn(at=at)
    deliver_due(at=at)
    return told


def test_what_was_earned_since_is_read_on_monday_in_one_letter(campaign: Campaign) -> None:
    bo = cast.join(campaign.pk, "Bo", at=AT - DAY)
    titles = list(Title.objects.filter(campaign=campaign).values_list("pk", flat=True))
    downloads(bo, titles[0], at=AT - HOUR)
    allow(bo, Purpose.POINTS)
    assert tell(AT) == 0, "what was earned before they asked is not news"
    downloads(bo, titles[1], at=AT + HOUR)
    assert tell(AT + HOUR) == 1
    downloads(bo, titles[2], at=AT + 2 * HOUR)
    assert tell(AT + 2 * HOUR) == 0, "the one that waits tells it too"
    assert in_the_mailbox() == []
    deliver_due(at=MONDAY_MORNING)
    (letter,) = in_the_mailbox()
    text, _ = parts_of(letter)
    assert letter["Subject"] == "100 points more"
    assert "You now have 150 points" in text
    assert tell(MONDAY_MORNING + HOUR) == 0, "nothing earned since"
    assert OutboxMessage.objects.count() == 1


def test_nobody_is_told_who_did_not_ask(campaign: Campaign) -> None:
    bo = cast.join(campaign.pk, "Bo", at=AT - DAY)
    allow(bo, Purpose.NEWS)
    title = Title.objects.filter(campaign=campaign).values_list("pk", flat=True)[0]
    downloads(bo, title, at=AT)
    assert tell(AT + HOUR) == 0


def test_everybody_has_their_turn_however_few_a_turn_takes(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "SUBJECTS_A_TURN", 2)
    title = Title.objects.filter(campaign=campaign).values_list("pk", flat=True)[0]
    for number in range(5):
        fan = cast.join(campaign.pk, f"Fan{number}", at=AT - DAY)
        allow(fan, Purpose.POINTS, pace=Pace.DAILY, at=AT - HOUR)
        downloads(fan, title, at=AT)
    teller = PointsTeller()
    assert sum(teller.turn(at=AT + HOUR) for _ in range(8)) == 5
    assert OutboxMessage.objects.count() == 5


def test_a_fan_who_is_asked_by_many_is_told_once_a_title_and_day(campaign: Campaign) -> None:
    bo = cast.join(campaign.pk, "Bo")
    let_be_asked(fan=bo, may=True)
    share = cast.share_of(bo)
    title = Title.objects.filter(campaign=campaign).order_by("position")[0]
    for number in range(5):
        ask_fan_for(share=share, title=title, network=f"network {number}", at=AT)
    assert not OutboxMessage.objects.exists(), "nobody asked for mail"
    allow(bo, Purpose.ASKED)
    for number in range(5):
        ask_fan_for(share=share, title=title, network=f"another {number}", at=AT)
    deliver_due(at=AT)
    assert len(in_the_mailbox()) == 1
    ask_for(bo, key="something else")
    assert OutboxMessage.objects.count() == 2


def test_what_was_told_is_not_told_again_once_its_row_is_forgotten(campaign: Campaign) -> None:
    bo = cast.join(campaign.pk, "Bo", at=AT - DAY)
    allow(bo, Purpose.POINTS, pace=Pace.DAILY, at=AT - HOUR)
    title = Title.objects.filter(campaign=campaign).values_list("pk", flat=True)[0]
    downloads(bo, title, at=AT)
    tell(AT + HOUR)
    tell(AT + DAY)
    assert len(in_the_mailbox()) == 1
    for days in (61, 130, 200):
        forget_ended(at=AT + days * DAY)
        tell(AT + days * DAY)
        tell(AT + (days + 1) * DAY)
    assert len(in_the_mailbox()) == 1


def test_where_nobody_asks_any_more_nothing_is_said(campaign: Campaign) -> None:
    bo = cast.join(campaign.pk, "Bo")
    allow(bo, Purpose.ASKED, pace=Pace.DAILY)
    share = cast.share_of(bo)
    one, other, *_ = Title.objects.filter(campaign=campaign).order_by("position")
    let_be_asked(fan=bo, may=True)
    asked = ask_fan_for(share=share, title=one, network="near", at=AT)
    assert isinstance(asked, Asked)
    end_asked(code=asked.code, at=AT)
    ask_fan_for(share=share, title=other, network="near", at=AT)
    see_asked(fan=bo, title=other, at=AT)
    deliver_due(at=AT + 2 * DAY)
    assert in_the_mailbox() == []
    ask_fan_for(share=share, title=one, network="near", at=AT + 3 * DAY)
    let_be_asked(fan=bo, may=False)
    deliver_due(at=AT + 6 * DAY)
    assert in_the_mailbox() == []


def test_a_night_belongs_to_the_morning_that_ends_it(campaign: Campaign) -> None:
    bo = cast.join(campaign.pk, "Bo")
    allow(bo, Purpose.ASKED)
    let_be_asked(fan=bo, may=True)
    share, title = cast.share_of(bo), Title.objects.filter(campaign=campaign).order_by("position")[0]
    for hour in (22, 26):  # 23 and 3 o'clock in Paris
        ask_fan_for(share=share, title=title, network="near", at=AT.replace(hour=0) + hour * HOUR)
    assert OutboxMessage.objects.count() == 1
