"""Mail in a thread of its own beside the loop of `jobs`: a slow mail server holds up letters, and no facts.

Refuses nothing: what cannot be delivered waits in the outbox, and the next turn finds it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection

from vteam import clock
from vteam.channels.mail.delivery import deliver_due
from vteam.outage import report

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 0.2
TROUBLE_SECONDS_MAX = 30.0
# How long the end of the process waits for a letter under way; longer than a server's silence is borne.
FAREWELL_SECONDS = 8.0


@contextmanager
def delivering() -> Iterator[None]:
    """Deliver what is due while the block runs; the thread's database connection is its own."""
    stop = threading.Event()
    thread = threading.Thread(target=_deliver_until, args=(stop,), name="mail", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=FAREWELL_SECONDS)
        if thread.is_alive():
            logger.warning(
                "a letter was still under way at the end; if the server took it, it may come twice"
            )


def _deliver_until(stop: threading.Event) -> None:
    pause, failures = 0.0, 0
    try:
        while not stop.wait(pause):
            pause, failures = _turn(failures)
    finally:
        connection.close()


def _turn(failures: int) -> tuple[float, int]:
    """One turn: how many seconds to wait for the next, longer after each failure, and the failures in a row."""
    try:
        done = deliver_due(at=clock.now())
    except Exception as fault:
        failures += 1
        longer = min(PAUSE_SECONDS * 2 ** min(failures, 16), TROUBLE_SECONDS_MAX)
        pause = report(logger, "sending mail", fault, failures=failures, pause=longer)
        close_old_connections()
        return pause, failures
    if failures:
        logger.info("sending mail works again")
    return (0.0 if done else PAUSE_SECONDS), 0
