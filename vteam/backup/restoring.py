"""Putting a backup in the place of an installation, whole or not at all, with the old one kept aside.

Refuses while vTeam runs on the data folder (or anybody is connected to the PostgreSQL database), a file that is not
wholly as it was made, and one of other keys, another kind of database or a newer vTeam. Everything is unpacked,
checked, migrated and brought up to today beside the old installation; what makes it the new one is a single step,
a rename on SQLite and a commit on PostgreSQL. The logs of erasings and of noes are added to, never replaced.
"""

import datetime as dt
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from vteam import clock
from vteam.backup import database, postgresql, sqlite
from vteam.backup.alone import nobody_else
from vteam.backup.archive import DATABASES, Archive, Manifest, Part, Tell, own_keys, ring, stored_name
from vteam.backup.making import is_there, main_file, make
from vteam.campaigns.files import path_of
from vteam.demofolder import MARKER, mark_as_demo
from vteam.edge.databases import EDGE_FILE
from vteam.errors import BackupError
from vteam.linelog import Line
from vteam.people import erasure
from vteam.permissions import noes
from vteam.permissions.again import note_missing_noes

logger = logging.getLogger(__name__)
UNPACKED, ASIDE = "restoring-", "before-restore-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of a restore. `aside`: where the installation that was there is kept, if there was one."""

    manifest: Manifest
    aside: Path | None

    @property
    def same_secret(self) -> bool:
        """Whether links in letters that left before still work."""
        return any(self.manifest.keys == keys for keys in ring())

    @property
    def newest_master(self) -> bool:
        """Whether the backup was made with the master key of today, and not with an older one of ours."""
        return self.manifest.keys.master == own_keys().master


def look(file: Path) -> Manifest:
    """What a backup says of itself; BackupError where it cannot be restored here."""
    with _opened(file) as archive:
        _refuse_unfit(archive.manifest)
        return archive.manifest


def restore(file: Path, *, tell: Tell) -> Restored:
    """Make this installation what the backup says. Raises BackupError or Busy, and the old one is untouched then."""
    data = Path(settings.DATA)
    try:
        data.mkdir(parents=True, exist_ok=True)
        with _opened(file) as archive, nobody_else(data), _work(data) as work:
            _refuse_unfit(archive.manifest)
            archive.unpack(lambda part: _place(work, part), tell=tell)
            for part in archive.manifest.parts:
                _keep_stored(work, part)
            _merge(work)
            aside = _replace(work / DATABASES[archive.manifest.database], archive.manifest, tell)
            return Restored(manifest=archive.manifest, aside=aside)
    except (OSError, DatabaseError, sqlite3.Error) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or database.first_line(error)
        raise BackupError(f"Nothing was restored: {words}.") from error


@contextmanager
def _opened(file: Path) -> Iterator[Archive]:
    try:
        opened = file.open("rb")
    except OSError as error:
        raise BackupError(f"The backup {file} cannot be read: {error.strerror}.") from error
    with opened:
        yield Archive(opened)


def _refuse_unfit(manifest: Manifest) -> None:
    if manifest.database != connection.vendor:
        how = "Unset VTEAM_DATABASE_URL" if manifest.database == "sqlite" else "Set VTEAM_DATABASE_URL"
        raise BackupError(
            f"This is the backup of an installation on {manifest.database}. {how} to restore it."
        )
    if unknown := database.unknown_migrations(manifest.migrations):
        raise BackupError(
            f"This backup was made by a newer vTeam ({manifest.version}: {unknown[-1]} is unknown here). "
            "Install that one or a newer one."
        )


@contextmanager
def _work(data: Path) -> Iterator[Path]:
    """A folder to unpack in, on the same disk; what an interrupted restore left is cleared first."""
    for left in data.glob(f"{UNPACKED}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=data, prefix=UNPACKED) as work:
        yield Path(work)


def _place(work: Path, part: Part) -> Path:
    return work / (stored_name(part) or part.name)


def _keep_stored(work: Path, part: Part) -> None:
    """Titles and pictures are named by their content: adding them changes nothing for the installation there."""
    if name := stored_name(part):
        place = path_of(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(place)
        sqlite.sync_folder(place.parent)


def _merge(work: Path) -> None:
    """Add to our logs what only the backup's have; to the noes first what only the database that is there has."""
    if is_there():
        try:
            note_missing_noes()
        except DatabaseError as error:
            logger.warning(
                "the database that is there cannot be asked who said no (%s): only what stands in %s is held",
                database.first_line(error),
                noes.log_path(),
            )
    erased = _only_in(erasure.noted(work / erasure.LOG), erasure.noted(erasure.log_path()))
    erasure.note(erased, log=erasure.log_path())
    said = _only_in(noes.noted(work / noes.LOG), noes.noted(noes.log_path()))
    noes.note(said, log=noes.log_path())


def _only_in(theirs: Iterable[Line], ours: Iterable[Line]) -> Iterator[Line]:
    known = set(ours)
    return (line for line in theirs if line not in known)


def _replace(part: Path, manifest: Manifest, tell: Tell) -> Path | None:
    """The marker of a demo opens the mailbox, so it is never beside a database that is none."""
    data, main = Path(settings.DATA), main_file()
    aside = None if main else _kept_aside(part, tell)
    if not manifest.demo:
        (data / MARKER).unlink(missing_ok=True)
    if main:
        aside = _replace_sqlite(part, main, tell)
    else:
        postgresql.replace(dump=part, also=database.past_dropped(), tell=tell)
        database.bring_up(logs=Path(settings.DATA), tell=tell)
    if manifest.demo:
        mark_as_demo(data)
    return aside


def _replace_sqlite(part: Path, main: Path, tell: Tell) -> Path | None:
    with database.standing_on(str(part)):
        database.bring_up(logs=Path(settings.DATA), tell=tell)
    sqlite.at_rest(part)
    connection.close()
    aside = _aside()
    aside.mkdir()
    sqlite.replace(main=main, edge=Path(settings.DATA) / EDGE_FILE, fresh=part, aside=aside)
    if any(aside.iterdir()):
        return aside
    aside.rmdir()
    return None


def _kept_aside(part: Path, tell: Tell) -> Path | None:
    """A PostgreSQL installation that is there becomes a backup of its own first."""
    if not is_there():
        return None
    aside = _aside().with_suffix(".tar")
    with tempfile.TemporaryDirectory(dir=part.parent) as work:
        whole = Path(work) / aside.name
        make(whole, work=Path(work), tell=tell)
        whole.rename(aside)
    return aside


def _aside() -> Path:
    moment = clock.now().astimezone(dt.UTC)
    return Path(settings.DATA) / f"{ASIDE}{moment:%Y%m%d-%H%M%S-%f}"
