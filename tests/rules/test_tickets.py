"""What a ticket's code says: written and read, and everything else refused."""

from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.tickets import LENGTH, code_of, read_code


@given(secret=st.binary(min_size=16, max_size=16), signature=st.binary(min_size=64, max_size=64))
def test_a_code_is_read_as_it_was_written(secret: bytes, signature: bytes) -> None:
    code = code_of(secret, signature)
    assert len(code) == LENGTH
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), "what a QR code packs best"
    assert read_code(f" {code.lower()}\n") == (secret, signature)


@given(st.text(max_size=200) | st.text(alphabet="VT1AB2=\u0130\u00df", min_size=125, max_size=135))
def test_anything_else_is_no_code(text: str) -> None:
    read = read_code(text)
    assert read is None or code_of(*read) == text.strip().upper()


def test_what_stands_in_the_last_letter_is_read_whole() -> None:
    code = code_of(bytes(16), bytes(64))
    for wrong in (
        "",
        "VT1",
        code[:-1],
        code + "A",
        code.replace("VT1", "VT2"),
        "VT1" + "1" * 128,
        "VT1" + "\u00e9" * 128,
    ):
        assert read_code(wrong) is None, wrong
