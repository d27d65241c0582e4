"""Prizes offered, claimed, declined and passed on to the next in line: on real databases, from the books alone."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock, patch

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import AT, AT_US, SEASON, campaign_file, join, joined, move, offer, open_campaign
from vteam import clock
from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.services import freeze_results
from vteam.errors import CampaignFileError
from vteam.journal.models import Fact
from vteam.journal.queries import every_fact
from vteam.people.erasure import erase_account
from vteam.people.models import Fan
from vteam.prizes import lines
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
from vteam.prizes.keeping import refuse_changes
from vteam.prizes.models import Offer, OfferMove
from vteam.prizes.offers import STEPS_OF_FANS, forget_details, move_offer, offer_due, take_first
from vteam.rules.facts import Kind
from vteam.rules.prizes import HOLDS, State, Who

pytestmark = pytest.mark.django_db(transaction=True)
SETTLED = clock.from_us(SEASON.ends_at_us) + dt.timedelta(days=14)
DAY = dt.timedelta(days=1)


def prize(**of: Any) -> dict[str, Any]:
    return {
        "key": "record", "kind": "ranking", "first": 2, "name": "A record", "explanation": "On vinyl.",
        "supplied_by": "Petit Large", "confirmed": True, **of,
    }  # fmt: skip


def open_with(*prizes: dict[str, Any], slug: str = "maree-haute") -> Campaign:
    """A campaign with these prizes."""
    campaign = open_campaign(slug=slug)
    give(campaign, *prizes)
    return campaign


def give(campaign: Campaign, *prizes: dict[str, Any]) -> None:
    file = campaign_file(campaign.slug)
    entries = tuple(PrizeEntry.model_validate(each) for each in prizes)
    campaign.document = file.model_copy(update={"prizes": entries}).canonical()
    campaign.__dict__.pop("file", None)
    campaign.save(update_fields=["document"])


def fans(campaign: Campaign, *names: str) -> list[Fan]:
    return [join(campaign.pk, name) for name in names]


def earn(campaign: Campaign, fan: Fan, times: int = 1) -> None:
    """So many recruits, at 500 points each."""
    first = Fact.objects.filter(campaign_id=campaign.pk).count() * 1000 + 100_000
    new = [joined(first + at, recruiter=fan.pk, network=f"n{first + at}", at_us=AT_US) for at in range(times)]
    offer(campaign.pk, *new)
    move()


def settle(campaign: Campaign, at: dt.datetime = SETTLED) -> None:
    assert freeze_results(at=at) == 1
    move()
    campaign.refresh_from_db()


def offered(campaign: Campaign, key: str = "record", state: State | None = None) -> list[str]:
    """Whom offers were made to, in order."""
    found = Offer.objects.filter(campaign_id=campaign.pk, prize=key).order_by("number")
    return [each.fan.name if each.fan else "" for each in found if state in (None, each.state)]


def the(campaign: Campaign, name: str, key: str = "record") -> Offer:
    return Offer.objects.get(campaign_id=campaign.pk, prize=key, fan__name=name)


ADULT = Claim(details={}, is_adult=True)


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


def test_what_a_claim_tells_is_sealed_read_by_who_sends_it_and_erased() -> None:
    campaign = open_with(prize(needs="address"))
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    offer_due(at=SETTLED)
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
    campaign = open_with(prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    offer_due(at=SETTLED)
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
    campaign = open_with(prize(first=1))
    bo, cy = fans(campaign, "Bo", "Cy")
    earn(campaign, bo, 2)
    earn(campaign, cy)
    settle(campaign)
    offer_due(at=SETTLED)
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
    campaign = open_with(prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    offer_due(at=SETTLED)
    one, other = the(campaign, "Bo"), the(campaign, "Bo")
    assert move_offer(offer=one, to=State.CLAIMED, by=Who.FAN, at=SETTLED)
    assert not move_offer(offer=other, to=State.DECLINED, by=Who.FAN, at=SETTLED)
    assert not move_offer(offer=one, to=State.SENT, by=Who.FAN, at=SETTLED), "no fan sends it"


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


def test_a_fan_who_comes_back_has_the_time_that_was_left_and_not_for_ever() -> None:
    campaign = open_with(prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    offer_due(at=SETTLED)
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
    campaign = open_with(prize())
    bo, cy = fans(campaign, "Bo", "Cy")
    earn(campaign, bo)
    earn(campaign, cy)
    settle(campaign)
    offer_due(at=SETTLED)
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
    campaign = open_with(prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    offer_due(at=SETTLED)
    claim(offer=the(campaign, "Bo"), claim=Claim(details={}, is_adult=False), at=SETTLED)
    again = Claim(details={}, is_adult=True, shows_name=True)
    became, secret = claim(offer=the(campaign, "Bo"), claim=again, at=SETTLED)
    assert became is Claimed.WAITS_FOR_PARENT
    assert parent_confirms(secret=secret, at=SETTLED)
    assert not the(campaign, "Bo").shows_name


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


def test_who_erases_their_account_makes_room_and_nothing_told_can_be_read() -> None:
    campaign = open_with(prize(first=1))
    bo, cy = fans(campaign, "Bo", "Cy")
    earn(campaign, bo, 2)
    earn(campaign, cy)
    settle(campaign)
    offer_due(at=SETTLED)
    claim(offer=the(campaign, "Bo"), claim=Claim(details={"name": "Bo"}, is_adult=True), at=SETTLED)
    erase_account(person=bo.person)
    offer_due(at=SETTLED)
    assert offered(campaign, state=State.OFFERED) == ["Cy"]
    gone = Offer.objects.get(number=1)
    assert (gone.fan, gone.state, details_of(gone)) == (None, State.WITHDRAWN, {})


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
