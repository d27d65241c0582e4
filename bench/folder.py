"""A data folder of a bench's own, gone afterwards, with this process or a whole installation set up in it."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def data_folder(**settings: str) -> Iterator[Path]:
    """An empty data folder, and the environment set for it until the block ends (`settings`: without VTEAM_).

    Settings are read once a process, so one process has one such folder.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith("VTEAM_")}
    with tempfile.TemporaryDirectory(prefix="vteam-bench-") as folder:
        for name in before:
            del os.environ[name]
        os.environ["VTEAM_DATA"], os.environ["VTEAM_DEMO"] = folder, "true"
        os.environ.update({f"VTEAM_{name}": value for name, value in settings.items()})
        try:
            yield Path(folder)
        finally:
            for name in [name for name in os.environ if name.startswith("VTEAM_")]:
                del os.environ[name]
            os.environ.update(before)


@contextmanager
def prepared_folder(**settings: str) -> Iterator[Path]:
    """A data folder with this process set up in it: settings read, database migrated."""
    with data_folder(**settings) as folder:
        from vteam.processes.run import prepare

        prepare()
        from django.db import connections

        try:
            yield folder
        finally:
            connections.close_all()


def free_ports(count: int) -> list[int]:
    """So many ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
