"""What an object shows fits into it, whatever a campaign is called and a resident types."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.channels.worlds.pages import (
    ADDRESS_BYTES_MAX,
    ANSWER_BYTES_MAX,
    ASK_BYTES,
    CHOICE_LENGTH_MAX,
    CHOICES_AT_MOST,
    LABEL_BYTES,
    LINE_BYTES,
    TEXT_BYTES,
    TITLE_BYTES,
    Ask,
    Opening,
    Page,
    answer_of,
    cut,
    labelled,
)
from vteam.web.worldmessages import CHOICE

texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=700)
pages = st.builds(
    Page,
    title=texts,
    text=texts,
    choices=st.lists(st.tuples(st.from_regex(rf"\A[a-z:]{{1,{CHOICE_LENGTH_MAX}}}\Z"), texts), max_size=14),
    ask=st.none() | st.builds(Ask, choice=st.just("x" * CHOICE_LENGTH_MAX), label=texts),
    opening=st.none()
    | st.builds(
        Opening,
        address=st.just("https://" + "x" * (ADDRESS_BYTES_MAX - 8)),
        label=texts,
        note=st.just("") | texts,
    ),
)


@given(pages, texts)
def test_an_answer_is_never_too_long_and_always_has_something_to_show(page: Page, line: str) -> None:
    said = answer_of(page, line=line)
    assert len(said) <= ANSWER_BYTES_MAX
    shown = json.loads(said)
    assert shown["text"].strip()
    assert len(shown["title"].encode()) <= TITLE_BYTES
    assert len(shown["text"].encode()) <= TEXT_BYTES
    assert len(shown["line"].encode()) <= LINE_BYTES
    labels = [label for _, label in shown["choices"]]
    assert len(set(labels)) == len(labels) <= CHOICES_AT_MOST
    assert all(0 < len(label.encode()) <= LABEL_BYTES for label in labels)
    if "ask" in shown:
        assert len(shown["ask"]["label"].encode()) <= ASK_BYTES


def test_a_page_full_of_quotes_still_fits() -> None:
    page = Page(
        title='"' * 60,
        text='"\\' * 250,
        choices=[(f"mission:{'x' * 40}{n}", '"' * 23 + str(n)) for n in range(10)],
        ask=Ask(choice="bring:" + "x" * 40, label='"' * 80),
        opening=Opening(address="https://" + "x" * 240, label='"' * 80),
    )
    said = answer_of(page, line='"' * 100)
    assert len(said) <= ANSWER_BYTES_MAX
    assert json.loads(said)["text"]


@pytest.mark.parametrize("mark", ["x", "é", '"', "\ny"])
def test_the_fullest_page_there_can_be_fits(mark: str) -> None:
    full = "x" + mark * 700 + "x"
    page = Page(
        title=full,
        text=full,
        choices=[(f"{n:0{CHOICE_LENGTH_MAX}}", full) for n in range(CHOICES_AT_MOST)],
        ask=Ask(choice="x" * CHOICE_LENGTH_MAX, label=full),
        opening=Opening(address="https://" + "x" * (ADDRESS_BYTES_MAX - 8), label=full, note=full),
    )
    said = answer_of(page, line=full)
    assert len(said) <= ANSWER_BYTES_MAX
    shown = json.loads(said)
    assert shown["text"].startswith("x")
    assert len(shown["choices"]) == CHOICES_AT_MOST
    assert len(shown["open"]["address"]) == ADDRESS_BYTES_MAX
    assert len(shown["open"]["note"]) > 50


def test_an_address_that_is_too_long_is_left_out() -> None:
    for longer, shown in ((0, True), (1, False)):
        opening = Opening(address="https://" + "x" * (ADDRESS_BYTES_MAX - 8 + longer), label="The flyer")
        said = json.loads(answer_of(Page(title="t", text="t", opening=opening), line="l"))
        assert ("open" in said) is shown


def test_the_door_takes_every_choice_a_page_may_have() -> None:
    assert re.fullmatch(CHOICE, "x" * CHOICE_LENGTH_MAX)
    assert not re.fullmatch(CHOICE, "x" * (CHOICE_LENGTH_MAX + 1))


def test_what_is_cut_ends_with_a_mark_and_no_half_letter() -> None:
    assert cut("Phare éteint", 40) == "Phare éteint"
    assert cut("é" * 10, 9) == "ééé…"
    assert len(cut("🎶" * 10, 10).encode()) <= 10


def test_labels_that_become_the_same_are_told_apart() -> None:
    long = "The same long beginning of a mission"
    labels = [label for _, label in labelled([("a", long), ("b", long + "!"), ("c", long)])]
    assert len(set(labels)) == 3
