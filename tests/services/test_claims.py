"""What becomes of an offer: claimed, declined, sent, undone; what was told for it, and who may confirm it."""

import pytest
from django.db import connection

from tests.cast import move
from tests.services.winners import (
    DAY,
    SETTLED,
    offered,
    the,
    won,
)
from vteam.journal.queries import every_fact
from vteam.people.erasure import erase_account
from vteam.prizes.claims import (
    Claim,
    Claimed,
    claim,
    decline,
    details_of,
    parent_confirms,
    sent,
    waiting_for_parent,
)
from vteam.prizes.models import Offer, OfferMove
from vteam.prizes.offers import STEPS_OF_FANS, forget_details, move_offer, offer_due
from vteam.rules.facts import Kind
from vteam.rules.prizes import State, Who

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_claim_tells_is_sealed_read_by_who_sends_it_and_erased() -> None:
    campaign, _ = won("Bo", needs="address")
    told = {
        "name": "Bo Le Goff",
        "street": "3 rue du Port",
        "postcode": "29680",
        "town": "Roscoff",
        "country": "FR",
    }
    assert (
        claim(offer=the(campaign, "Bo"), claim=Claim(details=told, is_adult=True), at=SETTLED)[0]
        is Claimed.CLAIMED
    )
    kept = the(campaign, "Bo")
    assert b"Roscoff" not in bytes(kept.details or b"")
    assert details_of(kept) == told
    assert sent(offer=kept, at=SETTLED + DAY)
    assert forget_details(at=SETTLED + 30 * DAY) == 0
    assert forget_details(at=SETTLED + 31 * DAY) == 1
    assert details_of(the(campaign, "Bo")) == {}
    assert the(campaign, "Bo").state == State.SENT
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM journal_fact UNION ALL SELECT body FROM journal_inbox")
        assert not any("Roscoff" in body for (body,) in cursor.fetchall())


def test_a_minors_claim_counts_once_a_parent_confirms_and_never_shows_a_name() -> None:
    campaign, _ = won("Bo")
    minor = Claim(details={}, is_adult=False, shows_name=True)
    became, secret = claim(offer=the(campaign, "Bo"), claim=minor, at=SETTLED)
    assert became is Claimed.WAITS_FOR_PARENT
    assert the(campaign, "Bo").state == State.OFFERED
    assert not parent_confirms(secret="another", at=SETTLED)
    waiting = waiting_for_parent(secret)
    assert waiting is not None
    assert parent_confirms(secret=secret, at=SETTLED + DAY)
    assert not parent_confirms(secret=secret, at=SETTLED + DAY), "a link is good once"
    its = the(campaign, "Bo")
    assert (its.state, its.shows_name, its.parent_confirmed_at) == (State.CLAIMED, False, SETTLED + DAY)


def test_what_was_done_is_undone_by_adding_and_told_to_the_journal() -> None:
    campaign, _ = won("Bo", "Cy", first=1)
    its = the(campaign, "Bo")
    assert move_offer(
        offer=its, to=State.WITHDRAWN, by=Who.ORGANISER, at=SETTLED, note="another's photograph"
    )
    assert move_offer(offer=its, to=State.OFFERED, by=Who.ORGANISER, at=SETTLED, days=5)
    assert its.claim_by == SETTLED + 5 * DAY
    assert decline(offer=its, at=SETTLED)
    offer_due(at=SETTLED)
    assert offered(campaign, state=State.OFFERED) == ["Cy"]
    gone = the(campaign, "Bo")
    assert not move_offer(offer=gone, to=State.OFFERED, by=Who.FAN, at=SETTLED, days=5), (
        "the next in line has it"
    )
    move()
    facts = [fact.body["state"] for fact in every_fact(connection, campaign.pk)
             if fact.kind == Kind.PRIZE_MOVED and fact.body["number"] == 1]  # fmt: skip
    assert facts == ["offered", "withdrawn", "offered", "declined"]
    moves = list(
        OfferMove.objects.filter(offer_id=its.pk).order_by("step").values_list("state", "by", "note")
    )
    assert moves == [("offered", "time", ""), ("withdrawn", "organiser", "another's photograph"),
                     ("offered", "organiser", ""), ("declined", "fan", "")]  # fmt: skip


