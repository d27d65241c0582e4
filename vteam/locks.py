"""A role is held by one process at a time: a file lock in the data folder, gone with its holder however it ends.

The lock also belongs to what its holder forked (granian's workers), so a role is free only when all of it is gone.
The file says who took it last; only the lock says whether it is held.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from vteam.errors import Busy, CannotStart

FOLDER = "locks"
POLL_SECONDS = 0.02


@contextmanager
def held(data: Path, role: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Holds `data/locks/<role>.lock` while the block runs; raises Busy when another process keeps it meanwhile.

    CannotStart where the data folder does not let a file be written.
    """
    path = path_of(data, role)
    with _opened(path) as file:
        deadline = time.monotonic() + wait_seconds
        while not _taken(file.fileno()):
            if time.monotonic() >= deadline:
                raise Busy(
                    f"vTeam already runs on {data} ({path.name} is held by process {last_holder(data, role)}). Stop "
                    "that one first, or choose another folder with VTEAM_DATA."
                )
            time.sleep(POLL_SECONDS)
        _sign(file)
        yield


def path_of(data: Path, role: str) -> Path:
    """The file of a role's lock."""
    return data / FOLDER / f"{role}.lock"


def last_holder(data: Path, role: str) -> int | None:
    """The id of the process that took the role last, None where none has; it may be gone since."""
    try:
        return int(path_of(data, role).read_text())
    except (FileNotFoundError, ValueError):  # never taken, or taken at this very moment
        return None


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> CannotStart:
    return CannotStart(
        f"{path} cannot be written: {error.strerror}. Make the data folder writable, or name another one with "
        "VTEAM_DATA."
    )


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: TextIO) -> None:
    try:
        file.truncate(0)
        os.write(file.fileno(), f"{os.getpid()}\n".encode())  # unbuffered: closing must not fail as well
    except OSError as error:
        raise _unwritable(Path(file.name), error) from error
