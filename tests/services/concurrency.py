"""Doing things at the very same moment, each with a database connection of its own, as processes do."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection


def at_once(*doings: Callable[[], Any]) -> list[Any]:
    """What each returned, or the exception it ended with, in the order given."""
    results: list[Any] = [None] * len(doings)
    gate = threading.Barrier(len(doings))

    def run(place: int, doing: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=20)
            results[place] = doing()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(doings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "one of them never came back"
    return results


def raised(results: Sequence[Any]) -> list[Exception]:
    """The exceptions among what `at_once` gave."""
    return [result for result in results if isinstance(result, Exception)]
