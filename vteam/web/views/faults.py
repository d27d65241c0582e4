"""What a person sees when a page could not be made: an outage that passes (503), or a fault of ours (500)."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from vteam.outage import is_outage

RETRY_SECONDS = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the exception is handled. Asks no database."""
    if not is_outage(sys.exc_info()[1]):
        return defaults.server_error(request)
    answer = render(request, "503.html", status=503)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    answer.headers["Cache-Control"] = "no-store"
    return answer
