"""Announces read and answered, and whom a client is told of: the fan's own computers, friends, never each other."""

import pytest
from fastbencode import bdecode
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.clients import content_of, torrent_of
from vteam.channels.swarm.torrents import tracker
from vteam.channels.swarm.torrents.announce import (
    COUNTER_MAX,
    Announce,
    Event,
    Failure,
    Role,
    announce_in,
    answered,
    compact,
    plain_address,
    refused,
)
from vteam.channels.swarm.torrents.tracker import Swarms, Told

TORRENT = torrent_of(content_of(100_000))
OTHER = torrent_of(content_of(100_000), number=2, title=6)
QUERY = (
    b"info_hash=%01%02%03456789abcdefghijk&peer_id=-TR3000-abcdefghijkl&port=6881&uploaded=1&downloaded=2&left=3"
    b"&compact=1&event=started&numwant=7"
)
STAYS = 225.0


def told(number: int, **of: object) -> Announce:
    found = Announce(
        info_hash=TORRENT.info_hash, peer_id=b"-qB4520-%012d" % number, port=6000 + number, uploaded=0, downloaded=0,
        left=100, event=Event.SOME_TIME, compact=True, most=50,
    )  # fmt: skip
    return found._replace(**of)  # type: ignore[arg-type]


class Scene:
    """Swarms, and what each peer was last told."""

    def __init__(self, *, peers_max: int = 1_000) -> None:
        self.swarms = Swarms(peers_max=peers_max, stays_s=STAYS)
        self.now = 1_000.0

    def seeds(self, number: int, address: str = "81.0.0.1", **of: object) -> Told | None:
        return self.swarms.announce(
            TORRENT, Role.SEEDER, told(number, **({"left": 0} | of)), address, now=self.now
        )

    def loads(self, number: int, address: str = "81.0.1.1", **of: object) -> Told | None:
        return self.swarms.announce(TORRENT, Role.FRIEND, told(number, **of), address, now=self.now)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def places(found: Told | None) -> set[bytes]:
    assert found is not None
    return {where for _, where in found.peers}


# Whom they meet ---------------------------------------------------------------------------------------------------
def test_a_friend_is_told_of_the_fans_computers_and_of_no_other_friend(scene: Scene) -> None:
    scene.seeds(1, "81.0.0.1")
    scene.seeds(2, "2a01::1")
    scene.loads(3, "81.0.1.1")
    found = scene.loads(4, "81.0.2.1")
    assert places(found) == {compact("81.0.0.1", 6001), compact("2a01::1", 6002)}
    assert found is not None and (found.complete, found.incomplete) == (2, 2)


def test_a_fans_computer_is_told_of_friends_who_lack_something_and_of_no_other_of_the_fans(
    scene: Scene,
) -> None:
    scene.seeds(1)
    scene.loads(3, "81.0.1.1")
    scene.loads(4, "81.0.2.1", left=0)
    assert places(scene.seeds(2, "81.0.0.2")) == {compact("81.0.1.1", 6003)}


def test_a_friend_who_has_it_all_is_told_of_nobody(scene: Scene) -> None:
    scene.seeds(1)
    assert places(scene.loads(3, left=0)) == set()


def test_a_fans_computer_that_still_fetches_is_told_to_nobody(scene: Scene) -> None:
    scene.seeds(1, left=5)
    assert places(scene.loads(3)) == set()


def test_nobody_is_told_of_themselves_nor_of_another_torrent(scene: Scene) -> None:
    scene.seeds(1)
    scene.swarms.announce(OTHER, Role.SEEDER, told(9, left=0), "81.0.9.9", now=scene.now)
    scene.loads(3, "81.0.0.1", port=6001)
    assert places(scene.loads(3, "81.0.0.1", port=6001)) == set()


def test_who_stops_is_gone_at_once(scene: Scene) -> None:
    scene.seeds(1)
    assert places(scene.seeds(1, event=Event.STOPPED)) == set()
    assert places(scene.loads(3)) == set()
    scene.loads(3, event=Event.STOPPED)
    assert (scene.swarms.swarms, scene.swarms.peers) == (0, 0)


