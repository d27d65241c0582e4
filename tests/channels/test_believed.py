"""What is seen of a torrent's downloads, and what is missing of it: every way to count."""

import json

import pytest

from tests.channels.scenes import (
    FRIEND,
    HOME,
    LOADING,
    OTHER,
    PIECE,
    PIECES,
    SEEDING,
    SIZE,
    TORRENT,
    Scene,
)
from vteam.channels.swarm.torrents.announce import Event, Role
from vteam.channels.swarm.torrents.places import listener_at
from vteam.rules.canonical import digest
from vteam.rules.facts import Doubt, Kind


def test_a_download_that_was_seen_and_fits_what_both_ends_say_has_no_doubt(scene: Scene) -> None:
    scene.downloads()
    scene.later(5)
    assert scene.facts == []
    scene.seeds(uploaded=SIZE)
    scene.later(2)
    assert scene.doubt() is None
    (fact,) = scene.facts
    assert (fact["fan"], fact["title"], fact["evidence"], fact["same_person"]) == (7, 11, "witnessed", False)
    assert fact["listener"] == listener_at(FRIEND, TORRENT.network_key)
    assert fact["proof"] == digest(scene.evidence[0])
    seen = json.loads(scene.evidence[0])
    assert seen["listener_says"] == {"downloaded": SIZE, "left": 0, "uploaded": 0}
    assert seen["seeders"] == [{"client": "Transmission 3.00", "uploaded": SIZE}]
    assert len(seen["asked"]) == 5
    assert seen["curve"][0][1] == 0 and seen["curve"][-1][1] == PIECES
    assert seen["client"] == "qBittorrent/4.5.2"


def test_nothing_that_is_kept_has_an_address_in_it(scene: Scene) -> None:
    scene.downloads()
    scene.downloads(OTHER, peer=b"-LT2110-cccccccccccc")
    scene.later(300)
    assert len(scene.facts) == 2
    for _, _, key, _, body in scene.rows:
        assert not any(address in key + body for address in (HOME, FRIEND, OTHER, "2a02:"))


def test_the_evidence_comes_before_the_fact_and_how_it_stands_after_both(scene: Scene) -> None:
    scene.downloads()
    scene.later(300)
    kinds = [kind for _, kind, *_ in scene.rows]
    at = kinds.index(Kind.COPY_SERVED)
    assert kinds[at - 1 : at + 2] == ["Evidence", Kind.COPY_SERVED, "Watched"]


def test_a_client_that_leaves_the_moment_it_is_done_counts_by_its_last_word(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    scene.grows(meeting, stop=PIECES - 3)
    meeting.left(scene.at)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() is None


@pytest.mark.parametrize(("tells", "doubt"), [(True, None), (False, Doubt.SUDDEN)])
def test_a_client_that_tells_of_its_pieces_after_its_last_word_is_waited_for(
    scene: Scene, tells: bool, doubt: Doubt | None
) -> None:
    """Transmission tells of many pieces at once, every ten seconds, and the tracker of its end at that moment."""
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    scene.grows(meeting, stop=1)
    scene.later(1)
    meeting.answered(0, True, scene.at)
    scene.later(5)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(1)
    scene.seeds(SIZE)
    scene.later(8)
    if tells:
        meeting.has(PIECES, scene.at)
    scene.later(300)
    assert scene.doubt() == doubt


def test_a_seeder_that_tells_nothing_more_is_waited_for_and_not_blamed(scene: Scene) -> None:
    scene.downloads()
    scene.later(104)
    assert scene.facts == []
    scene.later(2)
    assert scene.doubt() is None


def test_two_at_once_are_two_and_share_what_the_fan_sent(scene: Scene) -> None:
    for address, peer in ((FRIEND, LOADING), (OTHER, b"-LT2110-cccccccccccc")):
        scene.downloads(address, peer=peer)
    scene.seeds(uploaded=2 * SIZE)
    scene.later(2)
    assert [fact.get("doubt") for fact in scene.facts] == [None, None]


def test_of_two_downloads_with_one_in_the_counters_the_second_is_looked_at(scene: Scene) -> None:
    for address, peer in ((FRIEND, LOADING), (OTHER, b"-LT2110-cccccccccccc")):
        scene.downloads(address, peer=peer)
    scene.seeds(uploaded=SIZE)
    scene.later(2)
    assert [fact.get("doubt") for fact in scene.facts] == [None, "counters"]


def test_many_peers_at_one_address_are_one_listener(scene: Scene) -> None:
    for number in range(5):
        scene.downloads(peer=b"-qB4520-%012d" % number)
    for number in range(5):
        scene.downloads(f"2a02:c7c:1:2::{number}", peer=b"-LT2110-%012d" % number)
    scene.later(300)
    assert len(scene.facts) == 2


def test_the_same_listener_later_the_same_day_is_no_second_fact(scene: Scene) -> None:
    scene.downloads()
    scene.later(3600)
    scene.seeds(uploaded=SIZE)
    scene.downloads()
    scene.later(300)
    assert len(scene.facts) == 1


def test_a_client_that_comes_over_both_families_is_one_listener(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.says(Role.FRIEND, OTHER, event=Event.STARTED)
    four, six = scene.meets(FRIEND), scene.meets(OTHER)
    for have in range(PIECES + 1):
        for meeting in (four, six):
            meeting.has(have, scene.at)
            if meeting.wants(scene.at):
                meeting.answered(max(have - 1, 0), True, scene.at)
        scene.later(0.5)
    for address in (FRIEND, OTHER):
        scene.says(Role.FRIEND, address, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.later(300)
    assert scene.doubt() is None


def test_a_seeder_over_both_families_is_one_and_its_counters_count_once() -> None:
    scene = Scene()
    six = "2a02:c7c:9:9::1"
    for address in (HOME, six):
        scene.seeds(address=address, event=Event.STARTED)
    scene.downloads()
    for address in (HOME, six):
        scene.seeds(uploaded=SIZE // 2, address=address)
    scene.later(2)
    assert scene.doubt() == Doubt.COUNTERS
    assert len(scene.book._watched[TORRENT.info_hash].seeders) == 1
    scene.downloads("2a02:c7c:9:9::77", peer=b"-LT2110-dddddddddddd")
    scene.later(300)
    assert scene.facts[-1]["same_person"] is True


def test_where_the_fans_own_computer_is_it_is_the_same_person(scene: Scene) -> None:
    scene.downloads(HOME, peer=b"-LT2110-cccccccccccc")
    scene.later(300)
    assert [fact["same_person"] for fact in scene.facts] == [True]


def test_the_fans_computer_is_known_across_their_titles(scene: Scene) -> None:
    other = TORRENT._replace(id=6, info_hash=bytes(20), title=12)
    scene.says(Role.SEEDER, FRIEND, peer=SEEDING, torrent=other, left=0)
    scene.downloads()
    scene.later(300)
    assert [fact["same_person"] for fact in scene.facts] == [True]


def test_a_seeder_may_leave_and_come_back(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    meeting = scene.meets()
    scene.grows(meeting, stop=20)
    scene.seeds(uploaded=20 * PIECE, event=Event.STOPPED)
    scene.later(120)
    scene.seeds(event=Event.STARTED)
    scene.grows(meeting, start=20)
    scene.says(Role.FRIEND, FRIEND, left=0, downloaded=SIZE, event=Event.COMPLETED)
    scene.seeds(uploaded=20 * PIECE)
    scene.later(2)
    assert scene.doubt() is None
