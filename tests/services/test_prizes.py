"""Who is offered a prize, and when: on real databases, from the books alone."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock, patch

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import AT, move
from tests.services.winners import (
    ADULT,
    DAY,
    SETTLED,
    earn,
    fans,
    give,
    offered,
    open_with,
    prize,
    settle,
    the,
)
from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.errors import CampaignFileError
from vteam.journal.queries import every_fact
from vteam.prizes import lines
from vteam.prizes.claims import (
    Claimed,
    claim,
    decline,
)
from vteam.prizes.keeping import refuse_changes
from vteam.prizes.models import Offer
from vteam.prizes.offers import move_offer, offer_due, take_first
from vteam.rules.facts import Kind
from vteam.rules.prizes import HOLDS, State, Who

pytestmark = pytest.mark.django_db(transaction=True)


def test_nobody_is_offered_a_rankings_prize_before_the_result_is_final() -> None:
    campaign = open_with(prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    assert offer_due(at=AT) == 0
    assert offer_due(at=SETTLED - DAY) == 0
    settle(campaign)
    assert offer_due(at=SETTLED) == 1
    assert offered(campaign) == ["Bo"]


def test_the_first_of_the_ranking_are_offered_it_once_and_of_equals_who_was_there_first() -> None:
    campaign = open_with(prize())
    bo, cy, di, ed = fans(campaign, "Bo", "Cy", "Di", "Ed")
    earn(campaign, ed)
    earn(campaign, cy)
    earn(campaign, di, 2)
    earn(campaign, bo)
    settle(campaign)
    assert offer_due(at=SETTLED) == 2
    assert offered(campaign) == ["Di", "Ed"]
    assert offer_due(at=SETTLED) == 0


def test_what_its_supplier_has_not_confirmed_is_offered_to_nobody() -> None:
    campaign = open_with(prize(confirmed=False))
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    assert offer_due(at=SETTLED) == 0
    give(campaign, prize())
    assert offer_due(at=SETTLED) == 1


def test_who_declines_or_lets_the_time_pass_makes_room_for_the_next_in_line() -> None:
    campaign = open_with(prize(claim_days=10))
    bo, cy, di, ed = fans(campaign, "Bo", "Cy", "Di", "Ed")
    for times, fan in enumerate((ed, di, cy, bo), start=1):
        earn(campaign, fan, times)
    settle(campaign)
    offer_due(at=SETTLED)
    assert offered(campaign) == ["Bo", "Cy"]
    assert decline(offer=the(campaign, "Bo"), at=SETTLED + DAY)
    offer_due(at=SETTLED + DAY)
    assert offered(campaign) == ["Bo", "Cy", "Di"]
    assert claim(offer=the(campaign, "Di"), claim=ADULT, at=SETTLED + DAY) == (Claimed.CLAIMED, "")
    offer_due(at=SETTLED + 10 * DAY)
    assert offered(campaign, state=State.EXPIRED) == ["Cy"]
    assert offered(campaign, state=State.OFFERED) == ["Ed"]
    assert claim(offer=the(campaign, "Cy"), claim=ADULT, at=SETTLED + 11 * DAY) == (Claimed.TOO_LATE, "")


def test_milestones_go_in_the_order_they_were_reached_while_there_are_some() -> None:
    campaign = open_with(prize(key="poster", kind="milestone", first=None, milestone=1000, how_many=2))
    bo, cy, di = fans(campaign, "Bo", "Cy", "Di")
    earn(campaign, bo)
    earn(campaign, cy, 2)
    assert offer_due(at=AT) == 1
    earn(campaign, di, 3)
    earn(campaign, bo)
    assert offer_due(at=AT) == 1
    assert offered(campaign, "poster") == ["Cy", "Di"]
    decline(offer=the(campaign, "Cy", "poster"), at=AT)
    offer_due(at=AT)
    assert offered(campaign, "poster") == ["Cy", "Di", "Bo"]


def test_where_there_is_enough_for_all_all_get_it() -> None:
    campaign = open_with(prize(key="poster", kind="milestone", first=None, milestone=500))
    everybody = fans(campaign, "Bo", "Cy", "Di")
    for fan in everybody:
        earn(campaign, fan)
    assert offer_due(at=AT) == 3
    assert [each.slot for each in Offer.objects.order_by("number")] == [1, 2, 3]


def test_first_come_first_served_and_asking_again_is_the_same() -> None:
    entry = prize(key="sticker", kind="first-come", first=None, how_many=1)
    campaign = open_with(entry)
    bo, cy = fans(campaign, "Bo", "Cy")
    its = campaign.file.prizes[0]
    taken = take_first(campaign=campaign, prize=its, fan=cy, at=AT)
    assert taken is not None
    assert take_first(campaign=campaign, prize=its, fan=cy, at=AT) == taken
    assert take_first(campaign=campaign, prize=its, fan=bo, at=AT) is None
    decline(offer=taken, at=AT)
    assert take_first(campaign=campaign, prize=its, fan=bo, at=AT) is not None


def test_the_database_itself_refuses_to_give_one_of_the_stock_twice() -> None:
    campaign = open_with(prize())
    bo, cy = fans(campaign, "Bo", "Cy")
    earn(campaign, bo)
    settle(campaign)
    offer_due(at=SETTLED)
    its = the(campaign, "Bo")
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.create(
            campaign_id=campaign.pk, prize="record", number=9, slot=its.slot, fan=cy, state=State.OFFERED,
            offered_at=AT, claim_by=AT, changed_at=AT,
        )  # fmt: skip


def test_one_prize_that_cannot_be_offered_hinders_none_of_the_others() -> None:
    campaign = open_with(prize(key="broken", kind="milestone", first=None, milestone=500), prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    with (
        patch.dict(
            "vteam.prizes.lines.__dict__", {"_of_milestone": Mock(side_effect=RuntimeError("broken"))}
        ),
        pytest.raises(RuntimeError, match="broken"),
    ):
        offer_due(at=SETTLED)
    assert offered(campaign) == ["Bo"]
    offer_due(at=SETTLED)
    assert offered(campaign, "broken") == ["Bo"]


def test_with_enough_for_all_who_comes_back_takes_nobodys_place() -> None:
    campaign = open_with(prize(key="poster", kind="milestone", first=None, milestone=500))
    bo, cy, di = fans(campaign, "Bo", "Cy", "Di")
    earn(campaign, bo)
    earn(campaign, cy)
    offer_due(at=AT)
    for name in ("Bo", "Cy"):
        its = the(campaign, name, "poster")
        assert decline(offer=its, at=AT)
        assert move_offer(offer=its, to=State.OFFERED, by=Who.FAN, at=AT)
    earn(campaign, di)
    offer_due(at=AT)
    assert offered(campaign, "poster", State.OFFERED) == ["Bo", "Cy", "Di"]


def test_a_line_is_walked_piece_by_piece_and_passes_over_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "DECISIONS_AT_ONCE", 2)
    monkeypatch.setattr(lines, "FANS_AT_ONCE", 2)
    campaign = open_with(prize(key="poster", kind="milestone", first=None, milestone=1000, how_many=3))
    people = fans(campaign, "Bo", "Cy", "Di", "Ed", "Fay")
    for fan in (*people, *people[::-1]):
        earn(campaign, fan)
    for _ in range(4):
        offer_due(at=AT)
    assert offered(campaign, "poster") == ["Fay", "Ed", "Di"]
    decline(offer=the(campaign, "Ed", "poster"), at=AT)
    offer_due(at=AT)
    assert offered(campaign, "poster") == ["Fay", "Ed", "Di", "Cy"]


def test_what_was_offered_keeps_its_key_and_what_it_is() -> None:
    campaign = open_with(prize(how_many=5))
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    refuse_changes(_with(campaign, prize(key="another")))
    offer_due(at=SETTLED)
    refuse_changes(_with(campaign, prize(how_many=9, name="A better record")))
    with pytest.raises(CampaignFileError, match="'record' stays in the file"):
        refuse_changes(_with(campaign, prize(key="another")))
    with pytest.raises(CampaignFileError, match="'record' keeps its first: somebody has been offered it"):
        refuse_changes(_with(campaign, prize(first=1)))


def _with(campaign: Campaign, *prizes: dict[str, Any]) -> CampaignFile:
    entries = tuple(PrizeEntry.model_validate(each) for each in prizes)
    return campaign.file.model_copy(update={"prizes": entries})


ACTS = st.lists(
    st.tuples(st.sampled_from(["claim", "decline", "wait", "withdraw", "again"]), st.integers(0, 5)),
    max_size=25,
)


@settings(max_examples=12)
@given(ACTS, st.integers(1, 3), st.permutations(range(5)))
def test_the_stock_is_never_exceeded_and_replaying_gives_the_same_winners(
    acts: Sequence[tuple[str, int]], stock: int, order: list[int]
) -> None:
    campaign = open_with(prize(first=stock, claim_days=3), slug=f"campaign-{Campaign.objects.count()}")
    people = fans(campaign, *(f"F{number}" for number in range(5)))
    for times, place in enumerate(order):
        earn(campaign, people[place], times)
    settle(campaign)
    at = SETTLED
    offer_due(at=at)
    for act, whose in acts:
        found = list(Offer.objects.filter(campaign_id=campaign.pk).order_by("number"))
        its = found[whose % len(found)]
        if act == "claim":
            claim(offer=its, claim=ADULT, at=at)
        elif act == "decline":
            decline(offer=its, at=at)
        elif act == "withdraw":
            move_offer(offer=its, to=State.WITHDRAWN, by=Who.ORGANISER, at=at)
        elif act == "again":
            move_offer(offer=its, to=State.OFFERED, by=Who.ORGANISER, at=at, days=3)
        else:
            at += DAY
        offer_due(at=at)
        held = Offer.objects.filter(campaign_id=campaign.pk, state__in=list(HOLDS))
        assert held.count() <= stock
        assert all(each.slot is not None and each.slot <= stock for each in held)
    move()
    wanted = [people[place].pk for place in order if place != order[0]][::-1]
    made = list(
        Offer.objects.filter(campaign_id=campaign.pk).order_by("number").values_list("fan_id", flat=True)
    )
    assert made == wanted[: len(made)], (
        "offers are made in the order of the ranking, whatever was claimed when"
    )
    assert _from_the_journal(campaign) == dict(
        Offer.objects.filter(campaign_id=campaign.pk).values_list("fan_id", "state")
    )


def _from_the_journal(campaign: Campaign) -> dict[int, str]:
    """How every offer stands, by the journal alone."""
    facts = (fact.body for fact in every_fact(connection, campaign.pk) if fact.kind == Kind.PRIZE_MOVED)
    return {body["fan"]: body["state"] for body in facts}
