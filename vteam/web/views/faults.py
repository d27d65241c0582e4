"""What a person sees when a page could not be made: an outage that passes (503), a fault of ours (500), or a request
that is none (400).
"""

import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from vteam.outage import is_outage
from vteam.web.guards import is_world_door, said_at_world_door

RETRY_SECONDS = 10


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: the address is not ours, or the request cannot be read."""
    if not is_world_door(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return said_at_world_door(status=400, text="This is not the site's address.", why="host")
    return said_at_world_door(status=400, text="This request cannot be read.", why="unreadable")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the exception is handled. Asks no database."""
    if not is_outage(sys.exc_info()[1]):
        return defaults.server_error(request)
    answer = render(request, "503.html", status=503)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    answer.headers["Cache-Control"] = "no-store"
    return answer
