"""Shares looked up, and the files and servers they are looked up in."""

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.channels.edges import (
    ENDED,
    OPEN,
    UNKNOWN,
    files,
    postgres_url,
    with_shares,
)
from vteam.edge.databases import Postgres, SqliteFiles, database_from
from vteam.edge.lookups import Cached, PostgresSource, SqliteSource
from vteam.edge.shares import share_of
from vteam.edge.stores import PostgresStore, store_for
from vteam.errors import Away, SettingsError
from vteam.walfile import open_wal_file


def test_a_share_is_remembered_for_a_few_seconds_and_so_is_none(tmp_path: Path) -> None:
    with_shares(tmp_path)
    now = 0.0
    shares = Cached(SqliteSource(files(tmp_path)), share_of, seconds=5, clock=lambda: now)

    def change(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "vteam.sqlite3")) as file, file:
            file.execute(statement)

    def found(code: str) -> str:
        share = (shares.remembered(code) or asyncio.run(shares.find(code))).share
        return "unknown" if share is None else "open" if share.is_open else "ended"

    assert (found(OPEN), found(UNKNOWN)) == ("open", "unknown")
    change(f"UPDATE links_share SET ended_at = '2026-12-01' WHERE code = '{OPEN}'")
    change(f"INSERT INTO links_share (id, campaign_id, code) VALUES (9, 3, '{UNKNOWN}')")
    now = 4.9
    assert (found(OPEN), found(UNKNOWN)) == ("open", "unknown")
    now = 5.1
    assert (found(OPEN), found(UNKNOWN)) == ("ended", "open")
    shares.close()


def test_no_more_shares_are_remembered_than_said_and_the_busiest_stay(tmp_path: Path) -> None:
    with_shares(tmp_path)

    class Counting(SqliteSource):
        asked: list[str]

        async def read(self, name: Any, work: Any) -> Any:
            self.asked.append(name)
            return await super().read(name, work)

    source = Counting(files(tmp_path))
    source.asked = []
    shares = Cached(source, share_of, cached_max=2)

    async def scene() -> None:
        for code in (OPEN, ENDED, OPEN, UNKNOWN, OPEN, ENDED):
            shares.remembered(code) or await shares.find(code)

    asyncio.run(scene())
    assert source.asked == [OPEN, ENDED, UNKNOWN, ENDED]
    shares.close()


def test_many_asking_for_one_code_are_one_query(postgres: Any) -> None:
    source = PostgresSource(Postgres(postgres_url(postgres, "lookups")))

    async def scene() -> None:
        shares = await asyncio.gather(*(source.read(OPEN, share_of) for _ in range(2000)))
        assert {found.share.id if found.share else None for found in shares} == {7}
        answers = await asyncio.gather(
            *(source.read(f"unknown{number:04}", share_of) for number in range(600)), return_exceptions=True
        )
        assert sum(isinstance(answer, Away) for answer in answers) == 600 - 512

    asyncio.run(scene())
    source.close()


def test_the_main_database_cannot_be_changed_from_here(tmp_path: Path) -> None:
    from vteam.edge.databases import open_main_file

    with_shares(tmp_path)
    with (
        contextlib.closing(open_main_file(tmp_path / "vteam.sqlite3")) as file,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        file.execute("DELETE FROM links_share")


def test_the_settings_name_the_database(tmp_path: Path) -> None:
    import dj_database_url

    local = dj_database_url.parse(f"sqlite:///{tmp_path}/x.sqlite3")
    assert database_from(local, tmp_path) == SqliteFiles(
        main=tmp_path / "x.sqlite3", inbox=tmp_path / "edge.sqlite3"
    )
    remote = database_from(
        dj_database_url.parse("postgres://ana:secret@db:5433/vteam?sslmode=require"), tmp_path
    )
    assert isinstance(remote, Postgres)
    for part in ("user=ana", "password=secret", "host=db", "port=5433", "dbname=vteam", "sslmode=require"):
        assert part in remote.conninfo
    assert isinstance(store_for(remote), PostgresStore)
    with pytest.raises(SettingsError, match="VTEAM_DATABASE_URL"):
        database_from(dj_database_url.parse("mysql://ana@db/vteam"), tmp_path)


def test_many_open_the_edges_file_at_once_and_all_get_it(tmp_path: Path) -> None:
    """SQLite refuses one of two that turn a file into WAL at the same time, without waiting."""
    faults: list[Exception] = []

    def open_once(path: Path, gate: threading.Barrier) -> None:
        gate.wait()
        try:
            with contextlib.closing(open_wal_file(path, busy_seconds=20, isolation_level=None)) as file:
                assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert file.execute("PRAGMA synchronous").fetchone() == (2,)
        except (sqlite3.Error, AssertionError) as fault:
            faults.append(fault)

    for turn in range(30):
        gate = threading.Barrier(6)
        openers = [
            threading.Thread(target=open_once, args=(tmp_path / f"{turn}.sqlite3", gate)) for _ in range(6)
        ]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join()
    assert faults == []


def test_a_file_somebody_holds_is_given_up_after_the_busy_time_and_one_in_wal_is_not_set_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "edge.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE x (y)")
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            open_wal_file(path, busy_seconds=0.2, isolation_level=None)
        holder.execute("ROLLBACK")
        open_wal_file(path, busy_seconds=0.2, isolation_level=None).close()
        holder.execute("BEGIN IMMEDIATE")
        open_wal_file(path, busy_seconds=0.2, isolation_level=None).close()
        holder.execute("ROLLBACK")


def test_what_is_no_database_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "edge.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        open_wal_file(tmp_path / "edge.sqlite3", busy_seconds=20, isolation_level=None)
