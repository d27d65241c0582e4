"""Rounds in turn, so that a machine that gets slower meanwhile is as unkind to one side as to the other."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager


def interleaved(sides: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, list[float]]:
    """What each side gave in each round: A B, A B, …"""
    given: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            given[name].append(side())
    return given


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios round by round."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share (0 to 1) of them lie; the nearest one there is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Deadline:
    """How much of a bench's time is left, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Never below zero."""
        return max(0.0, self._end - time.monotonic())


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """This process, and what it starts meanwhile, on one core (of those it may use); the others stay free."""
    before = os.sched_getaffinity(0)
    cores = sorted(before)
    os.sched_setaffinity(0, {cores[number % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
