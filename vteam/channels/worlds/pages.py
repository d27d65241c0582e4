"""A page an object shows to one resident: a few bytes, because worlds cut what is longer without a word.

Limits are in bytes of UTF-8 and stand in docs/worlds.md; what is too long ends in "…". Pure.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

ANSWER_BYTES_MAX = 1_900
TITLE_BYTES, TEXT_BYTES, LABEL_BYTES, LINE_BYTES, ASK_BYTES, NOTE_BYTES = 60, 500, 24, 100, 80, 160
ADDRESS_BYTES_MAX = 250
CHOICES_AT_MOST = 11
CHOICE_LENGTH_MAX = 60
CUT = "…"
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
SHORTER = str.maketrans({'"': "'", "\\": "/"})
PLAIN = SHORTER | {ord("\n"): " "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The resident may type something, to be sent with `choice`."""

    choice: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An address for this resident alone; one of more than ADDRESS_BYTES_MAX is left out. `flyer`: it is public, to be
    handed on with its `note`.
    """

    address: str
    label: str
    flyer: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`choices`: identifiers with their labels, in order."""

    title: str
    text: str
    choices: Sequence[tuple[str, str]] = ()
    ask: Ask | None = None
    opening: Opening | None = None


def cut(text: str, size: int) -> str:
    """A text within so many bytes, without marks that show nothing; line ends stay."""
    text = "".join(mark for mark in text if mark == "\n" or unicodedata.category(mark) not in UNSEEN)
    if len(text.encode()) <= size:
        return text
    room = max(size - len(CUT.encode()), 0)
    return text.encode()[:room].decode(errors="ignore").rstrip() + CUT


def answer_of(page: Page, *, line: str) -> bytes:
    """A page and the object's line as the bytes of an answer, never more than ANSWER_BYTES_MAX."""
    said = _said(page, page.text, line)
    if len(said) <= ANSWER_BYTES_MAX:
        return said
    # Written as JSON, quotes, backslashes and line ends take two bytes: hardly any but a page full of them comes here.
    page, line = _bare(page), line.translate(PLAIN)
    text = cut(page.text, TEXT_BYTES)
    said = _said(page, text, line)
    if len(said) > ANSWER_BYTES_MAX:
        page = replace(page, title="")  # whose campaign it is the line says too
        said = _said(page, text, line)
    while len(said) > ANSWER_BYTES_MAX and text != CUT:
        # Half of what is too much: a line end is one byte of the text and two of the answer.
        fewer = (len(said) - ANSWER_BYTES_MAX + 1) // 2
        text = cut(text, max(len(text.encode()) - fewer, len(CUT.encode())))
        said = _said(page, text, line)
    return said


def _said(page: Page, text: str, line: str) -> bytes:
    shown = cut(text, TEXT_BYTES).strip() or CUT
    return orjson.dumps(_content(replace(page, text=shown), line))


def _bare(page: Page) -> Page:
    """The page without marks that take two bytes; only its text has several lines."""
    opening, ask = page.opening, page.ask
    return Page(
        title=page.title.translate(PLAIN),
        text=page.text.translate(SHORTER),
        choices=[(choice, label.translate(PLAIN)) for choice, label in page.choices],
        ask=replace(ask, label=ask.label.translate(PLAIN)) if ask else None,
        opening=_bare_opening(opening) if opening else None,
    )


def _bare_opening(opening: Opening) -> Opening:
    return replace(opening, label=opening.label.translate(PLAIN), note=opening.note.translate(PLAIN))


def _content(page: Page, line: str) -> dict[str, Any]:
    sent_back = [*dict(page.choices), *([page.ask.choice] if page.ask else [])]
    assert all(len(choice) <= CHOICE_LENGTH_MAX for choice in sent_back), "the door takes no longer choice"
    content: dict[str, Any] = {
        "title": cut(page.title, TITLE_BYTES),
        "text": page.text,
        "choices": labelled(page.choices),
        "line": cut(line, LINE_BYTES),
    }
    if page.ask:
        content["ask"] = {"choice": page.ask.choice, "label": cut(page.ask.label, ASK_BYTES)}
    opening = page.opening
    if opening and len(opening.address.encode()) <= ADDRESS_BYTES_MAX:  # half an address leads nowhere
        content["open"] = {
            "address": opening.address,
            "label": cut(opening.label, ASK_BYTES),
            "flyer": opening.flyer,
        }
        if opening.note:
            content["open"]["note"] = cut(opening.note, NOTE_BYTES)
    return content


def labelled(choices: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Choices with labels that fit a button and differ from each other."""
    labels: dict[str, str] = {}
    for choice, label in choices[:CHOICES_AT_MOST]:
        short, n = cut(label, LABEL_BYTES).strip() or CUT, 2
        while short in labels:
            mark = f" {n}"
            short, n = cut(label, LABEL_BYTES - len(mark)) + mark, n + 1
        labels[short] = choice
    return [(choice, label) for label, choice in labels.items()]
