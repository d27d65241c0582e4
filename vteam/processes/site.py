"""The site: Django as WSGI, served by granian with a few worker processes.

Access logs are off, because logs carry no addresses. Workers that crash come back; workers whose server is gone end
by themselves: granian alone would leave them serving.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from vteam import settings
from vteam.locks import held
from vteam.processes.orphan import end_with_parent

ROLE = "site"
APPLICATION = "vteam.web.wsgi:application"  # named in granian's own messages; `load` loads it
# A slow listener streaming a title keeps a thread (granian reads ahead only a little); each thread keeps a
# database connection.
THREADS_PER_WORKER = 32
BACKLOG = 1024
HEAD_MS_MAX = 10_000
STOP_SECONDS_MAX = 5
# The workers of a server that died hold the role a moment longer than it.
WAIT_SECONDS = 10


def main() -> None:
    """Serves until SIGTERM or SIGINT; Busy when another site runs on the data folder."""
    with held(Path(settings.DATA), ROLE, wait_seconds=WAIT_SECONDS):
        server = Granian(
            APPLICATION,
            address=settings.HOST,
            port=settings.SITE_PORT,
            interface=Interfaces.WSGI,
            workers=settings.SITE_WORKERS,
            blocking_threads=THREADS_PER_WORKER,
            backlog=BACKLOG,
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_MS_MAX),
            websockets=False,
            log_access=False,
            log_level=LogLevels.debug if settings.LOG_LEVEL == "debug" else LogLevels.error,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS_MAX,
        )
        server.serve(target_loader=load, wrap_loader=False)


def load() -> Callable[..., Any]:
    """The WSGI application, in a worker that will not outlive its server."""
    end_with_parent()
    from vteam.web.wsgi import application

    loaded: Callable[..., Any] = application
    return loaded