def test_who_is_silent_is_told_to_nobody_and_then_forgotten(scene: Scene) -> None:
    scene.seeds(1)
    scene.now += STAYS + 1
    assert places(scene.loads(3)) == set()
    scene.swarms.tidy(now=scene.now)
    scene.swarms.tidy(now=scene.now)
    assert (scene.swarms.swarms, scene.swarms.peers) == (1, 1)
    scene.now += STAYS + 1
    for _ in range(2):
        scene.swarms.tidy(now=scene.now)
    assert (scene.swarms.swarms, scene.swarms.peers) == (0, 0)


def test_a_key_that_changes_its_role_is_one_peer(scene: Scene) -> None:
    scene.seeds(1)
    scene.loads(1, "81.0.0.1")
    assert scene.swarms.peers == 1


def test_a_client_that_started_anew_takes_its_own_place(scene: Scene) -> None:
    for number in range(50):
        scene.seeds(number, port=7000)
    assert scene.swarms.peers == 1


def test_a_client_with_both_families_has_two_places_and_is_counted_once(scene: Scene) -> None:
    scene.seeds(1, "81.0.0.1")
    scene.seeds(1, "2a01::1")
    found = scene.loads(3)
    assert found is not None and found.complete == 1
    assert places(found) == {compact("81.0.0.1", 6001)}
    assert places(scene.loads(3, "2a01::3")) == {compact("2a01::1", 6001)}
    scene.seeds(1, "2a01::1", event=Event.STOPPED)
    assert places(scene.loads(3, "2a01::3")) == {compact("81.0.0.1", 6001)}


def test_a_stranger_who_says_a_seeders_peer_id_takes_nothing_from_it(scene: Scene) -> None:
    scene.seeds(1, "81.0.0.1")
    scene.loads(1, "81.6.6.6")
    scene.loads(1, "81.6.6.6", event=Event.STOPPED)
    assert places(scene.loads(3)) == {compact("81.0.0.1", 6001)}


def test_with_new_keys_a_swarm_begins_anew(scene: Scene) -> None:
    scene.seeds(1)
    scene.loads(3)
    renewed = TORRENT._replace(seed_key="t", friend_key="g")
    found = scene.swarms.announce(renewed, Role.FRIEND, told(4), "81.0.3.1", now=scene.now)
    assert places(found) == set()
    assert (scene.swarms.swarms, scene.swarms.peers) == (1, 1)


def test_as_many_as_wanted_are_told_and_different_ones(scene: Scene) -> None:
    for number in range(60):
        scene.seeds(number, f"81.0.{number}.1")
    found = [frozenset(places(scene.loads(99, "81.9.9.9", most=5))) for _ in range(20)]
    assert {len(each) for each in found} == {5}
    assert len(set(found)) > 1


# Bounds -----------------------------------------------------------------------------------------------------------
def test_an_address_has_so_many_places_in_a_swarm(scene: Scene) -> None:
    for number in range(tracker.ADDRESS_MAX):
        assert scene.loads(number) is not None
    assert scene.loads(99) is None
    assert scene.swarms.turned_away == 1
    scene.now += STAYS + 1
    assert scene.loads(99) is not None


def test_a_swarm_and_all_of_them_have_an_end() -> None:
    scene = Scene(peers_max=100_000)
    for number in range(tracker.SWARM_MAX):
        assert scene.loads(number, f"81.{number // 250}.{number % 250}.1") is not None
    assert scene.loads(9_999, "81.99.99.1") is None
    few = Scene(peers_max=3)
    assert [few.loads(number, f"81.0.{number}.1") is not None for number in range(5)] == [True] * 3 + [
        False
    ] * 2
    assert few.swarms.peers == 3


def test_of_very_many_swarms_a_second_tidies_a_part_and_in_turn_all() -> None:
    swarms = Swarms(peers_max=10**6, stays_s=STAYS)
    for number in range(3 * tracker.TIDIED_AT_ONCE):
        torrent = TORRENT._replace(info_hash=number.to_bytes(20, "big"))
        swarms.announce(torrent, Role.FRIEND, told(1), "81.0.0.1", now=0)
    swarms.tidy(now=1_000)
    swarms.tidy(now=1_000)
    assert swarms.swarms == 2 * tracker.TIDIED_AT_ONCE
    for _ in range(5):
        swarms.tidy(now=1_000)
    assert (swarms.swarms, swarms.peers) == (0, 0)


