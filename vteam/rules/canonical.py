"""One spelling for every value that is hashed or compared: the stored text itself is what counts.

JSON with sorted keys, no spaces and unescaped Unicode. Floats are refused: they have no single spelling.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = "00" * 32  # what the first link of every chain follows


def canonical(value: Mapping[str, Any]) -> str:
    """The canonical text of a mapping of strings, whole numbers, booleans, lists and mappings."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str, *, after: str = "") -> str:
    """SHA-256 (64 hex digits) of a text, chained to the hash `after` of the one before."""
    return hashlib.sha256(bytes.fromhex(after) + text.encode()).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical spelling")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
