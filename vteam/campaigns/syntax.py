"""A campaign file's text becomes tables; where it cannot be read, plain words say why, for every such
place.

The standard parser stops at the first mistake. Here the line it stopped at is left out and the rest is
read again, so that one missing quote does not hide the ten problems behind it; what was left out is
reported with the result, for nobody must be told that a key is missing which is only misspelt. Nothing
is repaired.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

ROUNDS_MAX = 40
"""Mistakes reported in one go; a text with more is no campaign file."""
CURLY = "“”„«»‘’"
CHARACTERS_READ_MAX = 2_000_000
"""Characters read in all rounds together: a very long text is told fewer mistakes at a time."""
ROUNDS_MIN = 5
PARTS_MAX = 20
"""Parts of one dotted name; no name of a campaign has more than three, and a reader's work grows with their square."""
# These are for lines stripped of blanks, and none of them looks at a character more than a few times.
KEY_AND_VALUE = re.compile(r"(?P<key>[A-Za-z0-9_-]+)\s*=\s*(?P<value>.*)")
KEY_AND_COLON = re.compile(r"(?P<key>[A-Za-z0-9_-]+)\s*:\s*(?P<value>.*)")
NAMES = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)\s*+[=:]")
PART_AND_DOT = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
MANY_PARTS = re.compile(rf"(?<![A-Za-z0-9_-])(?:{PART_AND_DOT}){{{PARTS_MAX}}}")
YES_AND_NO = {"true": "true", "yes": "true", "oui": "true", "false": "false", "no": "false", "non": "false"}
AT_THE_END = "(at end of document)"
PLACE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One place that is no TOML: its line, what is wrong, what to write instead."""

    line: int
    wrong: str
    instead: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """The tables that could be read, the text they stand in, and what had to be left out of it."""

    tables: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    mistakes: list[Mistake] = field(default_factory=list)
    lost_keys: set[str] = field(default_factory=set)
    lost_tables: bool = False


def read_toml(source: str) -> Reading:
    """Everything in `source` that can be read, and every mistake.

    Of those that stop the parser at most ROUNDS_MAX, fewer in a very long text; the last one says that there are more.
    """
    reading = Reading()
    lines = source.replace("\r\n", "\n").split("\n")
    _leave_out_many_parts(reading, lines)
    for _ in range(rounds_for(source)):
        reading.text = "\n".join(lines)
        try:
            reading.tables = tomllib.loads(reading.text)
            return reading
        except tomllib.TOMLDecodeError as error:
            at = _line_of(str(error), reading.text)
            _report(reading, lines, at, str(error))
            if not _leave_out(reading, lines, at, to_the_end=AT_THE_END in str(error)):
                break
        except (ValueError, RecursionError):
            # Numbers of thousands of digits, brackets a thousand deep: nobody wrote this by hand.
            wrong = "this text cannot be read as a campaign"
            reading.mistakes.append(Mistake(line=1, wrong=wrong, instead="write a shorter, simpler file"))
            break
    else:
        last = reading.mistakes[-1].line
        wrong = f"there are more mistakes than these {len(reading.mistakes)}"
        reading.mistakes.append(Mistake(line=last, wrong=wrong, instead="mend these first and check again"))
    reading.text, reading.tables, reading.lost_tables = "", {}, True
    return reading


def rounds_for(source: str) -> int:
    """How often `source` may be read again, each time without one more of its mistakes."""
    return max(ROUNDS_MIN, min(ROUNDS_MAX, CHARACTERS_READ_MAX // (len(source) + 1)))


def _leave_out_many_parts(reading: Reading, lines: list[str]) -> None:
    """Report and blank names of very many parts before a parser goes through them."""
    for at, line in enumerate(lines, 1):
        if MANY_PARTS.search(line):
            wrong = f"a name here has more than {PARTS_MAX} parts"
            reading.mistakes.append(
                Mistake(line=at, wrong=wrong, instead="write a name without so many dots")
            )
            _leave_out(reading, lines, at, to_the_end=False)


# Where ------------------------------------------------------------
def _line_of(message: str, text: str) -> int:
    """The line of a mistake, from 1. One found at the very end began where the last long text was opened."""
    place = PLACE.search(message)
    if place:
        return int(place[1])
    lines = enumerate(text.split("\n"), 1)
    opened = [number for number, line in lines if (line.count('"""') + line.count("'''")) % 2]
    return opened[-1] if len(opened) % 2 else _last_written(text)


def _last_written(text: str) -> int:
    return text.rstrip().count("\n") + 1


def _leave_out(reading: Reading, lines: list[str], at: int, *, to_the_end: bool) -> bool:
    """Blank the line `at` (a table's header: up to the next header). False where it is blank already."""
    first, last = at - 1, at
    if not lines[first].strip():
        return False
    if to_the_end:
        last = len(lines)
    elif lines[first].lstrip().startswith("["):
        reading.lost_tables = True
        while last < len(lines) and not lines[last].lstrip().startswith("["):
            last += 1
    for number in range(first, last):
        reading.lost_tables = reading.lost_tables or lines[number].lstrip().startswith("[")
        reading.lost_keys.update(NAMES.findall(lines[number]))
        lines[number] = ""
    return True


