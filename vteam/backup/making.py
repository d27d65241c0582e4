"""Making a backup while everything runs: one file, which is there only once it is whole, on disk and verified."""

import errno
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from vteam import clock
from vteam.backup import database, postgresql, sqlite
from vteam.backup.archive import (
    DATABASES,
    LOGS,
    STORED,
    Archive,
    Manifest,
    Part,
    Tell,
    own_keys,
    part_of,
    stored_name,
    write,
)
from vteam.campaigns.files import stored_files
from vteam.demofolder import is_demo_folder
from vteam.edge.databases import EDGE_FILE
from vteam.errors import BackupError
from vteam.locks import held


def back_up(target: Path, *, verified: bool, tell: Tell) -> Manifest:
    """Make the backup `target`, which must not exist. `verified`: put it back beside and check that, first.

    Raises BackupError or Busy; nothing is left behind then. Needs room for three times the data where the file goes.
    """
    _refuse_impossible(target)
    data = Path(settings.DATA)
    try:
        with (
            held(data, "backup"),
            tempfile.TemporaryDirectory(dir=target.parent, prefix=_prefix(target)) as work,
        ):
            fresh = Path(work) / "backup.tar"
            manifest = make(fresh, work=Path(work), tell=tell)
            if verified:
                verify(fresh, tell=tell)
            _name(fresh, target)
    except (OSError, DatabaseError, sqlite3.Error) as error:
        raise BackupError(f"No backup was made: {_words(error)}.") from error
    return manifest


def _refuse_impossible(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise BackupError(f"There is something at {target} already. Name a file that does not exist yet.")
    if not target.parent.is_dir():
        raise BackupError(f"There is no folder {target.parent}. Make it first.")
    if not is_there():
        raise BackupError(f"There is nothing to back up in {settings.DATA}. Is VTEAM_DATA right?")


def is_there() -> bool:
    """Whether there is an installation here."""
    main = main_file()
    return postgresql.is_there() if main is None else main.exists()


def main_file() -> Path | None:
    """The main database's file; None on PostgreSQL."""
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def _prefix(target: Path) -> str:
    return f".{target.name}.part-"


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or database.first_line(error)


def make(target: Path, *, work: Path, tell: Tell) -> Manifest:
    """Write the backup to `target`, through the folder `work`. What the database names is stored before it is named."""
    made_at_us, migrations = clock.now_us(), database.applied_migrations()
    sources = {DATABASES[connection.vendor]: _copied_database(work, tell)}
    for log in LOGS:
        if (kept := Path(settings.DATA) / log).exists():
            sources[log] = Path(shutil.copyfile(kept, work / log))
    parts = [part_of(name, path) for name, path in sources.items()]
    stored = list(stored_files())
    parts += [
        Part(name=f"{STORED}{path.name}", size=path.stat().st_size, sha256=path.name) for path in stored
    ]
    manifest = Manifest(
        version=version("vteam"),
        made_at_us=made_at_us,
        database="sqlite" if connection.vendor == "sqlite" else "postgresql",
        demo=is_demo_folder(Path(settings.DATA)),
        keys=own_keys(),
        migrations=migrations,
        parts=parts,
    )
    write(target, manifest=manifest, sources=[*sources.values(), *stored], tell=tell)
    for path in sources.values():
        path.unlink()
    return manifest


def _copied_database(work: Path, tell: Tell) -> Path:
    target, main = work / DATABASES[connection.vendor], main_file()
    if main is None:
        postgresql.copy(target=target, tell=tell)
    else:
        sqlite.copy(main=main, edge=Path(settings.DATA) / EDGE_FILE, target=target, tell=tell)
    return target


def _name(fresh: Path, target: Path) -> None:
    """Give the whole file its name; never over another one."""
    try:
        target.hardlink_to(fresh)
    except OSError as error:
        # Disks without links, such as memory sticks.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS) or target.exists():
            raise
        fresh.rename(target)
    sqlite.sync_folder(target.parent)


# Verifying --------------------------------------------------------------------------------------------------------
def verify(file: Path, *, tell: Tell) -> None:
    """Put a backup back in a folder beside it, as `restore` would, and check that: BackupError where it fails."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder, file.open("rb") as opened:
        work, archive = Path(folder), Archive(opened)
        archive.unpack(lambda part: work / part.name.replace("/", "-"), tell=tell)
        stored = {name for part in archive.manifest.parts if (name := stored_name(part))}
        with (
            _put_beside(work / DATABASES[archive.manifest.database], tell) as name,
            database.standing_on(name),
        ):
            database.bring_up(logs=work, tell=tell)
            database.check(stored=stored, tell=tell)


@contextmanager
def _put_beside(part: Path, tell: Tell) -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield str(part)
    else:
        with postgresql.beside(part, tell=tell) as name:
            yield name
