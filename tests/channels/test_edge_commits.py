"""Group commit over real files and a real PostgreSQL."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.channels.edges import (
    OPEN,
    ROW,
    UNKNOWN,
    files,
    postgres_url,
    recorded,
    rows_in,
    with_shares,
)
from vteam.edge.commits import GroupCommit
from vteam.edge.databases import Postgres
from vteam.edge.lookups import PostgresSource
from vteam.edge.shares import share_of
from vteam.edge.stores import PostgresStore, SqliteStore
from vteam.errors import Away


class CountingStore(SqliteStore):
    """The real store, counting its commits."""

    batches: list[int]

    def write(self, rows: Any) -> None:
        super().write(rows)
        self.batches.append(len(rows))


def test_what_gathers_during_a_commit_is_the_next_batch(tmp_path: Path) -> None:
    store = CountingStore(files(tmp_path))
    store.batches = []

    async def scene() -> None:
        inbox = GroupCommit(store, rows_waiting_max=10_000)
        await asyncio.gather(*(recorded(inbox) for _ in range(2500)))
        assert rows_in(tmp_path / "edge.sqlite3") == 2500
        await inbox.close()

    asyncio.run(scene())
    assert store.batches == [1, 1000, 1000, 499]


def test_a_lone_row_waits_for_nobody(tmp_path: Path) -> None:
    store = CountingStore(files(tmp_path))
    store.batches = []

    async def scene() -> None:
        inbox = GroupCommit(store, rows_waiting_max=10_000)
        for _ in range(5):
            await recorded(inbox)
        await inbox.close()

    asyncio.run(scene())
    assert store.batches == [1] * 5


def test_more_rows_than_may_wait_are_refused_and_the_others_kept(tmp_path: Path) -> None:
    with_shares(tmp_path)

    async def scene() -> tuple[int, int]:
        inbox = GroupCommit(SqliteStore(files(tmp_path)), rows_waiting_max=10)
        await recorded(inbox)
        waiting = [recorded(inbox) for _ in range(50)]
        told = await asyncio.gather(*waiting, return_exceptions=True)
        await inbox.close()
        return told.count(None), sum(isinstance(one, Away) for one in told)

    waited, refused = asyncio.run(scene())
    assert (waited, refused) == (11, 39)  # the first one is being written and waits no more
    assert rows_in(tmp_path / "edge.sqlite3") == 12


def test_closing_writes_what_waits_and_refuses_what_comes_later(tmp_path: Path) -> None:
    async def scene() -> None:
        inbox = GroupCommit(SqliteStore(files(tmp_path)), rows_waiting_max=10_000)
        waiting = [recorded(inbox) for _ in range(100)]
        await inbox.close()
        assert all(future.done() for future in waiting)
        with pytest.raises(Away, match="stopping"):
            await recorded(inbox)

    asyncio.run(scene())
    assert rows_in(tmp_path / "edge.sqlite3") == 100


def test_a_visitor_who_cannot_be_told_takes_nobody_with_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(away: Away | None) -> None:
        raise ZeroDivisionError

    async def scene() -> None:
        inbox = GroupCommit(SqliteStore(files(tmp_path)), rows_waiting_max=10_000)
        before = recorded(inbox)
        inbox.record(ROW, broken)
        await asyncio.gather(before, *(recorded(inbox) for _ in range(19)))
        await inbox.close()

    asyncio.run(scene())
    assert rows_in(tmp_path / "edge.sqlite3") == 21
    assert caplog.text.count("our own fault") == 1


def test_a_locked_file_fails_its_batch_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vteam.edge.databases.BUSY_SECONDS_MAX", 0.05)

    async def scene() -> None:
        inbox = GroupCommit(SqliteStore(files(tmp_path)), rows_waiting_max=10_000)
        await recorded(inbox)
        with contextlib.closing(sqlite3.connect(tmp_path / "edge.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Away, match="locked"):
                await recorded(inbox)
            with pytest.raises(Away):
                await inbox.check()
            other.execute("ROLLBACK")
        await recorded(inbox)
        await inbox.check()
        await inbox.close()

    asyncio.run(scene())
    assert rows_in(tmp_path / "edge.sqlite3") == 2


def test_a_database_that_was_away_is_used_again(
    postgres_to_stop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL stops and comes back; rows are refused meanwhile and every acknowledged one is there."""
    server = postgres_to_stop
    url = postgres_url(server, "away")
    acknowledged = refused = 0

    async def scene() -> None:
        nonlocal acknowledged, refused
        inbox = GroupCommit(PostgresStore(Postgres(url)), rows_waiting_max=10_000)
        source = PostgresSource(Postgres(url))
        await recorded(inbox)
        assert (await source.read(OPEN, share_of)).share is not None
        acknowledged += 1
        await asyncio.to_thread(server.stop)
        for _ in range(3):
            with pytest.raises(Away):
                await recorded(inbox)
            refused += 1
        with pytest.raises(Away):
            await source.read(UNKNOWN, share_of)
        await asyncio.to_thread(server.ensure_postgres_running)
        while acknowledged < 2:
            with contextlib.suppress(Away):
                await recorded(inbox)
                acknowledged += 1
            await asyncio.sleep(0.05)
        share = None
        while share is None:
            with contextlib.suppress(Away):
                share = (await source.read(OPEN, share_of)).share
            await asyncio.sleep(0.05)
        await inbox.close()
        source.close()

    asyncio.run(scene())
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM journal_inbox").fetchone()
    assert found == (acknowledged,) == (2,)
    assert caplog.text.count("visits cannot be recorded") == 1, "one line, not one a visit"
    assert "visits can be recorded again" in caplog.text
