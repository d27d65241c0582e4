"""Serves the peer as we serve our pages: `python -m bench.idiomatic.serve PORT`, one worker of granian."""

import os
import sys

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from vteam.processes.site import BACKLOG, THREADS_PER_WORKER


def main(port: int) -> None:
    """Until SIGTERM."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.idiomatic.settings"
    Granian(
        "bench.idiomatic.wsgi:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS_PER_WORKER,
        backlog=BACKLOG,
        websockets=False,
        log_access=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
