"""Every way to pretend a download, or to spoil one, and what becomes of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.scenes import (
    FRIEND,
    HOME,
    OTHER,
    PIECES,
    SIZE,
    Scene,
)
from vteam.channels.swarm.torrents import watched
from vteam.channels.swarm.torrents.announce import COUNTER_MAX, Event, Role
from vteam.rules.facts import Doubt, Kind
from vteam.rules.shapes import problem_with


def test_whoever_only_announces_has_shown_nothing(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.later(30)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() == Doubt.UNSEEN


def test_all_pieces_at_once_and_none_to_show_is_nothing(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.grows(scene.meets(), start=PIECES, right=None)
    scene.later(300)
    assert scene.doubt() == Doubt.UNSEEN


def test_a_wrong_piece_spoils_it(scene: Scene) -> None:
    scene.downloads(right=False)
    scene.later(300)
    assert scene.doubt() == Doubt.SPOILED


def test_from_nothing_to_all_in_one_moment_is_looked_at(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    meeting.has(0, scene.at)
    meeting.has(PIECES, scene.at + 1000)
    for _ in range(5):
        assert meeting.wants(scene.at)
        meeting.answered(3, True, scene.at)
    scene.later(300)
    assert scene.doubt() == Doubt.SUDDEN


@pytest.mark.parametrize(("after_s", "have", "doubt"), [(2, 30, None), (2, 35, "sudden"), (20, 9, "sudden")])
def test_how_much_may_be_there_at_the_first_look(
    scene: Scene, after_s: int, have: int, doubt: str | None
) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.later(after_s)
    scene.grows(scene.meets(), start=have)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() == doubt


def test_pieces_that_come_while_the_fans_computer_is_away_are_not_from_there() -> None:
    scene = Scene()
    scene.downloads()
    scene.later(300)
    assert scene.doubt() == Doubt.SUDDEN


def test_who_leaves_before_a_piece_could_be_asked_for_is_looked_at(scene: Scene) -> None:
    scene.downloads(right=None).left(scene.at)
    scene.later(300)
    assert scene.doubt() == Doubt.UNCHECKED


@pytest.mark.parametrize(
    "last",
    [
        {"downloaded": SIZE // 4},  # less than was seen to come
        {"downloaded": 4 * SIZE},  # more than there is
    ],
)
def test_a_listener_whose_counters_do_not_fit_is_looked_at(scene: Scene, last: dict[str, int]) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.grows(scene.meets())
    scene.says(Role.FRIEND, FRIEND, left=0, event=Event.COMPLETED, **last)
    scene.later(300)
    assert scene.doubt() == Doubt.COUNTERS


def test_counters_that_go_backwards_are_looked_at(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.says(Role.FRIEND, FRIEND, downloaded=SIZE // 2, left=SIZE // 2)
    scene.grows(scene.meets(), stop=20)
    scene.says(Role.FRIEND, FRIEND, downloaded=SIZE // 4, left=SIZE // 2)
    scene.grows(scene.meets(), start=20)
    scene.says(Role.FRIEND, FRIEND, downloaded=SIZE, left=0, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() == Doubt.COUNTERS


def test_a_seeder_that_sent_less_than_was_seen_to_come_is_looked_at(scene: Scene) -> None:
    scene.downloads()
    scene.seeds(uploaded=SIZE // 4)
    scene.later(2)
    assert scene.doubt() == Doubt.COUNTERS


def test_who_has_it_already_and_claims_nothing_is_no_download(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, left=0, event=Event.STARTED)
    scene.grows(scene.meets(), start=PIECES)
    scene.later(300)
    assert scene.facts == []


def test_crowds_who_show_nothing_fill_no_journal(scene: Scene) -> None:
    for number in range(60):
        address = f"81.3.{number}.1"
        scene.says(Role.FRIEND, address, peer=b"-LT2110-%012d" % number, event=Event.STARTED)
        scene.says(Role.FRIEND, address, peer=b"-LT2110-%012d" % number, left=0, event=Event.COMPLETED)
    scene.later(300)
    assert len(scene.facts) == watched.DOUBTED_PER_DAY
    kept = [json.loads(body) for _, kind, _, _, body in scene.rows if kind == "Watched"]
    assert kept[-1]["unkept"] == 60 - watched.DOUBTED_PER_DAY


def test_one_piece_shown_again_and_again_is_one_piece(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    for have in range(PIECES + 1):
        meeting.has(have, scene.at)
        if meeting.wants(scene.at):
            meeting.answered(3, True, scene.at)
        scene.later(0.5)
    (download,) = scene.watched.downloads.values()
    assert download.right == 1
    assert len(download.asked) > 5


def test_who_withholds_as_many_pieces_as_it_shows_is_looked_at(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting, asked = scene.meets(), 0
    for have in range(PIECES + 1):
        meeting.has(have, scene.at)
        if meeting.wants(scene.at):
            asked += 1
            meeting.answered(3, True, scene.at) if asked == 2 else meeting.unanswered(scene.at)
        scene.later(0.5)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() == Doubt.UNCHECKED


def test_who_leaves_instead_of_showing_a_piece_withheld_it(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    scene.grows(meeting, stop=7)
    meeting.has(8, scene.at)
    assert meeting.wants(scene.at)
    meeting.left(scene.at)
    (download,) = scene.watched.downloads.values()
    assert download.withheld == 1


def test_two_computers_of_a_fans_at_home_are_counted_each_for_itself(scene: Scene) -> None:
    nas = b"-LT2110-nas000000000"
    scene.says(Role.SEEDER, HOME, peer=nas, left=0, event=Event.STARTED)
    for uploaded in (10**8, 2 * 10**8):
        scene.seeds(uploaded=uploaded)
        scene.says(Role.SEEDER, HOME, peer=nas, left=0, uploaded=0)
    assert scene.watched.sent == 2 * 10**8
    scene.downloads()
    scene.says(Role.SEEDER, HOME, peer=nas, left=0, uploaded=SIZE)
    scene.later(2)
    assert scene.doubt() is None


def test_two_friends_behind_one_address_do_not_spoil_each_others_counters(scene: Scene) -> None:
    neighbour = b"-LT2110-neighbour000"
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.says(Role.FRIEND, FRIEND, peer=neighbour, event=Event.STARTED)
    scene.says(Role.FRIEND, FRIEND, left=SIZE // 2, downloaded=SIZE // 2)
    scene.says(Role.FRIEND, FRIEND, peer=neighbour, downloaded=10)
    scene.grows(scene.meets())
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() is None


def test_counters_that_fell_before_a_download_began_are_none_of_its_business(scene: Scene) -> None:
    scene.seeds(uploaded=1000)
    scene.seeds(uploaded=10)
    scene.later(5)
    scene.downloads()
    scene.later(300)
    assert scene.doubt() is None


def test_a_download_nobody_believes_takes_nothing_of_what_the_fan_sent(scene: Scene) -> None:
    scene.says(Role.FRIEND, OTHER, peer=b"-LT2110-liar00000000", event=Event.STARTED)
    scene.grows(scene.meets(OTHER, b"-LT2110-liar00000000"), right=False)
    scene.says(
        Role.FRIEND, OTHER, peer=b"-LT2110-liar00000000", left=0, downloaded=SIZE, event=Event.COMPLETED
    )
    scene.downloads()
    scene.seeds(uploaded=SIZE)
    scene.later(300)
    assert sorted(str(fact.get("doubt")) for fact in scene.facts) == ["None", "spoiled"]


def test_a_counter_beyond_all_bounds_stays_within_them(scene: Scene) -> None:
    for number in range(40):
        scene.seeds(event=Event.STARTED)
        scene.seeds(uploaded=COUNTER_MAX - number)
    assert scene.watched.sent <= COUNTER_MAX
    scene.later(11)
    assert [kind for _, kind, *_ in scene.rows][-1] == "Watched"


def test_crowds_who_grow_and_show_no_piece_fill_no_journal_either(scene: Scene) -> None:
    for number in range(30):
        address, peer = f"81.3.{number}.1", b"-LT2110-%012d" % number
        scene.says(Role.FRIEND, address, peer=peer, event=Event.STARTED)
        meeting = scene.meets(address, peer)
        for have in (0, 10, 20, 30, PIECES):
            meeting.has(have, scene.at)
            scene.later(1)
        meeting.left(scene.at)
        scene.says(Role.FRIEND, address, peer=peer, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert len(scene.facts) == watched.DOUBTED_PER_DAY


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("says"),
            st.sampled_from(list(Role)),
            st.sampled_from(list(Event)),
            st.integers(0, 3 * SIZE),
        ),
        st.tuples(st.just("has"), st.integers(0, PIECES + 5)),
        st.tuples(st.just("answers"), st.sampled_from([True, False, None])),
        st.tuples(st.just("waits"), st.integers(1, 200)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happens_there_is_at_most_one_fact_and_points_only_for_what_was_seen(
    steps: list[tuple],
) -> None:  # type: ignore[type-arg]
    scene = Scene()
    scene.seeds(event=Event.STARTED)
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting, right = scene.meets(), 0
    for what, *of in steps:
        if what == "says":
            role, event, number = of
            scene.says(role, FRIEND, event=event, downloaded=number, left=max(SIZE - number, 0))
        elif what == "has":
            meeting.has(of[0], scene.at)
        elif what == "answers" and meeting.wants(scene.at):
            right += of[0] is True
            meeting.unanswered(scene.at) if of[0] is None else meeting.answered(1, of[0], scene.at)
        elif what == "waits":
            scene.later(of[0])
    scene.later(400)
    assert len(scene.facts) <= 1
    for fact in scene.facts:
        assert problem_with(Kind.COPY_SERVED, fact) is None
        assert fact.get("doubt") or right
