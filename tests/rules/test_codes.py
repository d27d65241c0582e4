"""What people type and scan: share codes of one length, and digits however they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.codes import SHARE_ALPHABET, SHARE_LENGTH, is_share_code, share_code, typed_digits

numbers = st.integers(min_value=0, max_value=2**50 - 1)


@given(numbers)
def test_every_number_gives_a_code_of_the_one_shape(number: int) -> None:
    code = share_code(number)
    assert len(code) == SHARE_LENGTH
    assert is_share_code(code)


@given(numbers, numbers)
def test_two_numbers_never_share_a_code(one: int, other: int) -> None:
    assert (share_code(one) == share_code(other)) == (one == other)


def test_no_letter_can_be_taken_for_another() -> None:
    assert not set("lo01") & set(SHARE_ALPHABET)
    assert len(SHARE_ALPHABET) == len(set(SHARE_ALPHABET)) == 32


@pytest.mark.parametrize(
    "text", ["", "abc", "abcdefghij\n", "ABCDEFGHIJ", "abcdefghil", "abcdefghi0", "abcdefghijk", "ábcdefghij"]
)
def test_anything_else_is_no_share_code(text: str) -> None:
    assert not is_share_code(text)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("123456", "123456"),
        (" 123 456\n", "123456"),
        ("12-34-56", "123456"),
        ("code: 1", "1"),
        ("١٢٣", ""),
        ("", ""),
    ],
)
def test_spaces_and_dashes_around_a_mailed_code_do_not_matter(typed: str, digits: str) -> None:
    assert typed_digits(typed) == digits
