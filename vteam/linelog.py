"""A log of lines beside the database: only added to, on disk before its writer goes on, kept by no database.

A line begins with its own line feed, so that what a power cut left of the one before spoils nothing; its own ends it.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

Line = TypeVar("Line")


def add(lines: Iterable[str], *, log: Path) -> None:
    """Add to the log, for its owner alone; on disk when this returns. Raises OSError when it cannot be written."""
    text = "".join(f"\n{line}\n" for line in lines)
    if not text:
        return
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(text.encode())
        os.fsync(descriptor)
    folder = os.open(log.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(
    log: Path, line_of: Callable[[bytes], Line | None], *, what: str, logger: logging.Logger
) -> Iterator[Line]:
    """The log's lines, oldest first, as `line_of` reads each; none where there is no log.

    What it makes None of is reported, as `what` that was interrupted, and passed over.
    """
    if not log.exists():
        return
    with log.open("rb") as file:
        for number, written in enumerate(file, start=1):
            text = written.rstrip(b"\n")
            line = line_of(text) if text.strip() else None
            if line is not None:
                yield line
            elif text.strip():
                logger.warning("%s, line %d cannot be read: %s that was interrupted", log, number, what)
