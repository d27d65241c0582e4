"""Django's sessions in the database, read by a statement written out: every request of somebody signed in asks."""

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection

from vteam import clock
from vteam.reading import rows

SESSION = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Where Django looks for sessions (`SESSION_ENGINE`)."""

    def load(self) -> dict[str, Any]:
        """Django's hook: what was put into the session; one that is over, or nobody's, takes its key with it."""
        now = connection.ops.adapt_datetimefield_value(clock.now())
        for (data,) in rows(SESSION, [self.session_key, now]):
            return self.decode(data)
        self._session_key = None
        return {}
