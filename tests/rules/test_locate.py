"""The line of every value: against documents written line by line, and against whatever the parser accepts."""

import contextlib
import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vteam.campaigns.locate import Lines

DOCUMENT = '''# a note
name = "x"                                    # 2

words.en = """
several
lines"""                                      # 4
words.fr = "y"                                # 7
"quoted key" = 'z'                            # 8

[season]
starts = 2026-11-16 20:00:00                  # 11
list = [                                      # 12
    1,
    { a = "]", b = [ 2,
        3 ] },                                # 14, 15
]

[[titles]]                                    # 18
key = "first"
text = \'\'\'
[[titles]]
key = "not a key"
\'\'\'
[titles.more]                                 # 24
deep = 1

[[titles]]                                    # 27

key = "\\"[[titles]]"                          # 29
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("words",), 4),
        (("words", "en"), 4),
        (("words", "fr"), 7),
        (("quoted key",), 8),
        (("season",), 10),
        (("season", "starts"), 11),
        (("season", "list"), 12),
        (("season", "list", 0), 13),
        (("season", "list", 1, "a"), 14),
        (("season", "list", 1, "b", 0), 14),
        (("season", "list", 1, "b", 1), 15),
        (("titles", 0, "key"), 19),
        (("titles", 0, "more", "deep"), 25),
        (("titles", 1), 27),
        (("titles", 1, "key"), 29),
        (("titles", 1, "missing"), 27),
        (("titles", 1, "key", "deeper"), 29),
        (("nowhere",), 1),
    ],
)
def test_a_path_leads_to_its_line_or_to_the_nearest_around_it(path: tuple[str | int, ...], line: int) -> None:
    assert Lines(DOCUMENT).line(path) == line
    assert Lines(DOCUMENT.replace("\n", "\r\n")).line(path) == line


VALUES = st.sampled_from(
    ["1", "-2.5e3", "true", "2026-11-16", "2026-11-16 10:00:00", "07:30:00", '"a # b"', "'[x]'", '"""q""q"""', "''''''",
     '"""\none\n\n[two]\n"""', "'''\n]\n'''", '"""a\\\n  b"""', '""""""', '"""x"""""', '"\\" = [["', "[]", "{}"]
)  # fmt: skip
KEYS = st.sampled_from(["a", "b-1", "C_d", '"e f"', "'g.h'", '"\\u00e9"', '"[i]"', "2026"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[tuple[str | int, ...], int]]:
    """A document and the line of every value in it, both written by the same hand."""
    lines: list[str] = []
    places: dict[tuple[str | int, ...], int] = {}

    def pair(table: tuple[str | int, ...], name: str) -> None:
        value = draw(VALUES)
        kind = draw(st.sampled_from(["plain", "list", "inline", "dotted"]))
        at = len(lines) + 1
        unquoted = (name, key_of(name))
        if kind == "plain":
            places[*table, unquoted[1]] = at
            text = f"{name} = {value}"
        elif kind == "list":
            places[*table, unquoted[1], 0] = at + 1
            places[*table, unquoted[1], 1] = at + 2 + value.count("\n")
            text = f"{name} = [\n {value}, # ] {{\n {value}\n]"
        elif kind == "inline":
            flat = value if "\n" not in value else "1"
            places[*table, unquoted[1], "x"] = at
            text = f"{name} = {{ x = {flat}, y.z = [{flat}, 2] }}"
        else:
            places[*table, unquoted[1], "deep"] = at
            text = f"{name} . deep = {value}"
        lines.extend((text + draw(st.sampled_from(["", "  # = [x]"]))).split("\n"))

    def body(table: tuple[str | int, ...]) -> None:
        for name in draw(st.lists(KEYS, unique=True, max_size=4)):
            pair(table, name)
            lines.extend([""] * draw(st.integers(0, 2)))

    body(())
    for index in range(draw(st.integers(0, 3))):
        lines.append("[[ many ]]")
        places["many", index] = len(lines)
        body(("many", index))
        if draw(st.booleans()):
            lines.append("[many.'sub']")
            body(("many", index, "sub"))
    lines.append("[last . table]")
    places["last", "table"] = len(lines)
    body(("last", "table"))
    return "\n".join(lines), places


def key_of(name: str) -> str:
    return next(iter(tomllib.loads(f"{name} = 1")))


@given(documents())
def test_every_value_of_a_written_document_is_found_on_its_line(
    document: tuple[str, dict[tuple[str | int, ...], int]],
) -> None:
    source, places = document
    tomllib.loads(source)
    lines = Lines(source)
    assert {path: lines.line(path) for path in places} == places


def paths(tables: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = (
        tables.items() if isinstance(tables, dict) else enumerate(tables) if isinstance(tables, list) else ()
    )
    return [found for step, value in steps for found in ((*path, step), *paths(value, (*path, step)))]


FRAGMENTS = st.sampled_from(
    ["a", "b", ".", "=", " = 1", "\n", "[", "]", "[[", "]]", "{", "}", ",", '"', "'", '"""', "'''", "\\", "#", " ",
     "1", "é", "2026-01-01", "\t", "\r\n", "true", "\\n", '""', "''"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
@example("a = ''''b'''")
@example('a = """\\\\"""')
def test_whatever_the_parser_reads_has_its_places(source: str) -> None:
    try:
        tables = tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        with contextlib.suppress(ValueError):
            Lines(source)
        return
    lines = Lines(source)
    last = source.count("\n") + 1
    for path in paths(tables):
        assert path in lines
        assert 1 <= lines.line(path) <= last
