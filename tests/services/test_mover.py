"""From the inboxes into the journal and the books: exactly once, in one order, whatever breaks in between."""

import json
import random
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from tests import cast
from tests.cast import AT_US, DAY_US, RECRUIT, SPREAD
from tests.services.concurrency import at_once, raised
from vteam.channels.links.models import VisitDay
from vteam.jobs.edgefile import EdgeFile
from vteam.jobs.moving import BATCH_MAX, BATCH_MIN, BATCH_START, InboxTable, Mover, inbox_row
from vteam.journal import sql
from vteam.journal.models import Cursor, Fact, Inbox, Rejected
from vteam.journal.moving import InboxRow
from vteam.journal.queries import every_fact, facts_at
from vteam.ledger import queries
from vteam.ledger.models import Hold
from vteam.ledger.replay import replay
from vteam.ledger.services import decide_review, end_due_holds, reverse_award
from vteam.ledger.verify import verify
from vteam.rules import facts
from vteam.rules.canonical import canonical
from vteam.rules.facts import VISIT, NewFact

C = 7
ANA, BO = 1, 2
Row = tuple[int, str, str, int, str]


def still(seconds: float) -> None:
    """A pause of no length: nobody else is waiting for the lock in these tests."""


def books_hold(*campaigns: int) -> bool:
    """Whether the books contradict neither themselves nor the journal; says where, when they do."""
    for campaign in campaigns:
        assert verify(connection, campaign) is None
        assert replay(connection, campaign) is None
    return True


def points(fan: int, campaign: int = C) -> tuple[int, int]:
    return queries.points_of(campaign, fan)


def row_of(fact: NewFact, campaign: int = C) -> Row:
    return (campaign, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body))


