"""Tells an outage from our own faults: a database that is away passes by itself, a fault of ours must be mended.

Away: it cannot be reached, does not answer in time, or cannot write (disk full, read-only, another writer's turn).
Whatever else a database refuses, such as a table it does not know, is ours.
"""

import errno
import logging
import sqlite3
import time

from django.db.utils import InterfaceError, InternalError, OperationalError

# Primary result codes of SQLite (sqlite.org/rescode.html).
PRIMARY_CODE = 0xFF
SQLITE_AWAY = frozenset({
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
})  # fmt: skip
# SQLSTATE (PostgreSQL, appendix A): connection, resources (disk full), shutdown, system; then those that pass when
# tried again: read-only (a replica that takes over), cancelled by a timeout, deadlock, lock not to be had.
POSTGRESQL_AWAY = ("08", "53", "57P", "58", "25006", "25P03", "57014", "40", "55P03")
FILES_AWAY = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
OUTAGE_SECONDS_MAX = 5.0


def is_outage(fault: BaseException | None) -> bool:
    """Whether this exception (Django's, sqlite3's or the system's) says that a database or disk is away."""
    if isinstance(fault, OSError):
        return fault.errno in FILES_AWAY
    if isinstance(fault, InterfaceError | InternalError | OperationalError):
        cause = fault.__cause__
        if not isinstance(cause, sqlite3.Error):
            return _is_postgresql_away(fault, getattr(cause, "sqlstate", None))
        fault = cause
    return (
        isinstance(fault, sqlite3.Error)
        and getattr(fault, "sqlite_errorcode", 0) & PRIMARY_CODE in SQLITE_AWAY
    )


def _is_postgresql_away(fault: Exception, state: str | None) -> bool:
    """Without a state it was the driver who spoke: the connection is lost or was never had."""
    if state is None:
        return not isinstance(fault, InternalError)
    return state.startswith(POSTGRESQL_AWAY)


def first_line(fault: BaseException) -> str:
    """What a log says of an outage."""
    return (str(fault) or type(fault).__name__).splitlines()[0]


def report(logger: logging.Logger, what: str, fault: Exception, *, failures: int, pause: float) -> float:
    """Say that `what` failed for the `failures`th time in a row; returns the seconds to wait, `pause` at most.

    A fault of ours is a traceback each time. An outage is a line, said ever more rarely (the 1st, 2nd, 4th, 8th…
    time), and tried again within OUTAGE_SECONDS_MAX. Call it where the exception is handled.
    """
    if not is_outage(fault):
        logger.exception("%s failed; trying again in %.1f s", what, pause)
        return pause
    pause = min(pause, OUTAGE_SECONDS_MAX)
    if failures & (failures - 1) == 0:
        logger.warning("%s must wait (%s); trying again in %.1f s", what, first_line(fault), pause)
    return pause


class OutageLines(logging.Filter):
    """Makes one line a minute of what would be a traceback for each page that an outage stops."""

    SECONDS = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._next_at = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Logging's hook; other records pass as they are."""
        fault = record.exc_info[1] if record.exc_info else None
        if fault is None or not is_outage(fault):
            return True
        now = time.monotonic()
        if now < self._next_at:
            return False
        self._next_at = now + self.SECONDS
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "pages cannot be answered (%s)", (first_line(fault),)
        record.exc_info, record.exc_text = None, None
        record.__dict__.pop("request", None)  # it is not about this page
        return True
