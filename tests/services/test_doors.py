"""The door of a concert: each ticket lets in once, whoever scans it when, with network or without."""

import datetime as dt
import secrets

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import move
from tests.services.concurrency import at_once
from tests.services.winners import EVENING, NIGHT, came, places, the, won
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.prizes import doors
from vteam.prizes.claims import decline
from vteam.prizes.doors import (
    DOORS_AT_MOST,
    SCANS_OF_A_TICKET,
    Heard,
    conflicts,
    counted,
    door_with,
    end_door,
    heard_offline,
    is_open,
    known_hashes,
    let_in,
    open_door,
    scan_code,
    scan_hash,
    take_out,
    undo,
)
from vteam.prizes.models import Door, Scan, Ticket
from vteam.prizes.tickets import give_on, told_by
from vteam.rules.prizes import State
from vteam.rules.tickets import Became

pytestmark = pytest.mark.django_db(transaction=True)
OF = {key: value for key, value in places().items() if key not in ("key", "kind")}


@pytest.fixture(autouse=True)
def _at_night() -> object:
    with time_machine.travel(NIGHT, tick=True):
        yield


def heard(at: dt.datetime = NIGHT) -> Heard:
    return Heard(scan=secrets.token_bytes(16), at=at)


def offline(let_in: bool = True, at: dt.datetime = NIGHT) -> Heard:
    return Heard(scan=secrets.token_bytes(16), at=at, offline=True, let_in=let_in)


def opened(campaign: Campaign, name: str = "Main door") -> Door:
    found = open_door(campaign=campaign, concert=EVENING, name=name, at=NIGHT)
    assert found is not None
    return found[0]


def stage(*names: str) -> tuple[Campaign, list[Ticket], Door]:
    """Each of these has won two places and claimed them; the first ticket of each, and a door."""
    campaign, _ = won(*names, **{**OF, "first": max(len(names), 1), "given_on": True})
    tickets = [came(the(campaign, name), name)[0] for name in names]
    return campaign, tickets, opened(campaign)


def code(ticket: Ticket) -> str:
    told = told_by(ticket)
    assert told is not None
    return told.code


def test_a_ticket_lets_in_once_and_the_second_time_it_says_when_and_where() -> None:
    campaign, (ticket,), door = stage("Bo")
    said = scan_code(door=door, code=code(ticket), heard=heard())
    assert (said.became, said.told and said.told.name) == (Became.IN, "Bo")
    again = scan_code(door=opened(campaign, "Back door"), code=code(ticket), heard=heard())
    assert again.became is Became.ALREADY_IN
    assert again.first is not None
    assert (again.first.door.name, again.first.at) == ("Main door", NIGHT)
    assert counted(door) == (1, 2)
    assert the(campaign, "Bo").state == State.RECEIVED
    assert sorted(is_in for _, is_in in known_hashes(door)) == [False, True]


def test_two_doors_that_scan_at_the_same_moment_let_one_in() -> None:
    campaign, tickets, door = stage("Bo", "Cy")
    other = opened(campaign, "Back door")
    for ticket in tickets:
        scans = [
            lambda at=at, ticket=ticket: let_in(door=at, ticket=ticket, heard=heard())
            for at in (door, other, door, other)
        ]
        became = sorted(said.became for said in at_once(*scans))
        assert became == [Became.ALREADY_IN] * 3 + [Became.IN]
    assert Scan.objects.filter(became=Became.IN).count() == 2
    move()
    assert the(campaign, "Bo").step == 2, "received once"


def test_the_same_scan_told_twice_is_one() -> None:
    _, (ticket,), door = stage("Bo")
    same = heard()
    assert let_in(door=door, ticket=ticket, heard=same).became is Became.IN
    assert let_in(door=door, ticket=ticket, heard=same).became is Became.IN
    assert Scan.objects.count() == 1


