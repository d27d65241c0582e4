"""A question that may take long (to a database), asked by one thread at a time however many want to know.

Strangers may ask for our health as often as they like: they are told what was found within the last second, and
nobody waits long for a database that hangs.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from vteam.errors import Away

FRESH_SECONDS = 1.0
WAIT_SECONDS_MAX = 2.0

T = TypeVar("T")


class Asked(Generic[T]):
    """`ask` runs in a thread of its own, at most once every FRESH_SECONDS and never twice at once."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._under_way: _Answer[T] | None = None

    def answer(self) -> T:
        """What was answered lately; Away when nothing is within WAIT_SECONDS_MAX, or asking failed."""
        with self._lock:
            asked = self._under_way
            if asked is None or asked.is_old():
                asked = self._under_way = _Answer(self._ask)
        return asked.get()


class _Answer(Generic[T]):
    """One asking and what came of it."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._begun = time.monotonic()
        self._found: list[T] = []
        self._fault = ""
        self._thread = threading.Thread(target=self._find, args=(ask,), name="question", daemon=True)
        self._thread.start()

    def _find(self, ask: Callable[[], T]) -> None:
        try:
            self._found.append(ask())
        except Exception as fault:  # whatever it is, whoever asked is told
            self._fault = (str(fault) or type(fault).__name__).splitlines()[0]

    def is_old(self) -> bool:
        """Whether to ask again: never while this asking goes on."""
        return not self._thread.is_alive() and time.monotonic() - self._begun > FRESH_SECONDS

    def get(self) -> T:
        """The answer, waited for until WAIT_SECONDS_MAX after it was asked for."""
        self._thread.join(max(0.0, self._begun + WAIT_SECONDS_MAX - time.monotonic()))
        if self._found:
            return self._found[0]
        raise Away(self._fault or f"no answer within {WAIT_SECONDS_MAX:g} s")
