"""Tickets: what we signed opens, and nothing else."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.pages import AT_US, BIG, BO, COPY, LENGTH, PIECES, browser, ticket
from vteam.channels.swarm.pieces import Pieces, pieces_of
from vteam.channels.swarm.tickets import LENGTH_MAX, Role, opened, sealed

KEY = b"a key"


@pytest.mark.parametrize("role", list(Role))
def test_what_we_signed_opens_as_it_was(role: Role) -> None:
    made = ticket(role)
    assert opened(sealed(made, key=KEY), key=KEY, at_us=AT_US) == made


def test_neither_another_key_nor_another_word_nor_another_time_opens_it() -> None:
    made = ticket()
    text = sealed(made, key=KEY)
    body, _, signature = text.rpartition(".")
    richer = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(body).replace(b'"fan":21', b'"fan":22')
    ).decode()
    for forged in (
        f"{richer}.{signature}",
        f"{body}.{signature[:-1]}0",
        body,
        f".{signature}",
        "",
        text + " ",
    ):
        assert opened(forged, key=KEY, at_us=AT_US) is None
    assert opened(text, key=b"another", at_us=AT_US) is None
    assert opened(text, key=KEY, at_us=made.expires_us) is None


@given(st.text(max_size=300))
def test_no_text_of_others_opens_nor_breaks_anything(text: str) -> None:
    assert opened(text, key=KEY, at_us=AT_US) is None


def test_the_longest_titles_ticket_is_let_in() -> None:
    longest = Pieces(size=500 * 2**20, length=512 * 1024, hashes=b"\xff" * 32 * 1001)
    text = sealed(ticket(pieces=longest), key=KEY)
    assert len(text) < LENGTH_MAX
    assert opened(text, key=KEY, at_us=AT_US) is not None


def test_one_person_is_told_by_browser_or_account() -> None:
    bo = ticket()
    assert bo.same_person(ticket(Role.LISTENER, browser=browser(Role.SEEDER)))
    assert bo.same_person(ticket(Role.LISTENER, by=BO))
    assert not bo.same_person(ticket(Role.LISTENER))
    assert not replace(bo, by=None).same_person(ticket(Role.LISTENER, by=None))


@pytest.mark.parametrize("chunk", [1, 1000, LENGTH, 3 * LENGTH + 5])
def test_pieces_are_the_same_however_the_bytes_come(chunk: int) -> None:
    content = BIG if chunk > 1 else COPY[: LENGTH + 2]
    found = pieces_of((content[at : at + chunk] for at in range(0, len(content), chunk)), length=LENGTH)
    assert found == pieces_of([content], length=LENGTH)
    assert found.size == len(content)
    assert len(found.hashes) == 32 * found.count
    assert sum(map(found.bytes_of, range(found.count))) == found.bytes_between(0, found.count) == len(content)


def test_a_copys_sum_tells_it_from_another() -> None:
    other = pieces_of([COPY[:-1] + b"?"], length=LENGTH)
    assert other.sum_of(0, other.count) != PIECES.sum_of(0, PIECES.count)
