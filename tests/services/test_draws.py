"""Draws of prizes: entries frozen before the randomness, drawn once, and a record anybody can check."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection

from tests.cast import AT, move
from tests.rules.test_beacons import ROUNDS
from tests.services.winners import SETTLED, earn, fans, offered, open_with, prize, settle
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.errors import CampaignFileError
from vteam.journal.queries import every_fact
from vteam.people.erasure import erase_account
from vteam.people.models import Fan
from vteam.prizes.draws import (
    LEAST_AHEAD,
    NotNow,
    NotTaken,
    announce,
    draws_at,
    enter_free,
    latest_draw,
    record_text,
    revealed_of,
    take_randomness,
)
from vteam.prizes.keeping import refuse_changes
from vteam.prizes.models import Draw, DrawEntry
from vteam.prizes.offers import offer_due
from vteam.rules.beacons import QUICKNET
from vteam.rules.drawrecords import Part, checked, commitment_to, from_beacon, from_commitments
from vteam.rules.facts import Kind

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)
SECRETS = {"Ana": "a1" * 32, "Bo": "b0" * 32, "Cy": "c7" * 32}
ENTRY = prize(key="soundcheck", kind="draw", first=None, how_many=2)


def stage(entry: dict[str, Any] = ENTRY, *, settled: bool = True) -> tuple[Campaign, PrizeEntry, list[Fan]]:
    campaign = open_with(entry)
    people = fans(campaign, *(f"Fan-{number}" for number in range(6)))
    for times, fan in enumerate(people[:5]):
        earn(campaign, fan, times)
    if settled:
        settle(campaign)
    return campaign, campaign.file.prizes[0], people


def announced(campaign: Campaign, its: PrizeEntry, *, at: dt.datetime = SETTLED) -> Draw:
    source = from_commitments(
        {name: commitment_to(name, secret) for name, secret in SECRETS.items()}, until=at + HOUR, at_least=2
    )
    draw = announce(campaign=campaign, prize=its, randomness=source, draws_at=at + HOUR, at=at)
    assert isinstance(draw, Draw), draw
    return draw


def record_of(draw: Draw) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(record_text(draw)))
    return found


def test_who_has_points_or_entered_without_missions_takes_part() -> None:
    campaign, its, people = stage(settled=False)
    assert enter_free(campaign=campaign, prize=its, fan=people[0], at=AT)
    assert enter_free(campaign=campaign, prize=its, fan=people[0], at=AT)
    assert not enter_free(campaign=campaign, prize=its, fan=people[5], at=campaign.file.season.ends_at)
    settle(campaign)
    draw = announced(campaign, its)
    assert set(DrawEntry.objects.filter(draw=draw).values_list("fan", "weight")) == {
        (fan.pk, 1) for fan in people[:5]
    }


def test_a_draw_weighted_by_points_gives_those_without_missions_the_average() -> None:
    campaign, its, people = stage({**ENTRY, "weighted": True}, settled=False)
    enter_free(campaign=campaign, prize=its, fan=people[5], at=AT)
    settle(campaign)
    draw = announced(campaign, its)
    found = dict(DrawEntry.objects.filter(draw=draw).values_list("fan", "weight"))
    assert found == {
        people[1].pk: 500, people[2].pk: 1000, people[3].pk: 1500, people[4].pk: 2000, people[5].pk: 1250,
    }  # fmt: skip


def test_the_record_is_checked_by_anybody_and_the_winners_are_offered_it_in_its_order() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    assert draws_at(draw) == SETTLED + HOUR
    done = take_randomness(draw=draw, came={"revealed": SECRETS}, at=SETTLED + HOUR)
    assert isinstance(done, Draw)
    found = checked(record_of(done), announced=draw.announced)
    assert found.faults == ()
    names = dict(DrawEntry.objects.filter(draw=draw).values_list("entry", "fan__name"))
    offer_due(at=SETTLED + HOUR)
    assert offered(campaign, "soundcheck") == [names[id_] for id_ in found.order[:2]]
    move()
    told = [(fact.kind, fact.body["announced"]) for fact in every_fact(connection, campaign.pk)
            if fact.kind in (Kind.DRAW_ANNOUNCED, Kind.DRAW_DONE)]  # fmt: skip
    assert told == [(Kind.DRAW_ANNOUNCED, draw.announced), (Kind.DRAW_DONE, draw.announced)]


def test_a_draw_is_not_announced_twice_nor_done_twice() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    again = {"randomness": from_beacon(QUICKNET, 1), "draws_at": SETTLED + 2 * HOUR, "at": SETTLED}
    assert announce(campaign=campaign, prize=its, **again) is NotNow.DRAWN
    take_randomness(draw=draw, came={"revealed": SECRETS}, at=SETTLED + HOUR)
    before = record_of(draw.__class__.objects.get(pk=draw.pk))
    other = {"revealed": {name: SECRETS[name] for name in ("Ana", "Bo")}}
    assert take_randomness(draw=draw, came=other, at=SETTLED + 2 * HOUR) is NotTaken.DONE
    assert announce(campaign=campaign, prize=its, **again) is NotNow.DRAWN
    assert record_of(draw.__class__.objects.get(pk=draw.pk)) == before


def test_nothing_is_drawn_before_the_result_is_final_nor_at_once_nor_among_nobody() -> None:
    campaign, its, _ = stage(settled=False)
    source = from_beacon(QUICKNET, 1)
    soon = SETTLED + LEAST_AHEAD - dt.timedelta(seconds=1)
    assert (
        announce(campaign=campaign, prize=its, randomness=source, draws_at=soon, at=SETTLED)
        is NotNow.RESULT_OPEN
    )
    settle(campaign)
    assert (
        announce(campaign=campaign, prize=its, randomness=source, draws_at=soon, at=SETTLED)
        is NotNow.TOO_SOON
    )
    Fan.objects.all().delete()
    later = SETTLED + HOUR
    assert (
        announce(campaign=campaign, prize=its, randomness=source, draws_at=later, at=SETTLED) is NotNow.NOBODY
    )


def test_randomness_that_was_not_announced_is_not_taken() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    wrong = {"revealed": {**SECRETS, "Bo": "b1" * 32}}
    assert take_randomness(draw=draw, came=wrong, at=SETTLED + HOUR) is NotTaken.WRONG
    assert Draw.objects.get(pk=draw.pk).drawn_at is None


def test_what_is_revealed_stays_and_nobody_chooses_whose_secrets_count() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    two = {"revealed": {name: SECRETS[name] for name in ("Ana", "Bo")}}
    assert take_randomness(draw=draw, came=two, at=SETTLED) is NotTaken.WAITS
    assert set(revealed_of(Draw.objects.get(pk=draw.pk))) == {"Ana", "Bo"}
    # After the close the organiser would like it without Bo.
    only = {"revealed": {"Ana": SECRETS["Ana"]}}
    done = take_randomness(draw=draw, came=only, at=SETTLED + HOUR)
    assert isinstance(done, Draw)
    found = checked(record_of(done), announced=draw.announced)
    assert (found.faults, found.left_out) == ((), ("Cy",))


def test_it_is_drawn_as_soon_as_all_have_revealed() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    for name in ("Ana", "Bo"):
        came = {"revealed": {name: SECRETS[name]}}
        assert take_randomness(draw=draw, came=came, at=SETTLED) is NotTaken.WAITS
    assert isinstance(take_randomness(draw=draw, came={"revealed": {"Cy": SECRETS["Cy"]}}, at=SETTLED), Draw)


def test_a_draw_that_too_few_revealed_for_is_void_once_its_time_is_over_and_announced_again() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    one = {"revealed": {"Ana": SECRETS["Ana"]}}
    assert take_randomness(draw=draw, came=one, at=SETTLED) is NotTaken.WAITS
    void = take_randomness(draw=draw, came={}, at=SETTLED + HOUR)
    assert isinstance(void, Draw)
    assert void.void_at == SETTLED + HOUR
    assert [fault.wrong for fault in checked(record_of(void)).faults] == [
        "fewer than 2 revealed: there is no draw"
    ]
    second = announced(campaign, its, at=SETTLED + 2 * HOUR)
    assert (second.number, second.announced != draw.announced) == (2, True)
    take_randomness(draw=second, came={"revealed": SECRETS}, at=SETTLED + 3 * HOUR)
    assert checked(record_of(Draw.objects.get(pk=second.pk))).faults == ()
    assert latest_draw(campaign.pk, "soundcheck") == second


def test_once_announced_a_draw_keeps_how_many_it_draws() -> None:
    campaign, its, _ = stage()
    more = campaign.file.model_copy(update={"prizes": (its.model_copy(update={"how_many": 3}),)})
    refuse_changes(more)
    announced(campaign, its)
    with pytest.raises(CampaignFileError, match="keeps its how many: its draw is announced"):
        refuse_changes(more)


def test_the_entries_are_published_with_the_announcement() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    frozen = record_of(draw)
    assert len(frozen["entries"]) == 4
    assert {fault.part for fault in checked(frozen, announced=draw.announced).faults} == {Part.RANDOMNESS}


def test_a_real_round_of_a_beacon_draws() -> None:
    """The round is of 2023, so the campaign is too: only its draw is asked for here."""
    campaign, its, _ = stage()
    round_ = 657_413
    before = dt.datetime.fromtimestamp(QUICKNET.time_of(round_), dt.UTC) - HOUR
    draw = announce(
        campaign=campaign,
        prize=its,
        randomness=from_beacon(QUICKNET, round_),
        draws_at=before + HOUR,
        at=before,
    )
    assert isinstance(draw, Draw)
    assert draws_at(draw) == before + HOUR
    assert take_randomness(draw=draw, came={"signature": ROUNDS[1000][0]}, at=AT) is NotTaken.WRONG
    done = take_randomness(draw=draw, came={"signature": ROUNDS[round_][0]}, at=AT)
    assert isinstance(done, Draw)
    assert checked(record_of(done), announced=draw.announced).faults == ()


def test_who_leaves_stays_an_entry_of_nobody_and_the_record_still_holds() -> None:
    campaign, its, _ = stage()
    draw = announced(campaign, its)
    take_randomness(draw=draw, came={"revealed": SECRETS}, at=SETTLED + HOUR)
    winner = DrawEntry.objects.get(draw=draw, place=0).fan
    assert winner is not None
    erase_account(person=winner.person)
    offer_due(at=SETTLED + HOUR)
    second = DrawEntry.objects.get(draw=draw, place=1).fan
    assert second is not None
    assert offered(campaign, "soundcheck")[0] == second.name
    assert checked(record_of(Draw.objects.get(pk=draw.pk)), announced=draw.announced).faults == ()
