"""Which bytes a request asks for, and reading them: a copy is a few bytes of a fan's own and a file for
all.

One range is answered; several at once, another unit, or a header that breaks the grammar get the whole,
as the standard allows. Source: RFC 9110, sections 14.1.2 and 14.2.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 64 << 10
DIGITS_MAX: Final = 18
"""A number of more digits is larger than any file: it is read as such and never computed."""
BEYOND_EVERY_FILE: Final = 10**DIGITS_MAX
ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes `start` to `stop` (excluded) of `size`. `partial`: answered with 206 and a Content-Range."""

    start: int
    stop: int
    size: int
    partial: bool

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The value of the Content-Range header of a 206."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsatisfiable:
    """The range lies outside: answered with 416 and this Content-Range."""

    size: int

    @property
    def content_range(self) -> str:
        """The value of the Content-Range header of a 416."""
        return f"bytes */{self.size}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bytes `start` to `stop` (excluded) of the file at `path`."""

    path: Path
    start: int
    stop: int


def requested_span(header: str | None, size: int) -> Span | Unsatisfiable:
    """What the value of a Range header (None: there was none) asks of a content of `size` bytes."""
    whole = Span(start=0, stop=size, size=size, partial=False)
    shape = ONE_RANGE.fullmatch(header) if header is not None else None
    if shape is None or not (shape[1] or shape[2]):
        return whole
    if not shape[1]:
        return _last(_number(shape[2]), whole)
    first = _number(shape[1])
    last = _number(shape[2]) if shape[2] else size - 1
    if shape[2] and last < first:
        return whole
    if first >= size:
        return Unsatisfiable(size=size)
    return Span(start=first, stop=min(last + 1, size), size=size, partial=True)


def _last(length: int, whole: Span) -> Span | Unsatisfiable:
    """The last `length` bytes; all of them where there are fewer."""
    if length == 0:
        return Unsatisfiable(size=whole.size)
    if whole.size == 0:
        return whole  # there is no 206 of nothing
    return Span(start=max(0, whole.size - length), stop=whole.size, size=whole.size, partial=True)


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= DIGITS_MAX else BEYOND_EVERY_FILE


def total_bytes(parts: Sequence[bytes | Segment]) -> int:
    """The length of the parts one after the other."""
    return sum(_length(part) for part in parts)


def read_span(
    parts: Sequence[bytes | Segment], start: int, stop: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes]:
    """Bytes `start` to `stop` (excluded) of the parts in a row, in chunks of at most `chunk_bytes`.

    A file is open only while it is read. One that has become shorter than its segment raises OSError: the
    answer then breaks off, never ends as if it were whole.
    """
    begins = 0
    for part in parts:
        length = _length(part)
        low, high = max(start - begins, 0), min(stop - begins, length)
        if low < high:
            yield from _chunks(part, low, high, chunk_bytes)
        begins += length


def _length(part: bytes | Segment) -> int:
    return len(part) if isinstance(part, bytes) else part.stop - part.start


def _chunks(part: bytes | Segment, low: int, high: int, chunk_bytes: int) -> Iterator[bytes]:
    if isinstance(part, bytes):
        for at in range(low, high, chunk_bytes):
            yield part[at : min(at + chunk_bytes, high)]
        return
    with part.path.open("rb") as file:
        file.seek(part.start + low)
        left = high - low
        while left:
            chunk = file.read(min(chunk_bytes, left))
            if not chunk:
                raise OSError(f"{part.path} ends {left} bytes too early")
            left -= len(chunk)
            yield chunk
