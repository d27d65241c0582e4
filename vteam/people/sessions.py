"""Django's sessions in the database, read by a statement written out: every request of somebody signed in asks."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from vteam import clock

SESSION = "SELECT * FROM django_session WHERE session_key = %s"


class SessionStore(db.SessionStore):
    """Where Django looks for sessions (`SESSION_ENGINE`)."""

    def _get_session_from_db(self) -> Session | None:
        """Django's hook: the session of this key; one that is over, or nobody's, takes the key with it."""
        found = next(iter(Session.objects.raw(SESSION, [self.session_key])), None)
        if found is not None and found.expire_date > clock.now():
            return found
        self._session_key = None
        return None
