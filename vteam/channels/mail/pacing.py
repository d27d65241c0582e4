"""No faster than a mail domain likes to be written to: so many letters a minute each, counted in this process."""

import datetime as dt

from django.conf import settings

DOMAINS_MAX = 10_000
MINUTE = dt.timedelta(minutes=1)


class Pacing:
    """What each domain was handed in the minute that runs."""

    def __init__(self) -> None:
        self._minute: dt.datetime | None = None
        self._handed: dict[str, int] = {}

    def later(self, address: str, *, at: dt.datetime) -> dt.datetime | None:
        """Count a letter to an address; where its domain had enough this minute, when the next one begins instead."""
        minute = at.replace(second=0, microsecond=0)
        if minute != self._minute or len(self._handed) > DOMAINS_MAX:
            self._minute, self._handed = minute, {}
        domain = address.rpartition("@")[2]
        handed = self._handed.get(domain, 0)
        if handed >= settings.MAILS_PER_DOMAIN_MINUTE:
            return minute + MINUTE
        self._handed[domain] = handed + 1
        return None
