"""A page an object shows to one resident: a few bytes, because worlds cut what is longer without a word.

Limits are in bytes of UTF-8 and stand in docs/worlds.md; what is too long ends in "…". Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

ANSWER_BYTES_MAX = 1_900
TITLE_BYTES, TEXT_BYTES, LABEL_BYTES, LINE_BYTES, ASK_BYTES = 60, 500, 24, 100, 80
ADDRESS_BYTES_MAX = 250
CHOICES_AT_MOST = 11
CHOICE_LENGTH_MAX = 60
CUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The resident may type something, to be sent with `choice`."""

    choice: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An address for this resident alone. `flyer`: it is public, and may be handed on."""

    address: str
    label: str
    flyer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`choices`: identifiers with their labels, in order."""

    title: str
    text: str
    choices: Sequence[tuple[str, str]] = ()
    ask: Ask | None = None
    opening: Opening | None = None


def cut(text: str, size: int) -> str:
    """A text within so many bytes."""
    if len(text.encode()) <= size:
        return text
    room = size - len(CUT.encode())
    return text.encode()[:room].decode(errors="ignore").rstrip() + CUT


def answer_of(page: Page, *, line: str) -> bytes:
    """A page and the object's line as the bytes of an answer, never more than ANSWER_BYTES_MAX."""
    text = cut(page.text, TEXT_BYTES)
    said = orjson.dumps(_content(replace(page, text=text), line))
    while len(said) > ANSWER_BYTES_MAX:
        # Marks that are written with a backslash take two bytes; only a text full of them comes here.
        text = cut(text, len(text.encode()) - (len(said) - ANSWER_BYTES_MAX) // 2 - len(CUT.encode()))
        said = orjson.dumps(_content(replace(page, text=text), line))
    return said


def _content(page: Page, line: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "title": cut(page.title, TITLE_BYTES),
        "text": page.text,
        "choices": labelled(page.choices),
        "line": cut(line, LINE_BYTES),
    }
    if page.ask:
        content["ask"] = {"choice": page.ask.choice, "label": cut(page.ask.label, ASK_BYTES)}
    if page.opening:
        opening = page.opening
        content["open"] = {
            "address": opening.address,
            "label": cut(opening.label, ASK_BYTES),
            "flyer": opening.flyer,
        }
    return content


def labelled(choices: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Choices with labels that fit a button and differ from each other."""
    labels: dict[str, str] = {}
    for choice, label in choices[:CHOICES_AT_MOST]:
        short, n = cut(label, LABEL_BYTES), 2
        while short in labels:
            mark = f" {n}"
            short, n = cut(label, LABEL_BYTES - len(mark)) + mark, n + 1
        labels[short] = choice
    return [(choice, label) for label, choice in labels.items()]