def _report(reading: Reading, lines: list[str], at: int, message: str) -> None:
    """Note the mistake, unless it goes on with the one on the line before (a text of several lines)."""
    above, line = at - 2, lines[at - 1]
    goes_on = not KEY_AND_VALUE.match(line.strip()) and not line.lstrip().startswith("[")
    if goes_on and reading.mistakes and above >= 0 and _blanked_from(reading, lines, above):
        return
    wrong, instead = explain(lines[at - 1], message)
    reading.mistakes.append(Mistake(line=at, wrong=wrong, instead=instead))


def _blanked_from(reading: Reading, lines: list[str], above: int) -> bool:
    """True where the blank lines ending at `above` (an index) begin with a reported mistake."""
    while above > 0 and not lines[above] and above + 1 != reading.mistakes[-1].line:
        above -= 1
    return not lines[above] and above + 1 == reading.mistakes[-1].line


# Why ------------------------------------------------------------
def explain(line: str, message: str) -> tuple[str, str]:
    """What is wrong with `line`, and what to write instead; `message` is the parser's."""
    if "Cannot overwrite" in message or "Cannot declare" in message or "Duplicate" in message:
        return "this is written a second time", "keep one of the two"
    line = line.strip()
    pair = KEY_AND_VALUE.match(line)
    if pair:
        value = pair["value"]
        if not value.startswith(('"', "'", "[", "{", *CURLY)):
            value = value.partition(" #")[0].strip()
        return _explain_value(pair["key"], value, message)
    if line.startswith("["):
        return "this heading is not complete", "write [season] for one table, [[titles]] for each of several"
    colon = KEY_AND_COLON.match(line)
    if colon:
        value = re.split(r"\s#", colon["value"], maxsplit=1)[0].strip()
        return "there is a colon where = belongs", f"write {colon['key']} = {value}"
    if AT_THE_END in message:
        return "a text or a list begins here and never ends", 'close it with the same marks: """ or ]'
    return (
        "this line says nothing that can be read",
        "write key = value, or put # in front of it if it is a note for yourself",
    )


def _explain_value(key: str, value: str, message: str) -> tuple[str, str]:
    """What is wrong with a value, looking for what hands used to letters and spreadsheets write."""
    for known in HABITS:
        found = known(key, value)
        if found:
            return found
    if AT_THE_END in message:
        return "a text begins here and never ends", 'close it with the marks it began with, such as """'
    return f"what follows “{key} =” cannot be read", f'write one value, such as {key} = "…"'


def _nothing(key: str, value: str) -> tuple[str, str] | None:
    if value and not value.startswith("#"):
        return None
    return f"nothing follows “{key} =”", f'write a value behind it, such as {key} = "…"'


def _curly_quotes(key: str, value: str) -> tuple[str, str] | None:
    if value[0] not in CURLY:
        return None
    inside = re.match(rf"[{CURLY}\s]*([^{CURLY}]*)", value)
    text = inside[1].strip() if inside else ""
    return "these are typographic quotes", f'write straight ones: {key} = "{text}"'


def _yes_or_no(key: str, value: str) -> tuple[str, str] | None:
    meant = YES_AND_NO.get(value.lower())
    if meant is None:
        return None
    return f"“{value}” is not how yes and no are written here", f"write {key} = {meant}"


def _other_date(key: str, value: str) -> tuple[str, str] | None:
    day = re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", value)
    if day is None:
        return None
    instead = f"write {key} = {day[3]}-{int(day[2]):02}-{int(day[1]):02}"
    return "a date is written year, month, day", instead


def _spaced_number(key: str, value: str) -> tuple[str, str] | None:
    if not re.fullmatch(r"[0-9][0-9 ,.\u00a0\u202f]*", value):
        return None
    digits = re.sub(r"[^0-9]", "", value).lstrip("0") or "0"
    return f"“{value}” is not a whole number", f"write {key} = {digits}"


def _open_quote(key: str, value: str) -> tuple[str, str] | None:
    if '"""' in value or value.count('"') % 2 == 0:
        return None
    return "a quote is opened and not closed", f'write {key} = "…" with a quote at both ends'


def _open_bracket(key: str, value: str) -> tuple[str, str] | None:
    if value[0] not in "[{":
        return None
    return (
        "a bracket opened here is not closed, or a comma is missing",
        "close it, with commas between the parts",
    )


def _bare_text(key: str, value: str) -> tuple[str, str] | None:
    if not value[0].isalpha():
        return None
    return "a text stands here without quotes", f'write {key} = "{value}"'


HABITS = (
    _nothing,
    _curly_quotes,
    _yes_or_no,
    _other_date,
    _spaced_number,
    _open_quote,
    _open_bracket,
    _bare_text,
)
"""In this order: the first that recognises a value explains it."""
