"""One database connection that comes back by itself after the database was away.

Work fails at once while the database is away (`Away`), and is tried again later by whoever asked: nothing waits
here, nothing is kept for later. Each object is used by one thread.
"""

import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from vteam.errors import Away

BACKOFF_SECONDS_MIN = 0.1
BACKOFF_SECONDS_MAX = 5.0


class Closable(Protocol):
    """A connection of either driver."""

    def close(self) -> None:
        """Lets the database go."""


C = TypeVar("C", bound=Closable)
T = TypeVar("T")


class Connection(Generic[C]):
    """Opens lazily with `connect`; `faults` are the driver's exceptions that mean "away"."""

    def __init__(self, connect: Callable[[], C], *, faults: type[Exception]) -> None:
        self._connect = connect
        self._faults = faults
        self._open: C | None = None
        self._backoff_s = 0.0
        self._next_try = 0.0

    def use(self, work: Callable[[C], T]) -> T:
        """The result of `work` on the open connection; a connection that failed is closed and opened anew next time.

        Raises Away when the database cannot be reached or the work failed in it.
        """
        connection = self._open or self._opened()
        try:
            return work(connection)
        except self._faults as fault:
            self.close()
            raise Away(_first_line(fault)) from fault

    def close(self) -> None:
        """Closes; harmless when closed already."""
        connection, self._open = self._open, None
        if connection is not None:
            try:
                connection.close()
            except self._faults:
                return  # what is broken already need not be closed well

    def _opened(self) -> C:
        if time.monotonic() < self._next_try:
            raise Away("the database is away")
        try:
            self._open = self._connect()
        except self._faults as fault:
            self._backoff_s = min(max(self._backoff_s * 2, BACKOFF_SECONDS_MIN), BACKOFF_SECONDS_MAX)
            self._next_try = time.monotonic() + self._backoff_s
            raise Away(_first_line(fault)) from fault
        self._backoff_s = 0.0
        return self._open


def _first_line(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__).splitlines()[0]
