"""Budgets of the public doors: so much per key and window of time, counted in the database, refused beyond."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F

from vteam import clock
from vteam.permissions.models import Budget

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def take(*, door: str, key: str, limit: int, window: dt.timedelta, at: dt.datetime) -> bool:
    """Use one unit of a budget; False (and nothing more is counted) when `limit` is reached in this window."""
    if limit <= 0:
        return False
    name = _name(door, key, window, at)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO permissions_budget (key, used, expires_at) VALUES (%s, 1, %s) "
            "ON CONFLICT (key) DO UPDATE SET used = permissions_budget.used + 1 "
            "WHERE permissions_budget.used < %s",
            [name, connection.ops.adapt_datetimefield_value(at + window * 2), limit],
        )
        return bool(cursor.rowcount == 1)


def in_days_of(zone: str, at: dt.datetime) -> dt.datetime:
    """The `at` to take from a DAY by, where days are to begin at midnight in a time zone and not in UTC."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=dt.UTC)


def give_back(*, door: str, key: str, window: dt.timedelta, at: dt.datetime) -> None:
    """Return the unit that was taken at the same `at`."""
    Budget.objects.filter(key=_name(door, key, window, at), used__gt=0).update(used=F("used") - 1)


def _name(door: str, key: str, window: dt.timedelta, at: dt.datetime) -> str:
    return f"{door}:{key}:{clock.to_us(at) // clock.to_us(clock.EPOCH + window)}"


def forget_past(*, at: dt.datetime) -> int:
    """Delete the windows that are over; returns how many."""
    return Budget.objects.filter(expires_at__lt=at).delete()[0]