def test_what_is_no_good_says_why() -> None:
    campaign, (bo, cy), door = stage("Bo", "Cy")
    bos, cys = code(bo), code(cy)
    assert give_on(ticket=bo, name="Di", at=NIGHT) is not None
    assert decline(offer=the(campaign, "Cy"), at=NIGHT)
    said = [
        scan_code(door=door, code=each, heard=heard()).became for each in (bos, cys, "VT1", "https://vteam")
    ]
    assert said == [Became.GIVEN_ON, Became.TAKEN_BACK, Became.NOT_OURS, Became.NOT_OURS]
    elsewhere = Door.objects.create(
        campaign_id=campaign.pk, concert="gaby", name="x", code_hash=bytes(32), opened_at=NIGHT
    )
    assert let_in(door=elsewhere, ticket=bo, heard=heard()).became is Became.OTHER_CONCERT


def test_before_its_day_a_ticket_is_good_and_not_counted() -> None:
    campaign, (ticket,), door = stage("Bo")
    day = campaign.file.day_begins_at(EVENING)
    early = heard(day - dt.timedelta(seconds=1))
    assert let_in(door=door, ticket=ticket, heard=early).became is Became.TOO_EARLY
    assert counted(door) == (0, 2)
    assert let_in(door=door, ticket=ticket, heard=heard(day)).became is Became.IN


def test_who_was_let_in_by_a_phone_on_another_day_shows() -> None:
    campaign, (ticket,), door = stage("Bo")
    day = campaign.file.day_begins_at(EVENING)
    early = offline(at=day - dt.timedelta(hours=1))
    assert scan_hash(door=door, token_hash=bytes(ticket.token_hash), heard=early).became is Became.TOO_EARLY
    assert conflicts(campaign.pk, "nantes").get().became == Became.TOO_EARLY
    assert counted(door) == (0, 2)


def test_a_mistake_is_undone_and_the_ticket_is_good_again() -> None:
    campaign, (ticket,), door = stage("Bo")
    mine = heard()
    let_in(door=door, ticket=ticket, heard=mine)
    assert not undo(door=opened(campaign, "Back door"), scan=mine.scan, at=NIGHT), "another door's scan"
    assert undo(door=door, scan=mine.scan, at=NIGHT)
    assert not undo(door=door, scan=mine.scan, at=NIGHT)
    assert the(campaign, "Bo").state == State.CLAIMED
    later = heard()
    assert let_in(door=door, ticket=ticket, heard=later).became is Became.IN
    assert not undo(door=door, scan=later.scan, at=clock.now() + dt.timedelta(hours=2)), "too late"


def test_of_two_places_one_undone_leaves_the_other_in() -> None:
    campaign, (first,), door = stage("Bo")
    second = Ticket.objects.get(place=2)
    mine = heard()
    let_in(door=door, ticket=first, heard=mine)
    let_in(door=door, ticket=second, heard=heard())
    assert undo(door=door, scan=mine.scan, at=NIGHT)
    assert the(campaign, "Bo").state == State.RECEIVED
    assert counted(door) == (1, 2)


def test_two_phones_without_network_let_in_the_same_ticket_and_it_shows() -> None:
    campaign, (ticket,), door = stage("Bo")
    other = opened(campaign, "Back door")
    known = bytes(ticket.token_hash)
    at = NIGHT + dt.timedelta(minutes=5)
    told = offline(at=at)
    assert scan_hash(door=door, token_hash=known, heard=told).became is Became.IN
    assert scan_hash(door=other, token_hash=known, heard=offline(at=NIGHT)).became is Became.ALREADY_IN
    assert scan_hash(door=door, token_hash=known, heard=told).became is Became.IN, "told twice, it is one"
    assert scan_hash(door=other, token_hash=known, heard=offline(let_in=False)).became is Became.ALREADY_IN
    (conflict,) = conflicts(campaign.pk, "nantes")
    assert (conflict.door.name, conflict.at, conflict.became) == ("Back door", NIGHT, Became.ALREADY_IN)
    assert scan_hash(door=door, token_hash=bytes(32), heard=offline()).became is Became.NOT_OURS


