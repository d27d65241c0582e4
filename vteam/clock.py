"""The server's clock, read only at the edges; everything else is given its time.

Hot tables keep times as whole UTC microseconds since 1970 (`*_at_us`), the rest as aware UTC datetimes.
"""

import datetime as dt
import time

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def now() -> dt.datetime:
    """The current time, aware UTC."""
    return from_us(now_us())


def now_us() -> int:
    """The current time in whole microseconds UTC since 1970."""
    return time.time_ns() // 1000


def to_us(moment: dt.datetime) -> int:
    """An aware datetime in whole microseconds UTC; a naive one raises TypeError."""
    return (moment - EPOCH) // MICROSECOND


def from_us(at_us: int) -> dt.datetime:
    """Whole microseconds UTC as an aware datetime."""
    return EPOCH + dt.timedelta(microseconds=at_us)