class EdgeInbox:
    """The edge's end of its own file: a plain driver that appends rows and commits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path)
        self.connection.execute(sql.CREATE_EDGE_INBOX)

    def write(self, *rows: Row) -> None:
        with self.connection:
            self.connection.executemany(sql.for_sqlite(sql.INSERT_INBOX), rows)

    def numbers(self) -> list[int]:
        return [number for (number,) in self.connection.execute("SELECT id FROM journal_inbox ORDER BY id")]


@pytest.fixture
def edge(tmp_path: Path) -> EdgeInbox:
    return EdgeInbox(tmp_path / "edge.sqlite3")


# One fact, one time ---------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_facts_get_their_numbers_in_the_order_they_were_left_and_leave_the_inbox_empty() -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(ANA), cast.arrival(10, ANA), facts.title_downloaded(fan=ANA, title=1, at_us=AT_US))
    assert cast.move() == 7
    journal = list(every_fact(connection, C, page=3))
    assert [fact.seq for fact in journal] == [1, 2, 3, 4, 5, 6, 7]
    assert [fact.kind for fact in journal[4:]] == ["FanConfirmed", "ArrivalConfirmed", "TitleDownloaded"]
    assert not Inbox.objects.exists()
    assert points(ANA) == (100, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_nothing_to_move_moves_nothing() -> None:
    assert cast.move() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in two turns"])
def test_a_fact_offered_twice_pays_once(together: bool) -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(ANA), cast.arrival(10, ANA))
    if not together:
        cast.move()
    cast.offer(C, cast.arrival(10, ANA), cast.joined(ANA))
    cast.move()
    assert points(ANA) == (50, 0)
    assert Fact.objects.filter(campaign_id=C, kind="ArrivalConfirmed").count() == 1
    assert not Rejected.objects.exists()
    assert books_hold(C)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_however_often_and_mixed_facts_are_offered_each_pays_once(seed: int) -> None:
    chance = random.Random(seed)
    new = [cast.joined(fan) for fan in (1, 2, 3)]
    new += [cast.arrival(share, share // 10, near=f"home {share}") for share in range(10, 40)]
    repeated = [fact for fact in new for _ in range(chance.randint(1, 4))]
    chance.shuffle(repeated)
    cast.open_season(C)
    for fact in repeated:
        cast.offer(C, fact)
        if chance.random() < 0.1:
            cast.move()
    cast.move()
    assert [points(fan) for fan in (1, 2, 3)] == [(500, 0)] * 3
    assert books_hold(C)


@pytest.mark.django_db
def test_a_second_arrival_of_the_same_network_that_day_is_the_same_arrival_whatever_it_adds() -> None:
    cast.open_season(C)
    cast.offer(C, cast.arrival(10, ANA), cast.arrival(10, ANA, by=BO, at_us=AT_US + 5))
    cast.move()
    assert Fact.objects.filter(kind="ArrivalConfirmed").count() == 1
    assert not Rejected.objects.exists()


@pytest.mark.django_db
def test_the_same_key_with_other_content_is_kept_aside_and_the_rest_goes_on() -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(BO, recruiter=ANA), cast.joined(BO, recruiter=3), cast.joined(ANA))
    cast.move()
    kept = Rejected.objects.get()
    assert (kept.campaign_id, kept.kind, kept.key) == (C, "FanConfirmed", f"fan:{BO}")
    assert json.loads(kept.body)["recruiter"] == 3
    assert "other content" in kept.reason
    assert points(ANA) == (500, 0)
    assert points(3) == (0, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_a_key_belongs_to_its_campaign() -> None:
    for campaign in (C, C + 1):
        cast.open_season(campaign)
        cast.offer(campaign, cast.arrival(10, ANA))
    cast.move()
    assert points(ANA, C) == points(ANA, C + 1) == (50, 0)


POISON = [
    ("Nonsense", "a", AT_US, "{}"),
    ("FanConfirmed", "b", AT_US, "not json"),
    ("FanConfirmed", "c", AT_US, "[1]"),
    ("FanConfirmed", "d", AT_US, '{"fan":"one"}'),
    ("ArrivalConfirmed", "e", AT_US, '{"share":1,"fan":1,"network":"' + "n" * 300 + '","by":null}'),
    ("MissionVersioned", "f", AT_US, canonical({**SPREAD.body(), "kind": "nonsense", "version": 9})),
    ("MissionVersioned", "g", AT_US, canonical({**SPREAD.body(), "points": -50, "version": 9})),
    ("CampaignVersioned", "h", AT_US, '{"version":9,"season":{},"file_sha256":""}'),
    ("TitleDownloaded", "i", 10**18, '{"fan":1,"title":1}'),
    ("TitleDownloaded", "j", -1, '{"fan":1,"title":1}'),
    ("TitleDownloaded", "k", AT_US, '{"fan":1,"title":' + "9" * 30 + "}"),
    (VISIT, "", AT_US, "not json"),
    (VISIT, "", AT_US, "[]"),
    (VISIT, "", AT_US, '{"share":"ten"}'),
    (VISIT, "", AT_US, '{"share":' + "9" * 30 + "}"),
    (VISIT, "", 10**18, '{"share":10}'),
]


@pytest.mark.django_db
def test_what_nobody_can_read_is_kept_aside_and_never_stops_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    cast.open_season(C)
    cast.offer(C, cast.joined(ANA))
    Inbox.objects.bulk_create(
        Inbox(campaign_id=C, kind=kind, key=key, seen_at_us=at_us, body=body) for kind, key, at_us, body in POISON
    )
    cast.offer(C, cast.arrival(10, ANA))
    assert cast.move() == 6 + len(POISON)
    assert points(ANA) == (50, 0)
    kept = Rejected.objects.values_list("kind", "key", "seen_at_us", "body")
    assert sorted(kept) == sorted(POISON)
    assert len(caplog.records) == len(POISON)
    assert books_hold(C)


@pytest.mark.django_db
def test_campaigns_interleaved_in_one_inbox_each_get_their_own_order_and_books() -> None:
    campaigns = (3, 1, 2)
    for campaign in campaigns:
        cast.open_season(campaign)
    for share in range(10, 30):
        for campaign in campaigns:
            cast.offer(campaign, cast.arrival(share * campaign, ANA, near=f"home {share}"))
    cast.move()
    for campaign in campaigns:
        journal = list(every_fact(connection, campaign))
        assert [fact.seq for fact in journal] == list(range(1, 25))
        assert [fact.body["share"] for fact in journal[4:]] == [share * campaign for share in range(10, 30)]
        assert points(ANA, campaign) == (1_000, 0)
    assert books_hold(*campaigns)


@pytest.mark.django_db
def test_visits_become_counters_and_never_facts() -> None:
    bo = cast.join(C, "Bo")
    share, other = cast.share_of(bo), cast.share_of(bo, "poster at the bar")
    gone = share.pk + other.pk + 1
    visits = [(share.pk, AT_US), (share.pk, AT_US + 1), (other.pk, AT_US), (share.pk, AT_US + DAY_US), (gone, AT_US)]
    Inbox.objects.bulk_create(
        Inbox(campaign_id=C, kind=VISIT, key="", seen_at_us=at_us, body=canonical({"share": pk}))
        for pk, at_us in visits
    )
    cast.move()
    counted = VisitDay.objects.order_by("share", "day").values_list("share_id", "day", "visits")
    assert [(pk, day.isoformat(), n) for pk, day, n in counted] == [
        (share.pk, "2026-11-20", 2),
        (share.pk, "2026-11-21", 1),
        (other.pk, "2026-11-20", 1),
    ]
    assert not Fact.objects.filter(kind=VISIT).exists()


# Holds, reviews, reversals --------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_held_award_counts_when_its_hold_is_over_and_not_before() -> None:
    cast.open_season(C, (replace(RECRUIT, hold_us=DAY_US),))
    cast.offer(C, cast.joined(BO, recruiter=ANA))
    cast.move()
    assert points(ANA) == (0, 500)
    assert queries.next_due(C, ANA) == (AT_US + DAY_US, 500)
    assert end_due_holds(at_us=AT_US + DAY_US - 1, at_most=10) == 0
    assert end_due_holds(at_us=AT_US + DAY_US, at_most=10) == 1
    assert end_due_holds(at_us=AT_US + DAY_US + 9, at_most=10) == 1, "found twice before it was moved"
    cast.move()
    assert points(ANA) == (500, 0)
    assert queries.next_due(C, ANA) is None
    assert end_due_holds(at_us=AT_US + DAY_US * 2, at_most=10) == 0
    assert not Rejected.objects.exists()
    assert books_hold(C)


@pytest.mark.django_db
def test_at_most_so_many_holds_end_at_once_the_longest_due_first() -> None:
    cast.open_season(C, (replace(RECRUIT, hold_us=DAY_US),))
    cast.offer(C, *(cast.joined(fan, recruiter=ANA, at_us=AT_US - fan) for fan in range(10, 15)))
    cast.move()
    assert end_due_holds(at_us=AT_US + DAY_US, at_most=2) == 2
    cast.move()
    assert points(ANA) == (1_000, 1_500)
    assert list(Hold.objects.order_by("due_at_us").values_list("due_at_us", flat=True)) == [
        AT_US + DAY_US - fan for fan in (12, 11, 10)
    ]


@pytest.mark.django_db
def test_a_person_accepts_one_award_refuses_another_and_takes_a_third_back() -> None:
    cast.open_season(C, (replace(SPREAD, per_network_per_day=1),))
    cast.offer(C, cast.joined(ANA), *(cast.arrival(share, ANA, near="school") for share in (10, 11, 12)))
    cast.move()
    assert points(ANA) == (50, 100)
    counted, second, third = sorted(queries.decisions_of(C, ANA, at_most=9), key=lambda made: made.seq)
    assert [made.seq for made in queries.waiting_for_review(C, at_most=9)] == [second.seq, third.seq]
    decide_review(campaign_id=C, decision=second.seq, accepted=True, reason="a school, fine", at_us=AT_US)
    decide_review(campaign_id=C, decision=third.seq, accepted=False, reason="one phone", at_us=AT_US)
    reverse_award(campaign_id=C, decision=counted.seq, reason="asked for", at_us=AT_US)
    cast.move()
    assert points(ANA) == (50, 0)
    outcomes = [str(made.decision.outcome) for made in queries.decisions_of(C, ANA, at_most=9)]
    assert outcomes[:3] == ["reversed", "refused", "awarded"]
    assert books_hold(C)


# Crashes --------------------------------------------------------------------------------------------------------
class Power(Exception):
    """The power goes."""


class FailsWhilePruning(EdgeFile):
    def prune(self, rows: Sequence[InboxRow]) -> None:
        raise Power


class FailsWhileSettling(InboxTable):
    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        super().settle(cursor, rows)
        raise Power


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_posting_and_pruning_moves_nothing_twice(edge: EdgeInbox) -> None:
    cast.open_season(C)
    cast.move()
    edge.write(*(row_of(cast.arrival(share, ANA, near=f"home {share}")) for share in range(10, 15)))
    with pytest.raises(Power):
        Mover(FailsWhilePruning(edge.path)).move(pause=still)
    assert edge.numbers() == [1, 2, 3, 4, 5]
    assert points(ANA) == (250, 0)
    edge.write(row_of(cast.arrival(15, ANA, near="home 15")))
    assert Mover(EdgeFile(edge.path)).move(pause=still) == 1
    assert points(ANA) == (300, 0)
    assert edge.numbers() == []
    assert not Rejected.objects.exists()
    assert books_hold(C)


@pytest.mark.django_db(transaction=True)
def test_a_crash_inside_the_transaction_leaves_everything_for_the_next_turn() -> None:
    cast.open_season(C)
    cast.offer(C, cast.arrival(10, ANA))
    with pytest.raises(Power):
        Mover(FailsWhileSettling()).move(pause=still)
    assert not Fact.objects.exists()
    assert Inbox.objects.count() == 5
    assert cast.move() == 5
    assert points(ANA) == (50, 0)
    assert books_hold(C)


@pytest.mark.django_db
def test_the_edges_file_is_read_from_where_its_cursor_stands(edge: EdgeInbox) -> None:
    cast.open_season(C)
    cast.move()
    mover = Mover(EdgeFile(edge.path))
    for share in (10, 11):
        edge.write(row_of(cast.arrival(share, ANA, near=f"home {share}")))
        assert mover.move(pause=still) == 1
    assert Cursor.objects.get(source="edge.sqlite3").position == 2
    assert edge.numbers() == []
    assert mover.move(pause=still) == 0
    assert points(ANA) == (100, 0)


@pytest.mark.django_db
def test_before_the_edge_made_its_file_there_is_nothing_to_move_and_afterwards_there_is(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite3"
    mover = Mover(EdgeFile(path))
    assert mover.move(pause=still) == 0
    assert not path.exists()
    EdgeInbox(path).write(row_of(cast.joined(ANA)))
    assert mover.move(pause=still) == 1


@pytest.mark.django_db
def test_more_rows_than_one_batch_are_moved_in_one_turn(edge: EdgeInbox) -> None:
    cast.open_season(C)
    edge.write(*(row_of(cast.arrival(share, ANA, near=f"home {share}")) for share in range(BATCH_START * 2)))
    cast.move()
    assert Mover(EdgeFile(edge.path)).move(pause=still) == BATCH_START * 2
    assert points(ANA) == (BATCH_START * 2 * 50, 0)


# Two at the same time -------------------------------------------------------------------------------------------
class WithoutLock(InboxTable):
    """A mover that does not know of others: only the fence, UNIQUE(campaign, seq), stands between them."""

    def take(self, cursor: CursorWrapper, at_most: int) -> list[InboxRow]:
        if connection.vendor != "postgresql":
            return super().take(cursor, at_most)
        cursor.execute(sql.READ_INBOX_LOCKING, [at_most])
        return [inbox_row(row) for row in cursor.fetchall()]


def move_until_empty(source: InboxTable) -> list[DatabaseError]:
    """What the loop does: a turn that fails is tried again. Returns how the database refused, where it did."""
    refused: list[DatabaseError] = []
    mover = Mover(source)
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            mover.move(pause=still)
        except DatabaseError as error:
            refused.append(error)
        if not Inbox.objects.exists():
            return refused
        time.sleep(0.001)
    raise AssertionError("the inbox never became empty")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("source", [InboxTable(), WithoutLock()], ids=["with the lock", "with the fence alone"])
def test_movers_working_at_the_same_time_lose_nothing_and_double_nothing(source: InboxTable) -> None:
    campaigns = (C, C + 1)
    for campaign in campaigns:
        cast.open_season(campaign)
    cast.move()
    for share in range(200):
        for campaign in campaigns:
            for _ in range(1 + share % 2):
                cast.offer(campaign, cast.arrival(share, share % 5, near=f"home {share}"))
    results = at_once(*[lambda: move_until_empty(source)] * 3)
    assert raised(results) == []
    for refusals in results:
        assert all(isinstance(refusal, IntegrityError) for refusal in refusals), refusals
    for campaign in campaigns:
        assert [fact.seq for fact in every_fact(connection, campaign)] == list(range(1, 205))
        assert sum(points(fan, campaign)[0] for fan in range(5)) == 200 * 50
    assert not Rejected.objects.exists()
    assert books_hold(*campaigns)


@pytest.mark.django_db(transaction=True)
def test_two_movers_of_the_edges_file_move_each_row_once(edge: EdgeInbox) -> None:
    cast.open_season(C)
    cast.move()
    edge.write(*(row_of(cast.arrival(share, share % 5, near=f"home {share}")) for share in range(300)))

    def turn() -> int:
        moved = 0
        for _ in range(50):
            try:
                moved += Mover(EdgeFile(edge.path)).move(pause=still)
            except DatabaseError:
                continue
        return moved

    assert raised(at_once(turn, turn)) == []
    assert Fact.objects.filter(kind="ArrivalConfirmed").count() == 300
    assert sum(points(fan)[0] for fan in range(5)) == 300 * 50
    assert edge.numbers() == []
    assert books_hold(C)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time by itself")
def test_while_one_mover_works_another_waits_so_that_later_rows_never_overtake_earlier_ones() -> None:
    """With rows skipped instead, arrivals were judged before the missions that pay for them."""
    cast.open_season(C)
    cast.offer(C, cast.arrival(10, ANA))

    class Stops(InboxTable):
        def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
            assert at_once(cast.move) == [0]
            super().settle(cursor, rows)

    mover = Mover(Stops())
    mover.batch = 4
    assert mover.move(pause=still) == 5
    assert points(ANA) == (50, 0)


@pytest.mark.django_db
def test_no_second_fact_can_ever_have_the_same_number() -> None:
    cast.offer(C, cast.joined(ANA))
    cast.move()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.INSERT_FACT, [C, 1, "FanConfirmed", "another", AT_US, "{}"])
    assert facts_at(connection, C, [1, 2]).keys() == {1}


# How much at once -----------------------------------------------------------------------------------------------
class Slow(InboxTable):
    def take(self, cursor: CursorWrapper, at_most: int) -> list[InboxRow]:
        time.sleep(0.03)
        return super().take(cursor, at_most)


@pytest.mark.django_db
def test_batches_shrink_while_a_transaction_takes_too_long_but_never_below_the_least() -> None:
    cast.offer(C, *(cast.joined(fan) for fan in range(100)))
    mover = Mover(Slow())
    assert mover.move(pause=still) == 100
    assert mover.batch == BATCH_MIN
    assert Fact.objects.count() == 100


@pytest.mark.django_db
def test_batches_grow_while_transactions_are_short_but_never_beyond_the_most() -> None:
    gone = canonical({"share": 1})
    rows = [Inbox(campaign_id=C, kind=VISIT, key="", seen_at_us=AT_US, body=gone) for _ in range(600)]
    Inbox.objects.bulk_create(rows)
    mover = Mover(InboxTable())
    mover.batch = BATCH_MIN
    assert mover.move(pause=still) == 600
    assert BATCH_MIN < mover.batch <= BATCH_MAX


class OthersWriteToo(InboxTable):
    """After each batch somebody else writes to the database, as the pages do."""

    def prune(self, rows: Sequence[InboxRow]) -> None:
        def write() -> None:
            cast.offer(C, cast.joined(rows[0].number + 10_000))

        assert raised(at_once(write)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one lock for all writers")
@pytest.mark.parametrize(("source", "waits"), [(InboxTable(), False), (OthersWriteToo(), True)], ids=["alone", "busy"])
def test_the_lock_is_left_free_while_others_write(source: InboxTable, waits: bool) -> None:
    cast.offer(C, *(cast.joined(fan) for fan in range(100)))
    mover = Mover(source)
    mover.batch = BATCH_MIN
    pauses: list[float] = []

    def note(seconds: float) -> None:
        pauses.append(seconds)
        mover.source = InboxTable() if len(pauses) > 2 else mover.source

    mover.move(pause=note)
    assert bool(pauses) == waits
    assert all(seconds > 0 for seconds in pauses)
