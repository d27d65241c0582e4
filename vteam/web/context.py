"""What every template may use, beside what its view gives.

Nothing here touches the session or the database: a page of a visitor stays cookie-free, and the page that says
"something broke on our side" needs nothing but its template.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from vteam.web.language import editions


def page(request: HttpRequest) -> dict[str, Any]:
    """`editions`: this page in each language. `language`: this one's code. `demo`: mails are read at /mailbox.

    `has_cookie`: whether this browser sent our cookie, which only those who came in have.
    """
    return {
        "editions": editions(request),
        "language": get_language(),
        "demo": settings.DEMO,
        "has_cookie": settings.SESSION_COOKIE_NAME in request.COOKIES,
    }
