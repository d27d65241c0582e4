"""One spelling for every value that is hashed or compared: the stored text itself is what counts.

JSON with sorted keys, no spaces and unescaped Unicode. Floats are refused: they have no single spelling.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

GENESIS = "00" * 32  # what the first link of every chain follows


# Made once: the books spell three texts a fact.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_SPELLED_ONE_WAY = frozenset({str, int, bool, type(None)})


def canonical(value: Mapping[str, Any]) -> str:
    """The canonical text of a mapping of strings, whole numbers, booleans, lists and mappings."""
    _refuse_floats(value.values())
    return _encode(value)


def digest(text: str, *, after: str = "") -> str:
    """SHA-256 (64 hex digits) of a text, chained to the hash `after` of the one before."""
    return hashlib.sha256(bytes.fromhex(after) + text.encode()).hexdigest()


def _refuse_floats(values: Iterable[Any]) -> None:
    for value in values:
        if type(value) in _SPELLED_ONE_WAY:
            continue
        if isinstance(value, float):
            raise TypeError("a float has no canonical spelling")
        if isinstance(value, Mapping):
            _refuse_floats(value.values())
        elif isinstance(value, list | tuple):
            _refuse_floats(value)
