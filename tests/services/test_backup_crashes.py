"""A restore that is killed, wherever: afterwards there is the old installation or the new one, and it goes on."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from tests.services.installed import Installed, installed
from tests.services.test_backup_traffic import edges_end, visit
from vteam.backup import sqlite
from vteam.errors import BackupError

OLD, NEW = "3 fans, 4 visits, ok", "2 fans, 2 visits, ok"
only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="files, as SQLite has them")


@only_sqlite
def test_killed_at_any_step_a_restore_leaves_the_old_or_the_new_and_can_be_done_again(tmp_path: Path) -> None:
    """The old one has two visits in the main inbox, and in the edge's file two which jobs has moved and two more."""
    with installed(tmp_path) as one:
        one.done("demo", "--no-run", "--fans", 2)
        edge = edges_end(one.data / "edge.sqlite3")
        edge.write(visit(1), visit(2))
        one.done("backup", tmp_path / "backup.tar")
        one.done("demo", "--no-run", "--fans", 3)
        with closing(sqlite3.connect(one.data / "vteam.sqlite3")) as file, file:
            file.execute("INSERT INTO journal_cursor (source, position) VALUES ('edge.sqlite3', 2)")
            insert = (
                "INSERT INTO journal_inbox (campaign_id, kind, key, seen_at_us, body) VALUES (?, ?, ?, ?, ?)"
            )
            file.executemany(insert, [visit(3), visit(4)])
        edge.write(visit(5), visit(6))
        edge.connection.close()
        shutil.copytree(one.data, tmp_path / "template")
        runs = killed(one, tmp_path / "backup.tar", tmp_path / "template")
    assert len(runs) > 30
    assert [run[2:] for run in runs if len(run) > 2] == [[NEW, "0"]] * (len(runs) // 4)
    after = [run[1] for run in runs]
    turn = after.index(NEW)
    assert after == [OLD] * turn + [NEW] * (len(after) - turn)
    assert turn > 20


@pytest.mark.skipif(connection.vendor != "postgresql", reason="one transaction, as PostgreSQL has them")
def test_killed_at_any_step_a_restore_leaves_the_old_database_or_the_new_one(tmp_path: Path) -> None:
    with installed(tmp_path) as one:
        one.done("demo", "--no-run", "--fans", 2)
        one.done("backup", tmp_path / "backup.tar")
        one.done("demo", "--no-run", "--fans", 3)
        runs = killed(one, tmp_path / "backup.tar", tmp_path)
        assert "the books hold" in one.done("verify")
        assert list(one.data.glob("restoring-*")) == []
    after = [run[1] for run in runs]
    turn = after.index("2 fans")
    assert after == ["3 fans"] * turn + ["2 fans"] * (len(after) - turn)
    assert turn > 10


def killed(one: Installed, backup: Path, template: Path) -> list[list[str]]:
    """What each run of `killed.py` says."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.services.killed", backup, template],
        env=one.environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return [line.split("|") for line in told.stdout.splitlines()]


# The old one cannot be had ------------------------------------------------------------------------------------------
def database(path: Path, text: str) -> Path:
    """A small database in WAL, closed."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("CREATE TABLE said (text)")
        file.execute("INSERT INTO said VALUES (?)", (text,))
    return path


def said(path: Path) -> str:
    with closing(sqlite3.connect(path)) as file:
        text: str = file.execute("SELECT text FROM said").fetchone()[0]
        return text


@only_sqlite
def test_a_damaged_database_is_set_aside_as_it_is_and_nothing_is_left_beside_the_new_one(
    tmp_path: Path,
) -> None:
    """A write-ahead log, left in place, would be read into the new one."""
    main, edge, aside = tmp_path / "vteam.sqlite3", tmp_path / "edge.sqlite3", tmp_path / "aside"
    aside.mkdir()
    fresh = database(tmp_path / "fresh", "new")
    for path in (main, edge, tmp_path / "vteam.sqlite3-wal", tmp_path / "vteam.sqlite3-shm"):
        path.write_bytes(b"what a broken disk left " * 400)
    before = {path.name: path.read_bytes() for path in (main, edge)}
    sqlite.at_rest(fresh)
    sqlite.replace(main=main, edge=edge, fresh=fresh, aside=aside)
    kept = {path.name: path.read_bytes() for path in aside.iterdir()}
    assert before.items() <= kept.items()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["vteam.sqlite3"]
    assert said(main) == "new"


@only_sqlite
def test_a_database_that_somebody_has_open_is_left_to_them(tmp_path: Path) -> None:
    main, aside = database(tmp_path / "vteam.sqlite3", "old"), tmp_path / "aside"
    aside.mkdir()
    fresh = database(tmp_path / "fresh", "new")
    with closing(sqlite3.connect(main)) as other:
        other.execute("SELECT * FROM said").fetchall()
        other.execute("BEGIN")
        other.execute("SELECT * FROM said").fetchall()
        with pytest.raises(BackupError, match="Another program uses"):
            sqlite.replace(main=main, edge=tmp_path / "none", fresh=fresh, aside=aside)
    assert said(main) == "old"
    assert list(aside.iterdir()) == []


@only_sqlite
def test_where_nothing_is_nothing_is_set_aside(tmp_path: Path) -> None:
    main, aside = tmp_path / "vteam.sqlite3", tmp_path / "aside"
    aside.mkdir()
    sqlite.replace(main=main, edge=tmp_path / "none", fresh=database(tmp_path / "fresh", "new"), aside=aside)
    assert said(main) == "new"
    assert list(aside.iterdir()) == []