def test_a_move_that_somebody_else_was_faster_with_does_nothing() -> None:
    campaign, _ = won("Bo")
    one, other = the(campaign, "Bo"), the(campaign, "Bo")
    assert move_offer(offer=one, to=State.CLAIMED, by=Who.FAN, at=SETTLED)
    assert not move_offer(offer=other, to=State.DECLINED, by=Who.FAN, at=SETTLED)
    assert not move_offer(offer=one, to=State.SENT, by=Who.FAN, at=SETTLED), "no fan sends it"


def test_a_fan_who_comes_back_has_the_time_that_was_left_and_not_for_ever() -> None:
    campaign, _ = won("Bo")
    its = the(campaign, "Bo")
    until = its.claim_by
    for _ in range(STEPS_OF_FANS // 2):
        assert decline(offer=its, at=SETTLED + DAY)
        assert move_offer(offer=its, to=State.OFFERED, by=Who.FAN, at=SETTLED + DAY)
        assert its.claim_by == until
    assert not decline(offer=its, at=SETTLED + DAY), "each move stays in the journal for ever"
    late = the(campaign, "Bo")
    assert not move_offer(offer=late, to=State.OFFERED, by=Who.FAN, at=until)


def test_what_was_told_is_erased_where_the_offer_is_given_up_and_only_there() -> None:
    campaign, _ = won("Bo", "Cy")
    told = {"name": "Cy", "town": "Brest"}
    claim(offer=the(campaign, "Cy"), claim=Claim(details=told, is_adult=False), at=SETTLED)
    offer_due(at=SETTLED + 20 * DAY)
    assert (the(campaign, "Cy").state, the(campaign, "Cy").details) == (State.EXPIRED, None)
    move_offer(offer=the(campaign, "Bo"), to=State.OFFERED, by=Who.ORGANISER, at=SETTLED + 20 * DAY, days=9)
    claim(offer=the(campaign, "Bo"), claim=Claim(details=told, is_adult=True), at=SETTLED + 20 * DAY)
    stale = the(campaign, "Bo")
    assert sent(offer=the(campaign, "Bo"), at=SETTLED + 21 * DAY)
    assert not decline(offer=stale, at=SETTLED + 21 * DAY), "it is on its way"
    assert details_of(the(campaign, "Bo")) == told
    back = the(campaign, "Bo")
    assert move_offer(offer=back, to=State.CLAIMED, by=Who.ORGANISER, at=SETTLED + 22 * DAY)
    assert forget_details(at=SETTLED + 60 * DAY) == 0, "it is still to be sent"


def test_who_once_said_to_be_under_18_stays_so_for_this_prize() -> None:
    campaign, _ = won("Bo")
    claim(offer=the(campaign, "Bo"), claim=Claim(details={}, is_adult=False), at=SETTLED)
    again = Claim(details={}, is_adult=True, shows_name=True)
    became, secret = claim(offer=the(campaign, "Bo"), claim=again, at=SETTLED)
    assert became is Claimed.WAITS_FOR_PARENT
    assert parent_confirms(secret=secret, at=SETTLED)
    assert not the(campaign, "Bo").shows_name


def test_who_erases_their_account_makes_room_and_nothing_told_can_be_read() -> None:
    campaign, (bo, _) = won("Bo", "Cy", first=1)
    claim(offer=the(campaign, "Bo"), claim=Claim(details={"name": "Bo"}, is_adult=True), at=SETTLED)
    erase_account(person=bo.person)
    offer_due(at=SETTLED)
    assert offered(campaign, state=State.OFFERED) == ["Cy"]
    gone = Offer.objects.get(number=1)
    assert (gone.fan, gone.state, details_of(gone)) == (None, State.WITHDRAWN, {})
