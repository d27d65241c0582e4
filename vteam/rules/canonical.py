"""One spelling for every value that is hashed or compared: the stored text itself is what counts.

JSON with sorted keys, no spaces and unescaped Unicode. Refused: floats, which have no single spelling, whole numbers
beyond 64 bits, half characters, and whatever is not JSON.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

GENESIS = "00" * 32  # what the first link of every chain follows
_SPELLED_ONE_WAY = frozenset({str, int, bool, type(None)})


def canonical(value: Mapping[str, Any]) -> str:
    """The canonical text of a mapping of strings, whole numbers, booleans, lists and mappings; TypeError for others."""
    if not _SPELLED_ONE_WAY.issuperset(map(type, value.values())):
        _refuse_others(value.values())
    return spelled(value)


def spelled(value: Mapping[str, Any]) -> str:
    """The same for a mapping we made ourselves of nothing else: what it is made of is not looked at again."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def digest(text: str, *, after: str = "") -> str:
    """SHA-256 (64 hex digits) of a text, chained to the hash `after` of the one before."""
    return hashlib.sha256(bytes.fromhex(after) + text.encode()).hexdigest()


def _refuse_others(values: Iterable[Any]) -> None:
    for value in values:
        if type(value) in _SPELLED_ONE_WAY or isinstance(value, str):
            continue
        if isinstance(value, list | tuple):
            if not _SPELLED_ONE_WAY.issuperset(map(type, value)):
                _refuse_others(value)
        elif isinstance(value, Mapping):
            _refuse_others(value.values())
        else:
            raise TypeError(f"a {type(value).__name__} has no canonical spelling")
