"""Who supplies a prize confirms it themselves: to which words, for how long, and what their no is worth."""

import datetime as dt
import json
from typing import Any

import pytest

from tests.cast import AT
from tests.services.concurrency import at_once
from tests.services.winners import DAY, SETTLED, earn, fans, give, offered, open_with, prize, settle
from vteam.campaigns.models import Campaign
from vteam.prizes import suppliers
from vteam.prizes.models import Offer, SupplierLink, SupplierWord
from vteam.prizes.offers import offer_due, take_first
from vteam.prizes.suppliers import (
    GOOD_FOR,
    Heard,
    Said,
    asked,
    asked_text,
    confirmation_of,
    confirmations,
    is_confirmed,
    make_link,
    speak,
)
from vteam.rules.canonical import digest

pytestmark = pytest.mark.django_db(transaction=True)
UNSURE = prize(confirmed=False)


def link_to(campaign: Campaign, *, at: dt.datetime = AT) -> str:
    return make_link(campaign=campaign, prize=campaign.file.prizes[0], at=at)


def say(campaign: Campaign, secret: str, said: Said, *, at: dt.datetime = AT, name: str = "La Cale") -> Heard:
    seen = digest(asked_text(campaign, campaign.file.prizes[0]))
    return speak(secret=secret, said=said, seen=seen, name=name, at=at)


def sure(campaign: Campaign) -> bool:
    its = campaign.file.prizes[0]
    found = is_confirmed(campaign, its)
    assert confirmations(campaign.pk, campaign.file)[its.key] == confirmation_of(campaign, its)
    return found


def test_a_suppliers_yes_makes_a_prize_sure_and_it_is_offered() -> None:
    campaign = open_with(UNSURE)
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    secret = link_to(campaign, at=SETTLED)
    assert offer_due(at=SETTLED) == 0
    assert say(campaign, secret, Said.YES, at=SETTLED) is Heard.KEPT
    assert sure(campaign)
    found = confirmation_of(campaign, campaign.file.prizes[0])
    assert (found.by_supplier, found.name, found.at) == (True, "La Cale", SETTLED)
    assert offer_due(at=SETTLED) == 1
    assert offered(campaign) == ["Bo"]


def test_what_they_confirmed_is_kept_with_its_hash() -> None:
    campaign = open_with(UNSURE)
    say(campaign, link_to(campaign), Said.YES)
    word = SupplierWord.objects.get()
    assert word.sha256 == digest(word.text)
    told = json.loads(word.text)
    assert told["promise"]["name"] == {"en": "A record", "fr": "A record"}
    assert (told["promise"]["how_many"], told["promise"]["supplied_by"]) == (2, "Petit Large")
    assert told["campaign"]["season"]["ends"] == "2027-01-10"


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Two records"},
        {"explanation": "On cassette."},
        {"first": 3},
        {"value": "about 30 €"},
        {"supplied_by": "La Cale"},
    ],
)
def test_a_yes_is_good_for_the_words_it_was_said_to(other: dict[str, Any]) -> None:
    campaign = open_with(UNSURE)
    secret = link_to(campaign)
    say(campaign, secret, Said.YES)
    give(campaign, {**UNSURE, **other})
    assert not sure(campaign)
    assert confirmation_of(campaign, campaign.file.prizes[0]).lapsed
    assert say(campaign, secret, Said.YES) is Heard.KEPT, "they are asked again by the same link"
    assert sure(campaign)


def test_what_does_not_change_the_promise_leaves_the_yes_good() -> None:
    campaign = open_with(UNSURE)
    say(campaign, link_to(campaign), Said.YES)
    give(campaign, {**UNSURE, "claim_days": 20, "confirmed": True}, prize(key="another"))
    assert confirmation_of(campaign, campaign.file.prizes[0]).by_supplier
    assert not confirmation_of(campaign, campaign.file.prizes[1]).by_supplier


def test_a_yes_to_words_that_changed_while_they_were_read_is_not_kept() -> None:
    campaign = open_with(UNSURE)
    secret = link_to(campaign)
    seen = digest(asked_text(campaign, campaign.file.prizes[0]))
    give(campaign, {**UNSURE, "first": 200})
    assert speak(secret=secret, said=Said.YES, seen=seen, name="La Cale", at=AT) is Heard.REWORDED
    assert not sure(campaign)
    assert not SupplierWord.objects.exists()


def test_a_no_counts_for_more_than_the_file_until_they_say_yes() -> None:
    campaign = open_with(prize())
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    secret = link_to(campaign, at=SETTLED)
    assert say(campaign, secret, Said.NO, at=SETTLED) is Heard.KEPT
    assert not sure(campaign)
    assert offer_due(at=SETTLED) == 0
    assert say(campaign, secret, Said.YES, at=SETTLED) is Heard.KEPT
    assert offer_due(at=SETTLED) == 1


