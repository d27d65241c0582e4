"""`/healthz`: whether this worker can serve, which is whether the database answers it.

It is open to strangers, so it is cheap: the database is asked at most once a second, by one thread, whoever knocks
and however often; and it says nothing but yes or no. A database that hangs is a no.
"""

from django.db import connection
from django.http import HttpRequest, HttpResponse

from vteam.errors import Away
from vteam.metrics.asked import Asked


def _ask_database() -> None:
    """Over a connection of its own, closed again: it comes from a thread that ends."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            cursor.fetchone()
    finally:
        connection.close()


_database = Asked(_ask_database)


def healthz(request: HttpRequest) -> HttpResponse:
    """200 when a page could be served now, 503 when not."""
    try:
        _database.answer()
    except Away:
        return HttpResponse("not now", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
