"""SQLite: one state of two files that others go on writing, as one file; and that file in the place of another.

The edge has an inbox file of its own, from which `jobs` moves rows into the main file. A copy takes the edge's file
first and the main one after it, so that a row is in the first copy, or has been moved by the time of the second;
what was not moved yet is then put into the main copy's own inbox. So a backup is one file in which every row
that was acknowledged stands exactly once, and putting it in place is one rename.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from vteam.backup.archive import Tell
from vteam.edge.databases import EDGE_FILE
from vteam.errors import BackupError
from vteam.jobs.edgefile import LAST_NUMBER, READ_CURSOR
from vteam.journal import sql
from vteam.walfile import PRIMARY_CODE

PAGES_AT_ONCE = 1_000
BUSY_SECONDS_MAX = 20.0


# Copying ----------------------------------------------------------------------------------------------------------
def copy(*, main: Path, edge: Path, target: Path, tell: Tell) -> None:
    """Copy both files, in use or not, into one at `target`: one state, with the edge's rows that wait in its inbox."""
    with closing(_read_only(main)) as live:
        before = _position(live)
    taken = target.with_name(EDGE_FILE)
    if edge.exists():
        _copy_file(edge, taken, tell)
    _copy_file(main, target, tell)
    with closing(sqlite3.connect(target, isolation_level=None)) as copied:
        if taken.exists():
            _fold(copied, taken, after=_moved(copied, taken, before))
            taken.unlink()
        # The copy's edge will make its file anew.
        copied.execute("DELETE FROM journal_cursor WHERE source = ?", (EDGE_FILE,))
        copied.execute("PRAGMA journal_mode=DELETE")


def _copy_file(source: Path, target: Path, tell: Tell) -> None:
    """One state of a file: the transaction holds it, so that the copy neither mixes two nor begins again."""
    with closing(_read_only(source)) as live, closing(sqlite3.connect(target)) as copied:
        live.execute("BEGIN")
        # A transaction begins with its first read. A file that was only just made has nothing to copy, for ever.
        if live.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return
        copied.execute("PRAGMA synchronous=OFF")
        live.backup(
            copied,
            pages=PAGES_AT_ONCE,
            progress=lambda _, left, total: tell("copying the database", total - left, total),
        )


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS_MAX, isolation_level=None
    )


def _moved(copied: sqlite3.Connection, edge: Path, before: int) -> int:
    """The number up to which the edge's rows are in the main copy already; `before`: its cursor before the copies.

    A cursor beyond the edge's last number was moved past it between the copies. One that had been there before is of
    another file (the edge's was lost and made anew): nothing of this one was moved.
    """
    position = _position(copied)
    with closing(_edge_rows(edge)) as rows:
        return 0 if position == before > _last_number(rows) else position


def _position(main: sqlite3.Connection) -> int:
    row = main.execute(sql.for_sqlite(READ_CURSOR), (EDGE_FILE,)).fetchone()
    return row[0] if row else 0


def _edge_rows(path: Path) -> sqlite3.Connection:
    """The edge's file, with its table even where the edge has not come to make it yet."""
    rows = sqlite3.connect(path, timeout=BUSY_SECONDS_MAX)
    rows.execute(sql.CREATE_EDGE_INBOX)
    return rows


def _last_number(edge: sqlite3.Connection) -> int:
    row = edge.execute(LAST_NUMBER).fetchone()
    return row[0] if row else 0


_FOLD = (
    "INSERT INTO main.journal_inbox (campaign_id, kind, key, seen_at_us, body) "
    "SELECT campaign_id, kind, key, seen_at_us, body FROM edge.journal_inbox WHERE id > ? ORDER BY id"
)


def _fold(main: sqlite3.Connection, edge: Path, *, after: int) -> None:
    """Put the edge's rows after a number into the main file's inbox, and its cursor past them, in one commit."""
    main.execute("ATTACH ? AS edge", (str(edge),))
    main.execute("BEGIN IMMEDIATE")
    main.execute(_FOLD, (after,))
    last = main.execute("SELECT coalesce(max(seq), 0) FROM edge.sqlite_sequence").fetchone()[0]
    main.execute(
        "INSERT OR REPLACE INTO main.journal_cursor (source, position) VALUES (?, ?)", (EDGE_FILE, last)
    )
    main.execute("COMMIT")
    main.execute("DETACH edge")


# Putting in place -------------------------------------------------------------------------------------------------
def replace(*, main: Path, edge: Path, fresh: Path, aside: Path) -> None:
    """Put `fresh` (at rest, synced) in the place of the main file; the folder `aside` keeps what was there.

    Nobody else may use the files. Until the rename, which is the last step, the installation is the old one, whole.
    A damaged one is set aside as it is.
    """
    if not (main.exists() and edge.exists() and _done(main, lambda: _take_in(main, edge))):
        _set_aside(edge, aside)
    if not (main.exists() and _done(main, lambda: at_rest(main))):
        _set_aside(main, aside, but=main)
    if main.exists():
        (aside / main.name).hardlink_to(main)
    sync_folder(aside)
    sync_folder(main.parent)
    fresh.replace(main)
    sync_folder(main.parent)


def _done(main: Path, work: Callable[[], None]) -> bool:
    """Do it; False where a file is damaged. BackupError where another program has one open."""
    try:
        work()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & PRIMARY_CODE in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise BackupError(f"Another program uses {main}. Close it and try again.") from error
        return False
    return True


def _take_in(main: Path, edge: Path) -> None:
    """What `jobs` would have moved, and in its order: into the main file with its cursor, then out of the edge's."""
    with closing(_edge_rows(edge)) as rows, closing(sqlite3.connect(main, isolation_level=None)) as old:
        old.execute("PRAGMA synchronous=FULL")
        position = _position(old)
        _fold(old, edge, after=position if position <= _last_number(rows) else 0)
        with rows:
            rows.execute("DELETE FROM journal_inbox")


def _set_aside(path: Path, aside: Path, *, but: Path | None = None) -> None:
    """Move a file and what SQLite keeps beside it, which left there would be read into the next one."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        found = path.with_name(name)
        if found.exists() and found != but:
            found.replace(aside / name)


def at_rest(path: Path) -> None:
    """Leave a file without anything beside it, and on disk. Raises sqlite3.OperationalError while others use it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode=DELETE")
    with path.open("rb") as synced:
        os.fsync(synced.fileno())


def sync_folder(folder: Path) -> None:
    """The names in a folder are on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