def test_a_phones_clock_is_believed_within_a_day_and_never_ahead() -> None:
    for told, at in (
        (NIGHT - dt.timedelta(days=30), NIGHT - dt.timedelta(days=1)),
        (NIGHT + dt.timedelta(days=30), NIGHT),
        (NIGHT - dt.timedelta(hours=1), NIGHT - dt.timedelta(hours=1)),
    ):
        assert heard_offline(scan=bytes(16), at_us=clock.to_us(told), let_in=True, now=NIGHT).at == at


def test_a_door_opens_by_its_code_until_it_is_ended_or_the_night_is_over() -> None:
    campaign, _, _ = stage("Bo")
    found = open_door(campaign=campaign, concert=EVENING, name="Side", at=NIGHT)
    assert found is not None
    door, spelled = found
    assert door_with(f" {spelled[:4].upper()}-{spelled[4:]} ", at=NIGHT) == door
    assert door_with("", at=NIGHT) is None
    assert spelled.encode() not in bytes(door.code_hash)
    over = campaign.file.over_at(EVENING)
    assert is_open(door, at=over)
    assert not is_open(door, at=over + doors.OPEN_AFTER)
    assert open_door(campaign=campaign, concert=EVENING, name="Late", at=over + doors.OPEN_AFTER) is None
    end_door(door=door, at=NIGHT)
    assert door_with(spelled, at=NIGHT) is None


def test_there_are_so_many_doors_and_no_more() -> None:
    campaign, _, _ = stage()
    for n in range(DOORS_AT_MOST - 1):
        opened(campaign, f"{n}")
    assert open_door(campaign=campaign, concert=EVENING, name="one more", at=NIGHT) is None


def test_who_was_let_in_by_a_phone_that_had_no_answer_in_time_shows() -> None:
    """The server had said no, the phone did not hear it: the same scan told again is not the same any more."""
    campaign, (ticket,), door = stage("Bo")
    let_in(door=opened(campaign, "Back door"), ticket=ticket, heard=heard())
    late = heard()
    assert let_in(door=door, ticket=ticket, heard=late).became is Became.ALREADY_IN
    assert not conflicts(campaign.pk, "nantes").exists()
    told = Heard(scan=late.scan, at=late.at, offline=True, let_in=True)
    assert scan_hash(door=door, token_hash=bytes(ticket.token_hash), heard=told).became is Became.ALREADY_IN
    assert conflicts(campaign.pk, "nantes").get().door == door


def test_undoing_one_of_two_who_came_in_leaves_the_other_in() -> None:
    campaign, (ticket,), door = stage("Bo")
    other, mine = opened(campaign, "Back door"), heard()
    let_in(door=door, ticket=ticket, heard=mine)
    scan_hash(door=other, token_hash=bytes(ticket.token_hash), heard=offline())
    assert undo(door=door, scan=mine.scan, at=NIGHT)
    assert counted(door) == (1, 2)
    assert not conflicts(campaign.pk, "nantes").exists()
    assert let_in(door=door, ticket=ticket, heard=heard()).became is Became.ALREADY_IN


def test_a_conflict_is_undone_without_touching_who_is_in() -> None:
    campaign, (ticket,), door = stage("Bo")
    wrong = offline()
    let_in(door=opened(campaign, "Back door"), ticket=ticket, heard=heard())
    scan_hash(door=door, token_hash=bytes(ticket.token_hash), heard=wrong)
    assert undo(door=door, scan=wrong.scan, at=NIGHT)
    assert not conflicts(campaign.pk, "nantes").exists()
    assert counted(door) == (1, 2)


