"""The mover when things go wrong or happen at once: crashes, two movers, other writers, slow and quick batches."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from tests import cast
from tests.cast import AT_US
from tests.services.concurrency import at_once, raised
from tests.services.moving import ANA, C, EdgeInbox, books_hold, points, row_of, still
from vteam.channels.links.models import VisitDay
from vteam.jobs import moving
from vteam.jobs.edgefile import EdgeFile
from vteam.jobs.moving import BATCH_MAX, BATCH_MIN, BATCH_START, InboxTable, Mover
from vteam.journal import sql
from vteam.journal.models import Cursor, Fact, Inbox, Rejected
from vteam.journal.moving import InboxRow
from vteam.journal.queries import every_fact, facts_at
from vteam.rules.canonical import canonical
from vteam.rules.facts import VISIT


@pytest.fixture
def edge(tmp_path: Path) -> EdgeInbox:
    return EdgeInbox(tmp_path / "edge.sqlite3")


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
def test_an_edge_file_made_anew_is_read_from_its_beginning(edge: EdgeInbox) -> None:
    """After the old file was lost, its cursor stood beyond every row of the new one, and they were never moved."""
    cast.open_season(C)
    cast.move()
    edge.write(*(row_of(cast.arrival(share, ANA, near=f"home {share}")) for share in (10, 11, 12)))
    assert Mover(EdgeFile(edge.path)).move(pause=still) == 3
    edge.connection.close()
    edge.path.unlink()
    new = EdgeInbox(edge.path)
    new.write(row_of(cast.arrival(13, ANA, near="home 13")))
    assert Mover(EdgeFile(edge.path)).move(pause=still) == 1
    assert points(ANA) == (200, 0)
    new.write(row_of(cast.arrival(14, ANA, near="home 14")))
    assert Mover(EdgeFile(edge.path)).move(pause=still) == 1
    assert points(ANA) == (250, 0)


@pytest.mark.django_db
def test_before_the_edge_made_its_file_there_is_nothing_to_move_and_afterwards_there_is(
    tmp_path: Path,
) -> None:
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
        return list(map(InboxRow._make, cursor.fetchall()))


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
@pytest.mark.parametrize(
    "source", [InboxTable(), WithoutLock()], ids=["with the lock", "with the fence alone"]
)
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
        cursor.execute(sql.INSERT_FACT, [C, 1, "FanConfirmed", "another", AT_US, "{}", "0" * 64])
    assert facts_at(connection, C, [1, 2]).keys() == {1}


# How much at once -----------------------------------------------------------------------------------------------
class Slow(InboxTable):
    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        time.sleep(0.03)
        super().settle(cursor, rows)


@pytest.mark.django_db
def test_batches_shrink_while_a_transaction_takes_too_long_but_never_below_the_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for most in ("LOCK_US", "LOCK_ALONE_US"):
        monkeypatch.setattr(moving, most, 5_000)
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


class OthersWriteToo(Slow):
    """After each batch somebody else writes to the database, as the pages do.

    Slow, so that judging the next batch does not by itself leave the lock free for long enough.
    """

    def prune(self, rows: Sequence[InboxRow]) -> None:
        def write() -> None:
            cast.offer(C, cast.joined(rows[0].number + 10_000))

        assert raised(at_once(write)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one lock for all writers")
@pytest.mark.parametrize(
    ("source", "waits"), [(InboxTable(), False), (OthersWriteToo(), True)], ids=["alone", "busy"]
)
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


class OvertakenOnce(InboxTable):
    """Between judging and writing, another mover moves the same rows."""

    def settle(self, cursor: CursorWrapper, rows: Sequence[InboxRow]) -> None:
        self.settle = super().settle  # type: ignore[method-assign]
        with connection.cursor() as other:
            super().settle(other, rows)
        super().settle(cursor, rows)


@pytest.mark.django_db
def test_visits_that_another_mover_has_moved_meanwhile_are_not_counted_again() -> None:
    """Visits have no number in the journal that would refuse a second one: that its rows are gone must."""
    share = cast.share_of(cast.join(C, "Bo"))
    Inbox.objects.bulk_create(
        Inbox(campaign_id=C, kind=VISIT, key="", seen_at_us=AT_US, body=canonical({"share": share.pk}))
        for _ in range(5)
    )
    with pytest.raises(IntegrityError, match="another mover"):
        Mover(OvertakenOnce()).move(pause=still)
    assert not VisitDay.objects.exists()
    assert cast.move() == 6  # five visits and Bo's joining
    assert VisitDay.objects.get().visits == 5


@pytest.mark.django_db
def test_rows_of_the_edges_file_that_another_mover_has_moved_meanwhile_are_refused(edge: EdgeInbox) -> None:
    edge.write(*(row_of(cast.arrival(share, ANA, near=f"home {share}")) for share in (10, 11)))
    slow, quick = EdgeFile(edge.path), EdgeFile(edge.path)
    with connection.cursor() as cursor:
        rows = slow.take(cursor, 10)
        quick.settle(cursor, quick.take(cursor, 10))
        with pytest.raises(IntegrityError, match="another mover"):
            slow.settle(cursor, rows)
