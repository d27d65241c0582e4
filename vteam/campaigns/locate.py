"""Where a value stands in a TOML text: the line of a path such as ("missions", 2, "points").

The standard parser tells no lines, so this walks the same text once more, keeping only names and places.
It expects a text `tomllib` accepts (other texts end in ValueError or in fewer places, never in a loop)
and judges nothing: what the values mean is the parser's business. Grammar: TOML 1.0.
"""

import re
import tomllib
from collections.abc import Iterable

Step = str | int
Path = tuple[Step, ...]

BLANK = re.compile(r"[ \t]*")
BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
LITERAL = re.compile(r"'[^'\n]*'")
# A closing delimiter may be preceded by up to two quotes that belong to the text.
BASIC_LONG = re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)
LITERAL_LONG = re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}", re.DOTALL)
PLAIN_VALUE = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")


class Lines:
    """The lines of every table and value of one TOML text, numbered from 1."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._counted_to = 0
        self._line = 1
        self._lines: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}
        self._walk()

    def line(self, path: Iterable[Step]) -> int:
        """The line where `path` begins; where it is not written, of the nearest thing around it (else 1)."""
        steps = tuple(path)
        while steps and steps not in self._lines:
            steps = steps[:-1]
        return self._lines.get(steps, 1)

    def __contains__(self, path: Path) -> bool:
        return path in self._lines

    def _walk(self) -> None:
        table: Path = ()
        self._skip(BLANK_LINES)
        while self._at < len(self._source):
            if self._next("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(BLANK_LINES)

    # Names ------------------------------------------------------------
    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the path of the table that begins, with an index for each array on the way."""
        line = self._line_here()
        brackets = 2 if self._source.startswith("[[", self._at) else 1
        self._at += brackets
        keys = self._dotted_key()
        self._expect("]" * brackets)
        inside = (*self._inside((), keys[:-1], line), keys[-1])
        if brackets == 2:
            index = self._lengths.get(inside, 0)
            self._lengths[inside] = index + 1
            self._note(inside, line)
            inside = (*inside, index)
        elif inside in self._lengths:
            inside = (*inside, self._lengths[inside] - 1)
        self._lines[inside] = line  # a header says more than a name on the way to another table
        return inside

    def _inside(self, table: Path, keys: list[str], line: int) -> Path:
        """The path of `keys` under `table`; a name of an array of tables means its last table."""
        for key in keys:
            table = (*table, key)
            self._note(table, line)
            if table in self._lengths:
                table = (*table, self._lengths[table] - 1)
        return table

    def _dotted_key(self) -> list[str]:
        keys = [self._simple_key()]
        while self._next("."):
            self._at += 1
            keys.append(self._simple_key())
        return keys

    def _simple_key(self) -> str:
        self._skip(BLANK)
        for shape in (BARE_KEY, BASIC, LITERAL):
            written = self._take(shape)
            if written is not None:
                self._skip(BLANK)
                return written if shape is BARE_KEY else str(tomllib.loads(f"key = {written}")["key"])
        raise ValueError(f"no key on line {self._line_here()}")

    # Values ------------------------------------------------------------
    def _pair(self, table: Path) -> None:
        """`a.b = value`, in a table or between braces."""
        line = self._line_here()
        keys = self._dotted_key()
        self._expect("=")
        path = (*self._inside(table, keys[:-1], line), keys[-1])
        self._note(path, line)
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(BLANK)
        if self._next("["):
            self._array(path)
        elif self._next("{"):
            self._inline_table(path)
        elif not any(self._take(shape) for shape in (BASIC_LONG, LITERAL_LONG, BASIC, LITERAL, PLAIN_VALUE)):
            raise ValueError(f"no value on line {self._line_here()}")

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        self._skip(BLANK_LINES)
        while not self._next("]"):
            self._note((*path, index), self._line_here())
            self._value((*path, index))
            self._comma()
            index += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip(BLANK_LINES)
        while not self._next("}"):
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self._skip(BLANK_LINES)
        if self._next(","):
            self._at += 1
            self._skip(BLANK_LINES)
        elif not (self._next("]") or self._next("}")):
            raise ValueError(f"no comma on line {self._line_here()}")

    # The text ------------------------------------------------------------
    def _next(self, mark: str) -> bool:
        return self._source.startswith(mark, self._at)

    def _expect(self, mark: str) -> None:
        if not self._next(mark):
            raise ValueError(f"no {mark} on line {self._line_here()}")
        self._at += len(mark)

    def _skip(self, shape: re.Pattern[str]) -> None:
        self._take(shape)

    def _take(self, shape: re.Pattern[str]) -> str | None:
        """The text at this place that has `shape`, stepped over; None where there is none."""
        found = shape.match(self._source, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _line_here(self) -> int:
        self._line += self._source.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _note(self, path: Path, line: int) -> None:
        self._lines.setdefault(path, line)
