"""SQLite's write-ahead log is copied beside the loop: it begins anew while rows are moved, and nothing waits for it."""

import itertools
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from tests import cast
from vteam.errors import Away
from vteam.jobs import checkpoints, counted, figures
from vteam.jobs.checkpoints import WriteAheadLog
from vteam.jobs.figures import JobsFigures
from vteam.jobs.moving import InboxTable, Mover

C = 7
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its log itself"),
]


def facts_in_the_file() -> int:
    """What stands in the database's file itself, without its log; -1 while it is being written to."""
    file = sqlite3.connect(f"file:{connection.settings_dict['NAME']}?immutable=1", uri=True)
    try:
        count: int = file.execute("SELECT COUNT(*) FROM journal_fact").fetchone()[0]
        return count
    except sqlite3.DatabaseError:
        return -1
    finally:
        file.close()


def times_begun() -> int:
    """How often the log began anew: its header's checkpoint sequence number (sqlite.org/fileformat2.html, 4.1)."""
    return int.from_bytes(Path(f"{connection.settings_dict['NAME']}-wal").read_bytes()[12:16], "big")


def move(log: WriteAheadLog, *fans: int) -> None:
    cast.offer(C, *(cast.joined(fan) for fan in fans))
    assert Mover(InboxTable(), log).move(pause=lambda seconds: None) == len(fans)


def soon(holds: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 10
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.02)
    return holds()


def test_the_bulk_is_copied_and_then_what_came_meanwhile_so_that_the_log_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoints, "MOVED_ROWS", 20)
    monkeypatch.setattr(checkpoints, "SECONDS", 3_600.0)
    log, fan = WriteAheadLog(), itertools.count(1_000)
    with log.copied_beside():
        move(log, *range(1, 21))
        assert soon(lambda: facts_in_the_file() == 20)
        assert soon(log._copied.is_set)
        move(log, 21, 22)  # too few to be the bulk of the next time
        assert soon(lambda: facts_in_the_file() == 22)
        begun = times_begun()
        assert soon(lambda: move(log, next(fan)) or times_begun() > begun)


def test_a_quiet_log_is_copied_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.05)
    cast.offer(C, cast.joined(1))
    with WriteAheadLog().copied_beside():
        cast.move()
        assert soon(lambda: facts_in_the_file() == 1)


def test_without_the_thread_the_mover_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOVED_ROWS", 20)
    move(WriteAheadLog(), *range(1, 21))
    assert facts_in_the_file() == 20


def test_a_copy_that_fails_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.05)
    usual = checkpoints.checkpoint

    def full() -> None:
        monkeypatch.setattr(checkpoints, "checkpoint", usual)
        cause = sqlite3.OperationalError("disk I/O error")
        cause.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise OperationalError("disk I/O error") from cause

    monkeypatch.setattr(checkpoints, "checkpoint", full)
    failed = counted.failures[checkpoints.NAME]
    cast.offer(C, cast.joined(1))
    with caplog.at_level(logging.WARNING), WriteAheadLog().copied_beside():
        cast.move()
        assert soon(lambda: facts_in_the_file() == 1)
    assert "checkpoint must wait (disk I/O error)" in caplog.text
    assert counted.failures[checkpoints.NAME] == failed + 1
    assert checkpoints.NAME not in counted.failing_since


def test_a_log_that_is_never_copied_makes_jobs_unwell(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(checkpoints, "checkpoint", broken)
    monkeypatch.setattr(figures, "FAILING_SECONDS_MAX", 0.0)
    with WriteAheadLog().copied_beside():
        assert soon(lambda: checkpoints.NAME in counted.failing_since)
        with pytest.raises(Away, match="checkpoint"):
            JobsFigures(None).well()
