"""A role is held by one process at a time: a file lock in the data folder, gone with its holder however it ends.

The lock also belongs to what its holder forked (granian's workers), so a role is free only when all of it is gone.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vteam.errors import Busy

FOLDER = "locks"


@contextmanager
def held(data: Path, role: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Holds `data/locks/<role>.lock` while the block runs; raises Busy when another process keeps it meanwhile."""
    path = data / FOLDER / f"{role}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + wait_seconds
        while not _taken(file.fileno()):
            if time.monotonic() >= deadline:
                raise Busy(
                    f"vTeam already runs on {data} ({path.name} is held). Stop that one first, or choose another "
                    "folder with VTEAM_DATA."
                )
            time.sleep(0.05)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
