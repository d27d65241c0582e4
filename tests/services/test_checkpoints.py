"""SQLite's write-ahead log is copied beside the loop: it begins anew while rows are moved, and nothing waits for it."""

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from tests import cast
from vteam.jobs import checkpoints
from vteam.jobs.checkpoints import WriteAheadLog
from vteam.jobs.moving import InboxTable, Mover

C = 7
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its log itself"),
]


def facts_in_the_file() -> int:
    """What stands in the database's file itself, without its log."""
    file = sqlite3.connect(f"file:{connection.settings_dict['NAME']}?immutable=1", uri=True)
    try:
        count: int = file.execute("SELECT COUNT(*) FROM journal_fact").fetchone()[0]
        return count
    finally:
        file.close()


def times_begun() -> int:
    """How often the log began anew: its header's checkpoint sequence number (sqlite.org/fileformat2.html, 4.1)."""
    return int.from_bytes(Path(f"{connection.settings_dict['NAME']}-wal").read_bytes()[12:16], "big")


def move(log: WriteAheadLog, first: int) -> None:
    cast.offer(C, *(cast.joined(first + fan) for fan in range(20)))
    assert Mover(InboxTable(), log).move(pause=lambda seconds: None) == 20


def soon(holds: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 10
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.02)
    return holds()


def test_what_is_moved_comes_into_the_file_and_the_log_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOVED_ROWS", 20)
    log = WriteAheadLog()
    with log.copied_beside():
        move(log, 1_000)
        assert soon(lambda: facts_in_the_file() == 20)
        move(log, 2_000)  # asked again for what came while the bulk was copied
        assert soon(lambda: facts_in_the_file() == 40)
        begun = times_begun()
        move(log, 3_000)
        assert times_begun() > begun


def test_a_quiet_log_is_copied_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.05)
    cast.offer(C, cast.joined(1))
    with WriteAheadLog().copied_beside():
        cast.move()
        assert soon(lambda: facts_in_the_file() == 1)


def test_without_the_thread_the_mover_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOVED_ROWS", 20)
    move(WriteAheadLog(), 1_000)
    assert facts_in_the_file() == 20


def test_a_copy_that_fails_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.05)
    usual = checkpoints.checkpoint

    def full() -> None:
        monkeypatch.setattr(checkpoints, "checkpoint", usual)
        raise OperationalError("disk I/O error") from sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(checkpoints, "checkpoint", full)
    cast.offer(C, cast.joined(1))
    with caplog.at_level(logging.WARNING), WriteAheadLog().copied_beside():
        cast.move()
        assert soon(lambda: facts_in_the_file() == 1)
    assert "checkpoint" in caplog.text
