"""How counters are kept: their names stand in decisions for ever, their places in the table serve the disk.

What belongs to one fan stands side by side, because a fact touches all of it at once: one page of the table is
read and written instead of one a counter.
"""

from collections.abc import Iterable

# Counters whose name goes on `:mission:fan` (`rules.decisions.keys_for`).
_OF_A_FAN = frozenset({"same", "waits", "fan", "day", "unknown"})


def place_of(name: str) -> str:
    """The key of a counter's row: its name, behind its fan's number where it is about one fan."""
    parts = name.split(":", 3)
    return f"{parts[2]}:{name}" if parts[0] in _OF_A_FAN else name


def places_of(names: Iterable[str]) -> dict[str, str]:
    """Each counter's name by the key of its row."""
    return {place_of(name): name for name in names}


def reversed_key(decision: int) -> str:
    """The counter that is 1 once an award was taken back."""
    return f"reversed:{decision}"


def arrivals_key(share: int) -> str:
    """The counter of people who came through a share."""
    return f"arrivals:{share}"
