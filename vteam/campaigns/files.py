"""The stored files: audio and pictures, named by what they contain, in the data folder.

A file is written beside its place and moved there once whole; the same content is stored once.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

_NAME = re.compile(r"[0-9a-f]{64}")


def store(content: bytes) -> str:
    """Keep some bytes; returns their SHA-256 (64 hex digits), by which they are found again."""
    name = hashlib.sha256(content).hexdigest()
    place = path_of(name)
    if place.exists():
        return name
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"{name}.{secrets.token_hex(4)}")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(place)
    return name


def stored_files() -> Iterator[Path]:
    """Every stored file, by name; not what is being written."""
    for path in sorted((Path(settings.DATA) / "files").glob("*/*")):
        if _NAME.fullmatch(path.name):
            yield path


def path_of(name: str) -> Path:
    """Where the file of a SHA-256 stands; ValueError for anything that is not one."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a stored file: {name[:80]!r}")
    return Path(settings.DATA) / "files" / name[:2] / name
