"""A mail from outside, taken apart within bounds: its fields and its parts, the deeper ones only when asked for.

The standard library's reader follows a message as deep as its sender nested it and keeps every field. Here a field
beyond the bounds is not read, a part beyond them is none, and no bytes make it fail.
"""

import binascii
import re
from dataclasses import dataclass
from itertools import islice, zip_longest

HEADER_BYTES_MAX = 64 * 1024
FIELDS_MAX = 500
VALUE_CHARACTERS_MAX = 4_000
PARTS_MAX = 20
_LINE_END = re.compile(r"\r?\n")
_EMPTY_LINE = re.compile(rb"(?:\A|\r?\n)[ \t]*\r?\n")
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A message, or a part of one. `fields`: names in small letters and unfolded values, in their order."""

    fields: Fields
    body: bytes

    def values(self, name: str) -> list[str]:
        """Every value of a field, the topmost first."""
        return [value for found, value in self.fields if found == name]

    def value(self, name: str) -> str:
        """The topmost value of a field; "" where there is none."""
        return next(iter(self.values(name)), "")

    @property
    def kind(self) -> str:
        """The content type in small letters, such as "text/plain"."""
        return self.value("content-type").partition(";")[0].strip().lower() or "text/plain"

    def parameter(self, name: str) -> str:
        """A parameter of the content type (RFC 2045, 5.1); "" where there is none."""
        written = rf';\s*{name}\s*=\s*(?:"([^"]{{0,200}})"|([^\s;"]{{1,200}}))'
        found = re.search(written, self.value("content-type"), re.IGNORECASE)
        return (found[1] or found[2] or "") if found else ""

    def parts(self) -> list["Part"]:
        """The parts of a multipart (RFC 2046, 5.1), `PARTS_MAX` at most; none of anything else."""
        boundary = self.parameter("boundary")
        if not boundary or not self.kind.startswith("multipart/"):
            return []
        line = rb"(?:\A|\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*\r?(?=\n|\Z)"
        marks = list(islice(re.finditer(line, self.body), PARTS_MAX + 1))
        found = []
        for mark, following in zip_longest(marks, marks[1:]):
            if mark[1]:
                break
            # The line's own end belongs to neither.
            end = following.start() if following else len(self.body)
            found.append(part_of(self.body[mark.end() + 1 : end]))
        return found[:PARTS_MAX]

    def content(self) -> bytes:
        """The body as it was before its transfer (RFC 2045, 6); nothing where that cannot be undone."""
        encoding = self.value("content-transfer-encoding").strip().lower()
        try:
            if encoding == "base64":
                return binascii.a2b_base64(self.body)
            return binascii.a2b_qp(self.body) if encoding == "quoted-printable" else self.body
        except binascii.Error:
            return b""


def part_of(raw: bytes) -> Part:
    """A message or part: fields, an empty line, a body."""
    gap = _EMPTY_LINE.search(raw)
    header, body = (raw[: gap.start()], raw[gap.end() :]) if gap else (raw, b"")
    return Part(fields_of(header), body)


def fields_of(block: bytes) -> Fields:
    """The fields of a header or of a report's group (RFC 5322, 2.2); what is no field is passed over."""
    found: list[tuple[str, list[str]]] = []
    for line in _LINE_END.split(block[:HEADER_BYTES_MAX].decode(errors="replace")):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t"):
            if found:
                found[-1][1].append(line.strip())
        elif colon and len(found) < FIELDS_MAX:
            found.append((name.strip().lower(), [value.strip()]))
    return tuple((name, " ".join(words)[:VALUE_CHARACTERS_MAX]) for name, words in found)


def groups_of(block: bytes, *, at_most: int) -> list[Fields]:
    """The groups of fields in a delivery report, empty lines between them (RFC 3464, 2.1)."""
    return [fields_of(group) for group in _EMPTY_LINE.split(block, at_most)[:at_most]]
