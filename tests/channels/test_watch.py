"""What is watched around torrents: what it is kept as, how it goes on, who is expected, and where it ends."""

import json

import pytest

from tests.channels.scenes import (
    AT,
    FRIEND,
    HOME,
    LOADING,
    OTHER,
    PIECES,
    SECOND,
    SEEDING,
    SIZE,
    TORRENT,
    Scene,
)
from vteam.channels.swarm.torrents import watched
from vteam.channels.swarm.torrents.announce import Event, Role
from vteam.channels.swarm.torrents.watched import Reach
from vteam.rules.facts import Doubt


def test_a_restart_midway_means_a_person_looks_at_it_and_not_nothing(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.grows(scene.meets(), stop=20)
    scene.later(11)
    kept = scene.kept

    after = Scene()
    after.at = scene.at + 20 * SECOND
    after.book.restore(TORRENT, kept, after.at)
    after.seeds()
    after.says(Role.FRIEND, FRIEND, left=SIZE // 2, downloaded=SIZE // 2)
    after.grows(after.meets(), start=20)
    after.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    after.later(300)
    assert after.doubt() == Doubt.GAP


def test_what_was_whole_before_a_restart_has_no_gap_and_what_was_judged_is_not_judged_again(
    scene: Scene,
) -> None:
    scene.downloads()
    scene.later(11)
    whole = scene.kept
    after = Scene()
    after.at = scene.at
    after.book.restore(TORRENT, whole, after.at)
    after.later(300)
    assert after.doubt() is None

    judged = after.kept
    third = Scene()
    third.at = after.at
    third.book.restore(TORRENT, judged, third.at)
    third.later(300)
    assert third.facts == []


def test_after_a_restart_a_client_of_both_families_is_still_one(scene: Scene) -> None:
    for address in (FRIEND, OTHER):
        scene.says(Role.FRIEND, address, event=Event.STARTED)
    scene.grows(scene.meets(), stop=20)
    scene.later(11)
    kept = scene.kept
    after = Scene()
    after.at = scene.at + 20 * SECOND
    after.book.restore(TORRENT, kept, after.at)
    after.seeds()
    after.says(Role.FRIEND, OTHER, left=SIZE // 2, downloaded=SIZE // 2)
    after.grows(after.meets(OTHER), start=20)
    for address in (OTHER, FRIEND):
        after.says(Role.FRIEND, address, left=0, downloaded=SIZE, event=Event.COMPLETED)
    after.later(300)
    assert after.doubt() == Doubt.GAP


def test_what_one_family_says_later_than_the_other_is_no_going_backwards(scene: Scene) -> None:
    scene.seeds(uploaded=SIZE, address=HOME)
    scene.seeds(uploaded=SIZE - 1000, address="2a02:c7c:9:9::1")
    scene.seeds(uploaded=SIZE + 1, address=HOME)
    assert not scene.watched.seeder_fell(AT)
    scene.seeds(uploaded=SIZE - 1, address=HOME)
    assert scene.watched.seeder_fell(AT)


@pytest.mark.parametrize(
    "content", [{}, {"downloads": [{"listener": "x"}], "own": [], "sent": 0, "claimed": 0}]
)
def test_what_was_kept_and_cannot_be_read_begins_anew(
    scene: Scene, content: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    scene.book.restore(TORRENT, content, scene.at)
    assert "begins anew" in caplog.text


def test_a_friend_with_the_fans_own_file_is_noticed(scene: Scene) -> None:
    scene.says(Role.SEEDER, FRIEND, left=SIZE, event=Event.STARTED)
    scene.later(11)
    kept = scene.kept
    assert kept["mistake_us"] == AT
    assert len(kept["seeders"]) == 1


def test_the_fans_own_client_that_fetches_its_copy_is_no_mistake() -> None:
    scene = Scene()
    scene.says(Role.SEEDER, HOME, left=SIZE, event=Event.STARTED)
    scene.says(Role.SEEDER, HOME, left=0, event=Event.COMPLETED)
    scene.later(11)
    assert scene.kept["mistake_us"] == 0


def test_how_the_fans_computer_is_reached_is_shown(scene: Scene) -> None:
    scene.book.reached(TORRENT, HOME, Reach.CLOSED, scene.at)
    scene.later(11)
    assert scene.kept["seeders"][0]["reach"] == "closed"


def test_strangers_are_not_expected(scene: Scene) -> None:
    assert not scene.book.expects(TORRENT, "81.9.9.9", b"-qB4520-zzzzzzzzzzzz")
    assert not scene.book.expects(TORRENT._replace(info_hash=bytes(20)), HOME, SEEDING)
    scene.later(760)
    assert not scene.book.expects(TORRENT, HOME, SEEDING)


def test_who_says_the_same_again_and_again_stays(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    for _ in range(30):
        scene.later(300)
        scene.seeds()
        scene.says(Role.FRIEND, FRIEND)
    assert scene.book.expects(TORRENT, HOME, SEEDING)
    assert scene.book.expects(TORRENT, FRIEND, LOADING)
    assert scene.watched.seeder_is_here(scene.at)
    assert scene.watched.seeder_told_us == scene.at
    assert next(iter(scene.watched.downloads.values())).last_us == scene.at
    kept = [row for row in scene.rows if row[1] == "Watched"]
    assert 25 < len(kept) < 40
    scene.downloads()
    scene.seeds(uploaded=SIZE)
    scene.later(2)
    assert scene.doubt() is None


def test_a_friend_who_says_the_seeders_peer_id_does_not_become_it(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, peer=SEEDING)
    assert scene.watched.role_of(HOME, SEEDING) is Role.SEEDER
    scene.seeds()
    assert scene.book.should_dial(TORRENT, HOME, scene.at)


def test_a_withdrawn_title_is_forgotten_at_once(scene: Scene) -> None:
    meeting = scene.downloads()
    scene.book.close_titles({11})
    assert scene.book.active(TORRENT.info_hash) is None
    meeting.has(PIECES, scene.at)
    meeting.left(scene.at)
    scene.later(300)
    assert scene.facts == []


def test_what_is_idle_costs_nothing(scene: Scene) -> None:
    scene.downloads().left(scene.at)
    scene.later(3)
    assert scene.book.torrents == 1
    for _ in range(26 * 4):
        scene.at += 15 * 60 * SECOND
        scene.book.turn(scene.at)
    assert scene.book.torrents == 0
    assert len(scene.book._homes) == 0


def test_listeners_seeders_and_names_are_bounded(scene: Scene) -> None:
    for number in range(1000):
        address = f"2a02:c7c:{number:x}::1"
        scene.says(Role.FRIEND, address, peer=b"-LT2110-%012d" % number, event=Event.STARTED)
        scene.says(Role.SEEDER, f"2a03:c7c:{number:x}::1", peer=b"-TR3000-%012d" % number, left=0)
    assert len(scene.watched.downloads) == watched.LISTENERS_MAX
    assert len(scene.watched.seeders) == watched.SEEDERS_MAX
    assert len(scene.watched.known) == watched.KNOWN_MAX
    scene.later(120)
    assert len(scene.rows[-1][-1]) < 200_000


def test_a_crowd_that_only_announces_shuts_nobody_out(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    scene.grows(meeting, stop=20)
    for number in range(1000):
        address = f"2a02:c7c:{number:x}::1"
        scene.says(Role.FRIEND, address, peer=b"-LT2110-%012d" % number, event=Event.STARTED)
    assert scene.book.expects(TORRENT, HOME, SEEDING)
    assert scene.book.expects(TORRENT, FRIEND, LOADING)
    scene.grows(meeting, start=20)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.downloads(OTHER, peer=b"-LT2110-late00000000")
    scene.seeds(uploaded=2 * SIZE)
    scene.later(2)
    assert [fact.get("doubt") for fact in scene.facts] == [None, None]


def test_where_everybody_was_met_there_is_an_end(scene: Scene) -> None:
    for number in range(watched.LISTENERS_MAX + 5):
        peer = b"-LT2110-%012d" % number
        scene.says(Role.FRIEND, f"2a02:c7c:{number:x}::1", peer=peer, event=Event.STARTED)
        scene.meets(f"2a02:c7c:{number:x}::1", peer)
    assert len(scene.watched.downloads) == watched.LISTENERS_MAX
    assert scene.book.turned_away == 10  # at the announce, and when they met


def test_with_new_keys_nobody_who_came_by_the_old_ones_is_expected_and_meetings_are_over(
    scene: Scene,
) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    scene.grows(meeting, stop=20)
    assert not meeting.is_over
    scene.says(
        Role.SEEDER, HOME, peer=SEEDING, torrent=TORRENT._replace(seed_key="t", friend_key="g"), left=0
    )
    assert meeting.is_over
    assert not scene.book.expects(TORRENT, FRIEND, LOADING)
    assert scene.book.expects(TORRENT, HOME, SEEDING)
    meeting.left(scene.at)
    scene.later(400)
    assert scene.facts == []


def test_after_the_season_a_title_is_over_once_what_was_whole_is_judged() -> None:
    scene = Scene()
    torrent = TORRENT._replace(ends_us=AT + 60 * SECOND)
    scene.says(Role.SEEDER, HOME, peer=SEEDING, torrent=torrent, left=0)
    assert scene.book.titles_over(scene.at) == set()
    scene.later(60 + 3 * 105)
    assert scene.book.titles_over(scene.at) == {11}


def test_while_it_cannot_be_known_what_may_be_passed_on_nothing_is_forgotten(scene: Scene) -> None:
    scene.downloads()
    scene.says(Role.FRIEND, OTHER, peer=b"-LT2110-cccccccccccc", event=Event.STARTED)
    under_way = scene.meets(OTHER, b"-LT2110-cccccccccccc")
    scene.grows(under_way, stop=20)
    scene.book.interrupt()
    assert under_way.is_over
    under_way.left(scene.at)
    assert not scene.book.expects(TORRENT, FRIEND, LOADING)
    scene.later(30)
    scene.seeds(uploaded=2 * SIZE)
    scene.says(Role.FRIEND, OTHER, peer=b"-LT2110-cccccccccccc", left=SIZE // 2, downloaded=SIZE // 2)
    scene.grows(scene.meets(OTHER, b"-LT2110-cccccccccccc"), start=20)
    scene.says(
        Role.FRIEND, OTHER, peer=b"-LT2110-cccccccccccc", left=0, downloaded=SIZE, event=Event.COMPLETED
    )
    scene.later(300)
    assert [fact.get("doubt") for fact in scene.facts] == [None, "gap"]


def test_what_could_not_be_kept_is_kept_again(scene: Scene) -> None:
    scene.later(2)
    assert [row[1] for row in scene.rows] == ["Watched"]
    scene.later(30)
    assert len(scene.rows) == 1
    scene.downloads()
    scene.later(1)
    before = len(scene.rows)
    scene.book.not_kept(scene.at)
    scene.later(11)
    assert len(scene.rows) > before


def test_a_torrent_that_cannot_be_looked_after_hinders_no_other(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    other = TORRENT._replace(id=6, info_hash=bytes(20), title=12)
    scene.watched.doubted = [object()]  # type: ignore[list-item]  # nothing JSON can hold
    scene.says(Role.SEEDER, HOME, peer=SEEDING, torrent=other, left=0)
    scene.later(2)
    assert "could not be looked after" in caplog.text
    assert [json.loads(row[-1])["torrent"] for row in scene.rows] == [6]


def test_how_many_showed_nothing_today_outlives_a_restart(scene: Scene) -> None:
    for _ in range(watched.DOUBTED_PER_DAY):
        scene.watched.shows_nothing(scene.at)
    scene.watched.changed = True
    scene.later(11)
    after = Scene()
    after.book.restore(TORRENT, scene.kept, after.at)
    assert after.watched.shows_nothing(after.at)


def test_what_was_kept_joins_what_goes_on_already(scene: Scene) -> None:
    scene.downloads()
    scene.later(11)
    kept = scene.kept
    after = Scene()
    after.at = scene.at
    after.says(Role.FRIEND, OTHER, peer=b"-LT2110-cccccccccccc", event=Event.STARTED)
    meeting = after.meets(OTHER, b"-LT2110-cccccccccccc")
    after.book.restore(TORRENT, kept, after.at)
    after.seeds(uploaded=SIZE)
    after.grows(meeting)
    after.says(
        Role.FRIEND, OTHER, peer=b"-LT2110-cccccccccccc", left=0, downloaded=SIZE, event=Event.COMPLETED
    )
    after.later(300)
    assert [fact.get("doubt") for fact in after.facts] == [None, None]


def test_where_the_fans_computers_are_is_known_after_a_restart_for_both_families() -> None:
    scene, six = Scene(), "2a02:c7c:9:9::1"
    for address in (HOME, six):
        scene.seeds(address=address, event=Event.STARTED)
    scene.later(2)
    after = Scene()
    after.at = scene.at
    after.book.restore(TORRENT, scene.kept, after.at)
    after.says(Role.SEEDER, "81.9.9.9", peer=SEEDING, left=0)
    after.downloads("2a02:c7c:9:9::77", peer=b"-LT2110-dddddddddddd")
    after.later(300)
    assert [fact["same_person"] for fact in after.facts] == [True]