def test_a_no_to_an_earlier_wording_leaves_the_files_word() -> None:
    campaign = open_with(prize())
    say(campaign, link_to(campaign), Said.NO)
    give(campaign, prize(first=1))
    assert sure(campaign)


def test_a_yes_is_taken_back_until_somebody_is_offered_the_prize() -> None:
    campaign = open_with(UNSURE)
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    secret = link_to(campaign, at=SETTLED)
    for said in (Said.YES, Said.NO, Said.YES):
        assert say(campaign, secret, said, at=SETTLED) is Heard.KEPT
    assert [word.said for word in SupplierWord.objects.order_by("pk")] == ["yes", "no", "yes"]
    offer_due(at=SETTLED)
    assert say(campaign, secret, Said.NO, at=SETTLED) is Heard.OFFERED
    assert sure(campaign)


def test_a_first_no_is_heard_even_where_the_organiser_offered_it_already() -> None:
    campaign = open_with(prize())
    bo, cy, di = fans(campaign, "Bo", "Cy", "Di")
    for times, fan in enumerate((di, cy, bo), start=1):
        earn(campaign, fan, times)
    settle(campaign)
    offer_due(at=SETTLED)
    assert say(campaign, link_to(campaign, at=SETTLED), Said.NO, at=SETTLED) is Heard.KEPT
    offer_due(at=SETTLED + 20 * DAY)
    assert offered(campaign) == ["Bo", "Cy"], "it is offered to nobody else"


def test_a_link_is_good_until_it_is_replaced_or_thirty_days_are_over() -> None:
    campaign = open_with(UNSURE)
    first, second = link_to(campaign), link_to(campaign)
    assert asked(first, at=AT) is None
    assert say(campaign, first, Said.YES) is Heard.GONE
    assert asked(second, at=AT + GOOD_FOR) is None
    assert say(campaign, second, Said.YES, at=AT + GOOD_FOR - dt.timedelta(seconds=1)) is Heard.KEPT
    assert say(campaign, "nothing", Said.YES) is Heard.GONE
    give(campaign, prize(key="another"))
    assert asked(second, at=AT) is None, "the prize is not in the campaign any more"


def test_only_the_hash_of_a_secret_is_kept() -> None:
    campaign = open_with(UNSURE)
    secret = link_to(campaign)
    link = SupplierLink.objects.get()
    assert len(bytes(link.secret_hash)) == 32
    assert secret.encode() not in bytes(link.secret_hash)


def test_who_said_yes_takes_it_back_by_their_link_though_it_is_old_or_replaced() -> None:
    campaign = open_with(UNSURE)
    first = link_to(campaign)
    say(campaign, first, Said.YES)
    second = link_to(campaign)
    late = AT + 2 * GOOD_FOR
    found = asked(first, at=late)
    assert found is not None
    assert (found.may_confirm, found.may_deny) == (False, True)
    assert say(campaign, first, Said.NO, at=late) is Heard.KEPT
    assert say(campaign, first, Said.YES, at=late) is Heard.GONE, "a replaced link confirms nothing"
    assert say(campaign, second, Said.YES) is Heard.KEPT
    assert say(campaign, first, Said.NO, at=late) is Heard.GONE, "that yes is not theirs"
    assert sure(campaign)


def test_saying_the_same_again_adds_nothing_and_minds_change_so_often() -> None:
    campaign = open_with(UNSURE)
    secret = link_to(campaign)
    for _ in range(3):
        assert say(campaign, secret, Said.YES) is Heard.KEPT
    assert SupplierWord.objects.count() == 1
    heard = [say(campaign, secret, said) for _ in range(20) for said in (Said.NO, Said.YES)]
    assert SupplierWord.objects.count() == suppliers.WORDS_OF_A_LINK
    assert heard[-2:] == [Heard.KEPT, Heard.TOO_OFTEN]
    assert not sure(campaign), "a yes can always be taken back"


def test_what_comes_first_is_not_given_while_it_is_not_sure() -> None:
    entry = prize(key="sticker", kind="first-come", first=None, how_many=1)
    campaign = open_with(entry)
    (bo,) = fans(campaign, "Bo")
    its = campaign.file.prizes[0]
    say(campaign, link_to(campaign), Said.NO)
    assert take_first(campaign=campaign, prize=its, fan=bo, at=AT) is None


def test_of_offering_and_taking_back_at_once_one_is_first() -> None:
    campaign = open_with(UNSURE)
    (bo,) = fans(campaign, "Bo")
    earn(campaign, bo)
    settle(campaign)
    secret = link_to(campaign, at=SETTLED)
    say(campaign, secret, Said.YES, at=SETTLED)
    at_once(lambda: offer_due(at=SETTLED), lambda: say(campaign, secret, Said.NO, at=SETTLED))
    assert Offer.objects.exists() == sure(campaign)
