"""What is seen of a torrent's downloads, and what is missing of it: every way to count, and every way to cheat."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.torrents import watch
from vteam.channels.swarm.torrents.announce import Announce, Event, Role
from vteam.channels.swarm.torrents.metainfo import Template, Torrent, info_hash_of
from vteam.channels.swarm.torrents.programs import Program, program_of
from vteam.channels.swarm.torrents.watch import Book, Meeting, Reach, listener_at
from vteam.rules.canonical import digest
from vteam.rules.facts import Doubt, Kind
from vteam.rules.shapes import problem_with

PIECES, PIECE = 40, 65_536
SIZE = PIECES * PIECE
SECOND = 1_000_000
AT = 1_795_000_000 * SECOND
HOME, FRIEND, OTHER = "81.2.69.142", "81.2.70.7", "2a02:c7c:1:2::9"
TEMPLATE = Template(id=1, name="Song.mp3", size=SIZE, piece_bytes=PIECE, body=bytes(20 * (PIECES - 1)))
TORRENT = Torrent(
    id=5,
    info_hash=info_hash_of(TEMPLATE, bytes(20)),
    campaign=3,
    fan=7,
    title=11,
    ends_us=AT * 2,
    network_key=b"k" * 32,
    seed_key="s",
    friend_key="f",
    first=bytes(20),
    template=TEMPLATE,
)
SEEDING, LOADING = b"-TR3000-aaaaaaaaaaaa", b"-qB4520-bbbbbbbbbbbb"


class Scene:
    """A book with its clock, and what it recorded."""

    def __init__(self) -> None:
        self.rows: list[InboxRow] = []
        self.at = AT
        self.book = Book(record=self._keep, interval_us=90 * SECOND)

    def _keep(self, rows: Sequence[InboxRow]) -> None:
        self.rows += rows

    def later(self, seconds: float) -> None:
        """Time goes by, the book turning every second."""
        until = self.at + int(seconds * SECOND)
        while self.at < until:
            self.at = min(self.at + SECOND, until)
            self.book.turn(self.at)

    def says(
        self, role: Role, address: str, *, peer: bytes = LOADING, torrent: Torrent = TORRENT, **of: object
    ) -> None:
        """An announce, at this moment."""
        told = Announce(
            info_hash=torrent.info_hash, peer_id=peer, port=6881, uploaded=0, downloaded=0, left=SIZE,
            event=Event.SOME_TIME, compact=True, most=50,
        )  # fmt: skip
        self.book.announced(torrent, role, address, replace(told, **of), self.at)  # type: ignore[arg-type]

    def seeds(self, uploaded: int = 0, *, address: str = HOME, event: Event = Event.SOME_TIME) -> None:
        """The fan's client announces."""
        self.says(Role.SEEDER, address, peer=SEEDING, left=0, uploaded=uploaded, event=event)

    def meets(self, address: str = FRIEND, peer: bytes = LOADING) -> Meeting:
        """A client shakes hands with the witness."""
        assert self.book.expects(TORRENT, address, peer)
        return self.book.meet(TORRENT, address, peer, "qBittorrent/4.5.2", self.at)

    def grows(
        self, meeting: Meeting, *, start: int = 0, stop: int = PIECES, right: bool | None = True
    ) -> None:
        """A client's pieces come one after the other; asked, it gives what it has."""
        for have in range(start, stop + 1):
            meeting.has(have, self.at)
            if meeting.wants(self.at):
                if right is None:
                    meeting.unanswered(self.at)
                else:
                    meeting.answered(max(have - 1, 0), right, self.at)
            self.later(0.5)

    def downloads(
        self, address: str = FRIEND, *, peer: bytes = LOADING, right: bool | None = True
    ) -> Meeting:
        """A whole honest download, to the client's last word."""
        self.says(Role.FRIEND, address, peer=peer, event=Event.STARTED)
        meeting = self.meets(address, peer)
        self.grows(meeting, right=right)
        self.says(Role.FRIEND, address, peer=peer, left=0, downloaded=SIZE, event=Event.COMPLETED)
        return meeting

    @property
    def facts(self) -> list[dict[str, object]]:
        """The bodies of the facts recorded."""
        return [json.loads(body) for _, kind, _, _, body in self.rows if kind == Kind.COPY_SERVED]

    @property
    def evidence(self) -> list[str]:
        """The evidence rows recorded."""
        return [body for _, kind, _, _, body in self.rows if kind == "Evidence"]

    def doubt(self) -> str | None:
        """Of the one fact there is."""
        (fact,) = self.facts
        assert problem_with(Kind.COPY_SERVED, fact) is None
        return fact.get("doubt")  # type: ignore[return-value]


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A fan whose client seeds."""
    found = Scene()
    found.seeds(event=Event.STARTED)
    yield found


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
        assert not any(address in key + body for address in (HOME, FRIEND, OTHER, "2a02"))


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


# Cheats ---------------------------------------------------------------------------------------------------------
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
    assert len(scene.facts) == watch.DOUBTED_PER_DAY
    kept = [json.loads(body) for _, kind, _, _, body in scene.rows if kind == "Watched"]
    assert kept[-1]["unkept"] == 60 - watch.DOUBTED_PER_DAY


# Going on, bounds, what is shown --------------------------------------------------------------------------------
def test_a_restart_midway_means_a_person_looks_at_it_and_not_nothing(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, event=Event.STARTED)
    scene.grows(scene.meets(), stop=20)
    scene.later(11)
    kept = json.loads(next(body for _, kind, _, _, body in reversed(scene.rows) if kind == "Watched"))

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
    whole = json.loads(next(body for _, kind, _, _, body in reversed(scene.rows) if kind == "Watched"))
    after = Scene()
    after.at = scene.at
    after.book.restore(TORRENT, whole, after.at)
    after.later(300)
    assert after.doubt() is None

    judged = json.loads(next(body for _, kind, _, _, body in reversed(after.rows) if kind == "Watched"))
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
    kept = json.loads(next(body for _, kind, _, _, body in reversed(scene.rows) if kind == "Watched"))
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
    assert not scene.book._watched[TORRENT.info_hash].seeder_fell
    scene.seeds(uploaded=SIZE - 1, address=HOME)
    assert scene.book._watched[TORRENT.info_hash].seeder_fell


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
    kept = json.loads(scene.rows[-1][-1])
    assert kept["mistake_us"] == AT
    assert len(kept["seeders"]) == 1


def test_the_fans_own_client_that_fetches_its_copy_is_no_mistake() -> None:
    scene = Scene()
    scene.says(Role.SEEDER, HOME, left=SIZE, event=Event.STARTED)
    scene.says(Role.SEEDER, HOME, left=0, event=Event.COMPLETED)
    scene.later(11)
    assert json.loads(scene.rows[-1][-1])["mistake_us"] == 0


def test_how_the_fans_computer_is_reached_is_shown(scene: Scene) -> None:
    scene.book.reached(TORRENT, HOME, Reach.CLOSED, scene.at)
    scene.later(11)
    assert json.loads(scene.rows[-1][-1])["seeders"][0]["reach"] == "closed"


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
    watched = scene.book._watched[TORRENT.info_hash]
    assert scene.book.seeder_is_here(watched, scene.at)
    assert watched.seeder_told_us == scene.at
    assert next(iter(watched.downloads.values())).last_us == scene.at
    kept = [row for row in scene.rows if row[1] == "Watched"]
    assert 25 < len(kept) < 40
    scene.downloads()
    scene.seeds(uploaded=SIZE)
    scene.later(2)
    assert scene.doubt() is None


def test_a_friend_who_says_the_seeders_peer_id_does_not_become_it(scene: Scene) -> None:
    scene.says(Role.FRIEND, FRIEND, peer=SEEDING)
    assert scene.book._role(TORRENT, HOME, SEEDING) is Role.SEEDER
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
    assert not scene.book._own


def test_listeners_seeders_and_names_are_bounded(scene: Scene) -> None:
    for number in range(1000):
        address = f"2a02:c7c:{number:x}::1"
        scene.says(Role.FRIEND, address, peer=b"-LT2110-%012d" % number, event=Event.STARTED)
        scene.says(Role.SEEDER, f"2a03:c7c:{number:x}::1", peer=b"-TR3000-%012d" % number, left=0)
    watched = scene.book._watched[TORRENT.info_hash]
    assert len(watched.downloads) == watch.LISTENERS_MAX
    assert len(watched.seeders) == watch.SEEDERS_MAX
    assert len(watched.known) == watch.KNOWN_MAX
    assert scene.book.turned_away == 1000 - watch.LISTENERS_MAX
    scene.later(120)
    assert len(scene.rows[-1][-1]) < 200_000


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


@pytest.mark.parametrize(
    ("peer_id", "program", "version"),
    [
        (b"-TR3000-abcdefghijkl", Program.TRANSMISSION, "3.00"),
        (b"-TR4060-abcdefghijkl", Program.TRANSMISSION, "4.0.6"),
        (b"-qB4520-abcdefghijkl", Program.QBITTORRENT, "4.5.2"),
        (b"-LT20B0-abcdefghijkl", Program.LIBTORRENT, "2.0.11"),
        (b"A2-1-36-0-abcdefghij", Program.ARIA2, "1.36.0"),
        (b"\xff" * 20, Program.OTHER, ""),
    ],
)
def test_programs_are_known_by_their_peer_ids(peer_id: bytes, program: Program, version: str) -> None:
    assert program_of(peer_id) == (program, version)
