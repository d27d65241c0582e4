"""Draws that anybody can do again: who wins is a pure function of frozen entries and of randomness nobody had yet.

First the entries are frozen and the announcement that names their hash, and where the randomness will come from, is
published; later the randomness comes, and with it the order in which the entries are drawn. docs/draws.md says it all
in twenty lines, so that whoever distrusts this file can write their own.

Pure: nothing is read, sent or timed. The same is done in JavaScript for browsers (web/assets/scripts/draws.js).
"""

import hashlib
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from vteam.rules.canonical import canonical

ALGORITHM = "vteam-draw-1"
WEIGHT_MAX = 2**31
"""No entry weighs more."""
TOTAL_MAX = 2**53
"""Nor do all together weigh as much: a browser's numbers are exact below it."""
_EVERY = 2**256


class Entry(NamedTuple):
    """One entry of a draw. `id`: random, it says nothing of whose it is. `weight`: its share of the chances, from 1."""

    id: str
    weight: int


def entries_sha256(entries: Iterable[Entry]) -> str:
    """The hash (64 hex digits) of entries in the order given: of a line each, the id, a space and the weight."""
    hashed = hashlib.sha256()
    lines: list[str] = []
    for id_, weight in entries:
        lines.append(f"{id_} {weight}\n")
        if len(lines) == 4096:
            hashed.update("".join(lines).encode())
            lines.clear()
    hashed.update("".join(lines).encode())
    return hashed.hexdigest()


def announcement_sha256(announcement: Mapping[str, Any]) -> str:
    """The hash (64 hex digits) an announcement is known by: of its canonical text."""
    return hashlib.sha256(canonical(announcement).encode()).hexdigest()


def seed_of(announcement_hash: str, randomness: bytes) -> bytes:
    """The seed (32 bytes) of a draw: nobody has it before the randomness is there."""
    return hashlib.sha256(ALGORITHM.encode() + b"\n" + bytes.fromhex(announcement_hash) + randomness).digest()


def drawn(seed: bytes, weights: Sequence[int], how_many: int) -> list[int]:
    """Which entries (by place, from 0) are drawn, in order, each at most once; all of them where there are no more.

    An entry's chance to be drawn next is its share of what all that are left weigh.
    """
    ends = list(accumulate(weights))
    left = ends[-1] if ends else 0
    out: list[int] = []  # places drawn already, lowest first
    order: list[int] = []
    while len(order) < min(how_many, len(ends)):
        at = _number_below(left, seed, len(order))
        # `at` counts along what is left: past each one drawn before it, it moves on by what that one weighed.
        for place in out:
            if at < ends[place] - weights[place]:
                break
            at += weights[place]
        place = bisect_right(ends, at)
        order.append(place)
        insort(out, place)
        left -= weights[place]
    return order


def _number_below(limit: int, seed: bytes, turn: int) -> int:
    """A number from 0 up to, not including, `limit`, all equally likely: hashes beyond the last whole multiple of it
    are passed over.
    """
    attempt = 0
    while True:
        text = seed + turn.to_bytes(4, "big") + attempt.to_bytes(4, "big")
        number = int.from_bytes(hashlib.sha256(text).digest(), "big")
        if number < _EVERY - _EVERY % limit:
            return number % limit
        attempt += 1
