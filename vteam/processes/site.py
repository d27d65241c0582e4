"""The site: Django as WSGI, served by granian with a few worker processes.

Access logs are off, because logs carry no addresses. Workers that crash come back; workers whose server is gone end
by themselves: granian alone would leave them serving.
"""

import gc
import logging
import multiprocessing
import signal
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from vteam import logs, settings
from vteam.errors import Away
from vteam.locks import held
from vteam.metrics.ports import port_of
from vteam.metrics.tally import Tally
from vteam.processes import RoleName
from vteam.processes.doors import answers, reachable
from vteam.processes.orphan import end_with_parent

APPLICATION = "vteam.web.wsgi:application"  # named in granian's own messages; `load` loads it
# A slow listener streaming a title keeps a thread (granian reads ahead only a little); each thread keeps a
# database connection.
THREADS_PER_WORKER = 32
BACKLOG = 1024
HEAD_MS_MAX = 10_000
STOP_SECONDS_MAX = 5
# The workers of a server that died hold the role a moment longer than it.
WAIT_SECONDS = 5
# Workers that are still ending while those in their place have begun, as far as they are counted.
WORKERS_ENDING_MAX = 4

logger = logging.getLogger(__name__)


def main() -> None:
    """Serves until SIGTERM or SIGINT; Busy when another site runs on the data folder."""
    with held(Path(settings.DATA), RoleName.SITE, wait_seconds=WAIT_SECONDS):
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
            log_dictconfig=deepcopy(settings.LOGGING),
            log_level=LogLevels.debug if settings.LOG_LEVEL == "debug" else LogLevels.error,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS_MAX,
        )
        _load_before_forking()
        server.serve(target_loader=partial(load, _tell_figures()), wrap_loader=False)


def _load_before_forking() -> None:
    """All code of the pages, once: forked workers share its memory, and one that died is replaced at once."""
    if multiprocessing.get_start_method() != "fork":
        return  # each worker loads everything for itself
    from django.urls import get_resolver

    from vteam.web.wsgi import application

    assert application, "imported for what it brings along"
    assert get_resolver().url_patterns, "every page"
    gc.freeze()


def load(tally: Tally | None = None) -> Callable[..., Any]:
    """The WSGI application, in a worker that will not outlive its server and counts what it does in `tally`."""
    end_with_parent()
    # Until granian listens for it; the server's own handler, inherited, would let it pass unheard.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logs.begin(RoleName.SITE)
    from vteam.web.wsgi import application

    _tell_faults()
    if tally:
        _count_in(tally)
    loaded: Callable[..., Any] = application
    return loaded


def _tell_faults() -> None:
    """Operators read of what fails here. A worker's own: threads do not survive a fork."""
    from vteam.channels.mail import alarms, faults

    faults.begin(alarms.tell_fault)


def _tell_figures() -> Tally | None:
    """Opens the private port, if the settings ask for one; what it needs is loaded only then."""
    if port_of(RoleName.SITE) is None:
        return None
    from vteam.metrics.port import open_port
    from vteam.processes.sitefigures import SiteFigures
    from vteam.web.counted import CELLS

    tally = Tally(cells=CELLS, rows=settings.SITE_WORKERS + WORKERS_ENDING_MAX)
    open_port(RoleName.SITE, SiteFigures(tally), _well)
    return tally


def _well() -> None:
    """Returns when a worker answers that it can serve; Away otherwise."""
    if not answers(reachable(settings.HOST), settings.SITE_PORT):
        raise Away("no worker says that it can serve")


def _count_in(tally: Tally) -> None:
    from vteam.web.figures import count_in

    with held(Path(settings.DATA), "site-rows", wait_seconds=WAIT_SECONDS):
        row = tally.claim()
    if row is None:
        logger.error("a worker's pages are not counted: too many workers are ending")
    else:
        count_in(row)
