"""One spelling for everything that is hashed, and a chain in which nothing can be changed unseen."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.canonical import GENESIS, canonical, digest
from vteam.rules.transfers import ISSUE, chained, confirmed

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
mappings = st.dictionaries(texts, values, max_size=6)


@given(mappings)
def test_reading_a_canonical_text_and_writing_it_again_changes_no_byte(content: dict[str, Any]) -> None:
    text = canonical(content)
    assert json.loads(text) == content
    assert canonical(json.loads(text)) == text
    assert text.encode().decode() == text


@given(mappings, st.randoms(use_true_random=False))
def test_the_order_in_which_keys_were_set_does_not_show(content: dict[str, Any], random: Any) -> None:
    shuffled = list(content.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(content)


def test_the_spelling_is_sorted_without_spaces_and_with_letters_as_they_are() -> None:
    assert canonical({"b": [1, True, None], "a": "Marée"}) == '{"a":"Marée","b":[1,true,null]}'


@given(mappings)
def test_the_spelling_is_json_as_the_standard_library_writes_it(content: dict[str, Any]) -> None:
    """Books that were written by it stay what they are, and anybody can check a chain with any JSON library."""
    assert canonical(content) == json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


@pytest.mark.parametrize(
    "content", [{"a": 2**64}, {"a": "\ud800"}, {"a": object()}, {1: "a"}, {"a": [b"x"]}], ids=str
)
def test_what_has_no_one_spelling_is_refused(content: dict[Any, Any]) -> None:
    with pytest.raises(TypeError):
        canonical(content)


@pytest.mark.parametrize(
    "content", [{"a": 1.0}, {"a": {"b": float("nan")}}, {"a": [1, [0.5]]}, {"a": ({"b": 2.5},)}]
)
def test_a_float_is_refused_wherever_it_hides(content: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="float"):
        canonical(content)


@given(st.lists(texts, min_size=1, max_size=6), st.integers(0, 5), texts)
def test_changing_any_link_of_a_chain_changes_every_hash_after_it(
    chain: list[str], place: int, other: str
) -> None:
    place %= len(chain)
    if other == chain[place]:
        return
    changed = [*chain[:place], other, *chain[place + 1 :]]
    before, after = _hashes(chain), _hashes(changed)
    assert before[:place] == after[:place]
    assert all(one != two for one, two in zip(before[place:], after[place:], strict=True))


def _hashes(chain: list[str]) -> list[str]:
    hashes, last = [], GENESIS
    for text in chain:
        last = digest(text, after=last)
        hashes.append(last)
    return hashes


def test_a_transfer_says_the_same_in_its_columns_and_in_its_hashed_text() -> None:
    transfer = chained(
        seq=1,
        fact=3,
        mission="spread",
        version=2,
        source=ISSUE,
        target=confirmed(9),
        points=50,
        at_us=77,
        previous=GENESIS,
    )
    assert json.loads(transfer.body) == {
        "seq": 1,
        "fact": 3,
        "mission": "spread",
        "version": 2,
        "from": "issue",
        "to": "confirmed:9",
        "points": 50,
        "at_us": 77,
    }
    assert transfer.sha256 == digest(transfer.body, after=GENESIS)