def test_a_withdrawn_titles_swarms_are_forgotten(scene: Scene) -> None:
    scene.seeds(1)
    scene.swarms.announce(OTHER, Role.SEEDER, told(9, left=0), "81.0.9.9", now=scene.now)
    assert scene.swarms.titles() == {5, 6}
    scene.swarms.close_titles({5})
    assert (scene.swarms.titles(), scene.swarms.peers) == ({6}, 1)


# Reading and answering --------------------------------------------------------------------------------------------
def test_an_announce_is_read() -> None:
    assert announce_in(QUERY) == Announce(
        info_hash=b"\x01\x02\x03456789abcdefghijk",
        peer_id=b"-TR3000-abcdefghijkl",
        port=6881,
        uploaded=1,
        downloaded=2,
        left=3,
        event=Event.STARTED,
        compact=True,
        most=7,
    )


@pytest.mark.parametrize(
    ("part", "wrong", "words"),
    [
        (b"info_hash=%01%02%03456789abcdefghijk", b"info_hash=short", "20 bytes"),
        (b"peer_id=-TR3000-abcdefghijkl", b"", "20 bytes"),
        (b"port=6881", b"port=0", "port"),
        (b"port=6881", b"port=65536", "port"),
        (b"port=6881", b"port=-1", "port"),
        (b"uploaded=1", b"uploaded=-1", "whole numbers"),
        (b"left=3", b"left=1e3", "whole numbers"),
        (b"downloaded=2", b"downloaded=" + b"9" * 21, "whole numbers"),
        (b"event=started", b"event=exploded", "event"),
        (b"numwant=7", b"x=" + b"y" * 5000, "too long"),
    ],
)
def test_what_cannot_be_an_announce_is_refused_in_words(part: bytes, wrong: bytes, words: str) -> None:
    found = announce_in(QUERY.replace(part, wrong))
    assert isinstance(found, Failure)
    assert words in found.reason


def test_what_clients_say_of_their_address_is_not_read() -> None:
    assert announce_in(QUERY + b"&ip=9.9.9.9&ipv4=9.9.9.9&ipv6=%5B::1%5D") == announce_in(QUERY)


def test_what_is_left_of_a_magnet_before_its_size_is_known_is_understood() -> None:
    found = announce_in(QUERY.replace(b"left=3", b"left=18446744073709551615"))
    assert isinstance(found, Announce)
    assert found.left == COUNTER_MAX


@given(st.binary(max_size=300) | st.lists(st.sampled_from(QUERY.split(b"&")), max_size=12).map(b"&".join))
def test_any_query_is_an_announce_or_a_failure(query: bytes) -> None:
    found = announce_in(query)
    assert isinstance(found, Announce) or bdecode(refused(found.reason))[b"failure reason"]


def test_both_families_are_told_compact_and_spelled_out() -> None:
    peers = [(b"p" * 20, compact("81.0.0.1", 1)), (b"", compact("2a01::1", 258))]
    short = bdecode(answered(peers, complete=1, incomplete=2, interval_s=90, to="81.0.0.9", is_compact=True))
    assert short[b"peers"] == b"\x51\0\0\x01\0\x01"
    assert short[b"peers6"] == bytes.fromhex("2a010000000000000000000000000001") + b"\x01\x02"
    assert (short[b"interval"], short[b"min interval"], short[b"external ip"]) == (90, 45, b"\x51\0\0\x09")
    spelled = bdecode(answered(peers, complete=1, incomplete=2, interval_s=90, to="::1", is_compact=False))
    assert spelled[b"peers"] == [
        {b"ip": b"81.0.0.1", b"port": 1, b"peer id": b"p" * 20},
        {b"ip": b"2a01::1", b"port": 258},
    ]


def test_a_refusal_says_when_to_come_again_or_never() -> None:
    assert bdecode(refused("no")) == {b"failure reason": b"no", b"retry in": b"never"}
    assert bdecode(refused("later", retry_minutes=5))[b"retry in"] == 5


def test_an_address_is_itself_however_it_is_written() -> None:
    assert plain_address("::ffff:81.0.0.1") == "81.0.0.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
