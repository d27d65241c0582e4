"""Run a restore again and again, killed at its first step, its second, and so on; say each time what is there then.

    python -m tests.services.killed BACKUP TEMPLATE

In the environment of an installation, as a process of its own. A step is whatever changes something outside the
process: a file opened to be written, renamed, linked or removed, a database connected to, a program started. Before
each run the data folder is what TEMPLATE is. On PostgreSQL a step is a program started, a file renamed or a piece of
the dump handed on, and each run finds what the last one left.
Prints a line a run, with | between: the step, what was there after the kill, and after every fourth run what was
there after restoring once more and how many folders that left behind.
"""

import os
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

STEPS = {
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "sqlite3.connect",
    "subprocess.Popen",
}
POSTGRESQL = "VTEAM_DATABASE_URL" in os.environ
HANDED_ON = "tests.handed_on"
RUNS_MAX = 400
AGAIN_EVERY = 4
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend'"
)


class Killer:
    """An audit hook that kills its own process at the nth step once it is armed."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if self.left and _is_step(event, given):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def _is_step(event: str, given: tuple[Any, ...]) -> bool:
    if POSTGRESQL:
        return event in {"os.rename", "subprocess.Popen", HANDED_ON}
    if event == "open":
        return isinstance(given[2], int) and bool(given[2] & (os.O_WRONLY | os.O_RDWR))
    return event in STEPS


def main(backup: Path, template: Path) -> None:
    """Print a line a run, until a run is not killed any more."""
    import django

    django.setup()
    from django.conf import settings

    killer, data = Killer(), Path(settings.DATA)
    sys.addaudithook(killer)
    for step in range(1, RUNS_MAX):
        if not POSTGRESQL:
            shutil.rmtree(data)
            shutil.copytree(template, data)
        killed = _restore(backup, killer, step)
        after = _there(data)
        again = []
        if step % AGAIN_EVERY == 0 and not POSTGRESQL:
            _restore(backup, killer, 0)
            again = [_there(data), len(list(data.glob("restoring-*")))]
        print(step, after, *again, sep="|", flush=True)
        if not killed:
            return
    raise SystemExit(f"still killed at step {RUNS_MAX}")


def _restore(backup: Path, killer: Killer, step: int) -> bool:
    """Restore in a child; whether it was killed (anything else than that or success is a fault)."""
    child = os.fork()
    if not child:
        from vteam.backup.restoring import restore

        killer.left = step
        try:
            restore(backup, tell=lambda what, done, total: sys.audit(HANDED_ON))
        except BaseException as fault:
            print(f"fault: {fault!r}", flush=True)
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the restore failed"
    return False


def _there(data: Path) -> str:
    return _there_postgresql() if POSTGRESQL else _there_sqlite(data)


def _there_postgresql() -> str:
    """How many fans there are, once nobody is at work any more."""
    from django.db import connection

    try:
        with connection.cursor() as cursor:
            for _ in range(200):
                cursor.execute(OTHERS)
                if cursor.fetchone() == (0,):
                    break
                time.sleep(0.1)
            cursor.execute("SELECT count(*) FROM people_fan")
            return f"{cursor.fetchone()[0]} fans"
    finally:
        connection.close()  # a child of ours must not have it


def _there_sqlite(data: Path) -> str:
    """How many fans there are, and how many visits: counted, or waiting in one of the inboxes."""
    with closing(sqlite3.connect(data / "vteam.sqlite3")) as file:
        fans = file.execute("SELECT count(*) FROM people_fan").fetchone()[0]
        waiting = file.execute("SELECT count(*) FROM journal_inbox WHERE kind = 'Visit'").fetchone()[0]
        row = file.execute("SELECT position FROM journal_cursor WHERE source = 'edge.sqlite3'").fetchone()
        ok = file.execute("PRAGMA integrity_check").fetchone()[0]
    edge = data / "edge.sqlite3"
    if edge.exists():
        with closing(sqlite3.connect(edge)) as rows:
            last = rows.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()[0]
            after = row[0] if row and row[0] <= last else 0
            waiting += rows.execute("SELECT count(*) FROM journal_inbox WHERE id > ?", (after,)).fetchone()[0]
    return f"{fans} fans, {waiting} visits, {ok}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
