"""Counts every page a worker answers, once the worker has been given a row to count in."""

import time
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vteam.metrics.tally import Row
from vteam.web import counted

_rows: list[Row] = []


def count_in(row: Row) -> None:
    """From now on this process counts in `row`."""
    _rows[:] = [row]


class FiguresMiddleware:
    """Stands outermost, so that refusals and faults are counted too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's hook."""
        begun = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - begun
        for row in _rows:
            counted.count_page(row, group=_group(request), status=response.status_code, seconds=seconds)
        return response

    def process_exception(self, request: HttpRequest, fault: Exception) -> None:
        """Django's hook for what a view raised; None leaves the answer to Django."""
        if isinstance(fault, DatabaseError):
            for row in _rows:
                counted.count_database_error(row)


def _group(request: HttpRequest) -> str:
    """The module of the view that answered; `other` where none did."""
    match = request.resolver_match
    return match.func.__module__.rpartition(".")[2] if match else counted.OTHER
