"""A connection to PostgreSQL that gives up an answer which does not come.

The server's own `statement_timeout` ends a slow statement; nothing ends the wait for a server that is frozen (its
disk hangs, it was stopped): its machine still acknowledges every byte, so that TCP notices nothing either. Without
this each page would keep its thread until none is left.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

# A little longer than a statement may take (settings), so that a server that lives speaks first.
ANSWER_SECONDS_MAX = 12.0
T = TypeVar("T")


class Connection(psycopg.Connection[Any]):
    """psycopg's connection; whatever the server is asked is answered in time, or the connection is given up.

    What it was asked last may still be done by a server that wakes: whoever gave up does not know.
    """

    answer_seconds_max: float | None = ANSWER_SECONDS_MAX

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """The driver's hook around every wait. Raises OperationalError, the connection closed, when time is up."""
        patience = self.answer_seconds_max if timeout is None else timeout
        try:
            return super().wait(gen, interval, patience)
        except psycopg.errors._WaitTimeout as silence:
            self.close()  # what it would answer later must not be taken for the next answer
            raise psycopg.OperationalError(f"no answer within {patience:g} s") from silence
