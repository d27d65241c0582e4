"""Work in a thread of its own beside a process's loop, turn by turn, so that what is slow holds up nothing else.

A turn that fails is reported and tried again, ever later; the next may find that all is well. The thread has a
database connection of its own.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection

from vteam.outage import report

RETRY_SECONDS, TROUBLE_SECONDS_MAX = 0.4, 30.0
# How long the end of the process waits for a turn under way.
FAREWELL_SECONDS = 8.0

logger = logging.getLogger(__name__)


class Beside:
    """`turn` does what is due and says for how many seconds nothing more is; `wake` ends that rest early."""

    def __init__(self, what: str, turn: Callable[[], float]) -> None:
        self.what, self._turn = what, turn
        self._wake, self._stop = threading.Event(), False

    def wake(self) -> None:
        """There is something to do now."""
        self._wake.set()

    @contextmanager
    def running(self, *, farewell: str) -> Iterator[None]:
        """Work while the block runs; `farewell` is what to tell where a turn is still under way at its end."""
        self._stop = False
        thread = threading.Thread(target=self._work, name=self.what, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop = True
            self._wake.set()
            thread.join(timeout=FAREWELL_SECONDS)
            if thread.is_alive():
                logger.warning("%s", farewell)

    def _work(self) -> None:
        failures = 0
        try:
            while not self._stop:
                self._wake.clear()
                pause, failures = self._once(failures)
                if not self._stop:
                    self._wake.wait(pause)
        finally:
            connection.close()

    def _once(self, failures: int) -> tuple[float, int]:
        """One turn: how many seconds to rest, longer after each failure, and the failures in a row."""
        try:
            pause = self._turn()
        except Exception as fault:
            failures += 1
            longer = min(RETRY_SECONDS * 2 ** min(failures - 1, 16), TROUBLE_SECONDS_MAX)
            pause = report(logger, self.what, fault, failures=failures, pause=longer)
            close_old_connections()
            return pause, failures
        if failures:
            logger.info("%s works again", self.what)
        return pause, 0
