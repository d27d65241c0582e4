"""Somebody's session, made as signing in makes it, so that a bench need not read mail. Used once Django is set up."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vteam.people.models import Fan


def session_cookie(fan: "Fan") -> tuple[str, str]:
    """The name and the value of the cookie of a fan who is signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from vteam.people.sessions import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(fan.person_id)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = fan.person.get_session_auth_hash()
    session.save()
    return settings.SESSION_COOKIE_NAME, str(session.session_key)