def test_an_organiser_says_that_nobody_is_in_after_all() -> None:
    campaign, (ticket,), door = stage("Bo")
    let_in(door=door, ticket=ticket, heard=heard())
    scan_hash(door=door, token_hash=bytes(ticket.token_hash), heard=offline())
    assert take_out(ticket=ticket, at=NIGHT)
    assert not take_out(ticket=ticket, at=NIGHT)
    assert counted(door) == (0, 2)
    assert the(campaign, "Bo").state == State.CLAIMED
    assert not conflicts(campaign.pk, "nantes").exists()


def test_a_scans_number_is_good_for_its_ticket_alone_and_not_once_it_is_undone() -> None:
    _, (bo, cy), door = stage("Bo", "Cy")
    mine = heard()
    let_in(door=door, ticket=bo, heard=mine)
    assert let_in(door=door, ticket=cy, heard=mine).became is Became.NOT_OURS
    undo(door=door, scan=mine.scan, at=NIGHT)
    assert let_in(door=door, ticket=bo, heard=mine).became is Became.NOT_OURS
    same = heard()
    both = at_once(*(lambda each=each: let_in(door=door, ticket=each, heard=same) for each in (bo, cy)))
    assert sorted(said.became for said in both) == [Became.IN, Became.NOT_OURS]


def test_what_is_told_once_a_door_is_closed_shows_and_uses_up_no_ticket() -> None:
    campaign, (ticket,), door = stage("Bo")
    end_door(door=door, at=NIGHT)
    told = scan_hash(door=door, token_hash=bytes(ticket.token_hash), heard=offline())
    assert told.became is Became.TOLD_LATE
    assert counted(door) == (0, 2)
    assert conflicts(campaign.pk, "nantes").get().became == Became.TOLD_LATE
    mine, other = heard(), opened(campaign, "Back door")
    assert let_in(door=other, ticket=ticket, heard=mine).became is Became.IN
    assert undo(door=other, scan=mine.scan, at=NIGHT)
    assert counted(door) == (0, 2), "what was told late does not take its place"


def test_one_ticket_scanned_again_and_again_makes_no_end_of_rows() -> None:
    _, (ticket,), door = stage("Bo")
    for _ in range(SCANS_OF_A_TICKET + 5):
        scan_hash(door=door, token_hash=bytes(ticket.token_hash), heard=offline())
    assert Scan.objects.count() == SCANS_OF_A_TICKET
    assert let_in(door=door, ticket=ticket, heard=heard()).became is Became.ALREADY_IN
    assert take_out(ticket=ticket, at=NIGHT)
    mine = heard()
    assert let_in(door=door, ticket=ticket, heard=mine).became is Became.IN, (
        "who is let in is noted in any case"
    )
    assert counted(door) == (1, 2)
    assert let_in(door=door, ticket=ticket, heard=heard()).became is Became.ALREADY_IN
    assert not undo(door=door, scan=mine.scan, at=NIGHT), "nor are its mistakes undone for ever"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_in_whatever_order_phones_tell_what_they_did_each_ticket_counts_once(data: st.DataObject) -> None:
    """Scans with and without network, repeated, in any order: as many are in as tickets were shown."""
    Campaign.objects.all().delete()  # the one of the example before
    campaign, tickets, door = stage("Bo", "Cy", "Di")
    at_doors = [door, opened(campaign, "Back door")]
    shown = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.booleans()), max_size=8))
    told = [
        (at_doors[where], bytes(tickets[which].token_hash), offline() if without else heard())
        for which, where, without in shown
    ]
    order = data.draw(st.permutations([*told, *told]))
    for where, known, what in order:
        scan_hash(door=where, token_hash=known, heard=what)
    each = {which for which, _, _ in shown}
    assert counted(door)[0] == len(each)
    assert Scan.objects.filter(door__campaign_id=campaign.pk, became=Became.IN).count() == len(each)
    wrong = [what for _, _, what in told if what.offline]
    assert conflicts(campaign.pk, "nantes").count() <= len(wrong)
    assert Scan.objects.filter(door__campaign_id=campaign.pk).count() == len(told)
