"""Who won learns it by mail where they allowed that, once, and while there is something to claim; nobody else does."""

import datetime as dt

import pytest

from tests.cast import allow
from tests.services.letters import in_the_mailbox, parts_of
from tests.services.winners import SETTLED, earn, fans, open_with, prize, settle, the
from vteam.campaigns.models import Campaign
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.telling import tell_winners
from vteam.people.models import Fan
from vteam.prizes.claims import Claim, claim, decline
from vteam.prizes.offers import move_offer, offer_due
from vteam.rules.grants import Purpose
from vteam.rules.prizes import State, Who

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_folder")]
HOUR = dt.timedelta(hours=1)
NOON = SETTLED + 12 * HOUR  # not in the quiet hours


@pytest.fixture
def stage() -> tuple[Campaign, Fan, Fan]:
    """Bo allows it, Cy never said anything; both have won."""
    campaign = open_with(prize())
    bo, cy = fans(campaign, "Bo", "Cy")
    earn(campaign, bo, 2)
    earn(campaign, cy)
    settle(campaign)
    allow(bo, Purpose.WON, at=NOON - HOUR)
    offer_due(at=NOON)
    return campaign, bo, cy


def test_who_allowed_it_is_told_once_with_the_day_and_the_way_to_the_page(
    stage: tuple[Campaign, Fan, Fan],
) -> None:
    campaign, _, _ = stage
    assert tell_winners(at=NOON) == 2
    assert tell_winners(at=NOON) == 0
    deliver_due(at=NOON)
    (letter,) = in_the_mailbox()
    plain, _ = parts_of(letter)
    assert letter["Subject"] == "You have won: A record"
    assert f"/en/maree-haute/prizes/won/{the(campaign, 'Bo').pk}" in plain
    assert "Feb" in plain
    assert "the next in line" in plain
    deliver_due(at=NOON + 24 * HOUR)
    assert len(in_the_mailbox()) == 1


def test_who_has_claimed_or_declined_before_it_leaves_is_not_written_to(
    stage: tuple[Campaign, Fan, Fan],
) -> None:
    campaign, _, cy = stage
    allow(cy, Purpose.WON, at=NOON)
    tell_winners(at=NOON)
    assert OutboxMessage.objects.count() == 2
    claim(offer=the(campaign, "Bo"), claim=Claim(details={}, is_adult=True), at=NOON)
    decline(offer=the(campaign, "Cy"), at=NOON)
    deliver_due(at=NOON)
    assert in_the_mailbox() == []


def test_who_is_offered_it_again_is_told_again(stage: tuple[Campaign, Fan, Fan]) -> None:
    campaign, _, _ = stage
    tell_winners(at=NOON)
    deliver_due(at=NOON)
    its = the(campaign, "Bo")
    move_offer(offer=its, to=State.WITHDRAWN, by=Who.ORGANISER, at=NOON)
    assert tell_winners(at=NOON) == 0, "what was taken back is nothing to write about"
    move_offer(offer=its, to=State.OFFERED, by=Who.ORGANISER, at=NOON + HOUR, days=14)
    assert tell_winners(at=NOON + HOUR) == 1
    deliver_due(at=NOON + HOUR)
    assert len(in_the_mailbox()) == 2
