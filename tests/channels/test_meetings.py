"""Meetings without sockets: who is introduced, what passes, what is believed, what is recorded."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from tests.channels import pages
from tests.channels.pages import BO, COPY, PIECES, TITLE, Told, blocks, browser, page, signature
from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.meetings import LISTENERS_AT_ONCE, SIGNALS_MAX, STALLED_US, Meetings, Recorded, Seat
from vteam.channels.swarm.passing import FRAME
from vteam.channels.swarm.pieces import pieces_of
from vteam.channels.swarm.receipts import step_of
from vteam.channels.swarm.tickets import Role
from vteam.errors import Away
from vteam.rules.canonical import digest


class Books:
    """The inbox the meetings write to, and the clock and budget they are given."""

    def __init__(self) -> None:
        self.rows: list[InboxRow] = []
        self.now_us, self.left, self.away = pages.AT_US, 10**9, None
        self.meetings = Meetings(record=self.record, now_us=lambda: self.now_us, spend=self.spend)

    def record(self, rows: Sequence[InboxRow], done: Recorded) -> None:
        if self.away is None:
            self.rows += rows
        done(self.away)

    def spend(self, size: int) -> bool:
        if self.left < size:
            return False
        self.left -= size
        return True

    def enter(
        self, role: Role, *, have: int = 0, of: str = PIECES.sum_of(0, PIECES.count), **changed: Any
    ) -> tuple[Seat, Told, Any]:
        entered, told, key = page(role, **changed)
        seat = self.meetings.enter(entered, have=have, of=of)
        assert seat is not None
        return seat, told, key

    def fact(self) -> dict[str, Any]:
        return orjson.loads(self.rows[1][4])  # type: ignore[no-any-return]


@pytest.fixture
def books() -> Books:
    return Books()


def relay(
    books: Books, seeder: tuple[Seat, Told, Any], listener: tuple[Seat, Told, Any], *, pieces: int
) -> bytes:
    """So many further pieces pass through the relay; returns their bytes as the listener has them."""
    (bo, told, _), (cy, heard, _) = seeder, listener
    number, met = next(iter(cy.meets.items()))
    books.meetings.said(cy, {"do": "relay", "number": number})
    start = met.confirmed
    heard.frames.clear()
    for piece in range(start, start + pieces):
        books.meetings.said(cy, {"do": "want", "number": number, "piece": piece})
        assert told.last("want")["piece"] == piece
        for block in blocks(number, piece):
            assert books.meetings.block(bo, block) is None
        books.meetings.said(cy, {"do": "got", "number": number, "piece": piece})
    return b"".join(frame[FRAME.size :] for frame in heard.frames)


def test_a_title_passes_whole_through_the_relay_and_is_evidence_and_a_fact(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    assert relay(books, bo, cy, pieces=PIECES.count) == COPY
    assert bo[1].last("whole") == {"now": "whole", "number": 1, "counted": True}
    assert cy[1].last("whole")["counted"]
    (_, kind, introduction, _, evidence), (campaign, served, key, at_us, _) = books.rows
    assert (kind, campaign, served, key) == ("Evidence", 3, "CopyServed", f"served:{introduction}")
    assert at_us == pages.AT_US
    fact = books.fact()
    assert (fact["fan"], fact["title"], fact["by"], fact["evidence"]) == (BO, TITLE, None, "relayed")
    assert fact["listener"] == browser(Role.LISTENER)
    assert fact["proof"] == digest(evidence) == hashlib.sha256(evidence.encode()).hexdigest()
    assert not fact["same_person"]
    assert orjson.loads(evidence)["bytes"] == len(COPY)


def test_two_evidences_of_the_same_passing_have_different_hashes(books: Books) -> None:
    for _ in range(2):
        bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
        relay(books, bo, cy, pieces=PIECES.count)
        books.meetings.leave(bo[0])
        books.meetings.leave(cy[0])
    assert len({row[4] for row in books.rows}) == 4


def test_directly_both_receipts_make_it_whole(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER, direct=True), books.enter(Role.LISTENER, direct=True)
    met = cy[1].last("met")
    assert met["direct"]
    for seat, _, key in (bo, cy):
        receipt = signature(key, met["id"], seat.page.ticket.role, PIECES.count)
        books.meetings.said(
            seat, {"do": "receipt", "number": 1, "pieces": PIECES.count, "signature": receipt}
        )
    assert cy[1].last("whole")["counted"]
    assert books.fact()["evidence"] == "receipted"
    signed = orjson.loads(books.rows[0][4])["parts"][0]["signed"]
    assert signed.keys() == {f"{role}_{what}" for role in Role for what in ("key", "text", "signature")}


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (lambda met, key, other: {"signature": signature(other, met, Role.LISTENER, 6)}, "bad_signature"),
        (lambda met, key, other: {"signature": signature(key, "ab" * 16, Role.LISTENER, 6)}, "bad_signature"),
        (lambda met, key, other: {"signature": signature(key, met, Role.SEEDER, 6)}, "bad_signature"),
        (lambda met, key, other: {"signature": signature(key, met, Role.LISTENER, 5)}, "bad_signature"),
        (lambda met, key, other: {"signature": "no base64!"}, "bad_signature"),
        (lambda met, key, other: {"pieces": 7, "signature": ""}, "out_of_order"),
        (lambda met, key, other: {"pieces": 0, "signature": ""}, "out_of_order"),
        (lambda met, key, other: {"pieces": "6", "signature": ""}, "out_of_order"),
    ],
)
def test_a_receipt_that_is_not_right_is_refused_with_a_reason(books: Books, say: Any, why: str) -> None:
    """Another key, another introduction, the other end, less; no signature at all; more than there is."""
    bo, cy = books.enter(Role.SEEDER, direct=True), books.enter(Role.LISTENER, direct=True)
    said = say(cy[1].last("met")["id"], cy[2], bo[2])
    books.meetings.said(cy[0], {"do": "receipt", "number": 1, "pieces": PIECES.count} | said)
    assert cy[1].last("refused")["why"] == why
    assert not books.rows


def test_receipts_come_step_by_step_and_each_once(books: Books) -> None:
    long = pieces_of([pages.BIG], length=pages.LENGTH)
    books.enter(Role.SEEDER, direct=True, pieces=long)
    cy = books.enter(Role.LISTENER, direct=True)
    introduction, step = cy[1].last("met")["id"], step_of(long)

    def sign(stop: int) -> str | None:
        before = cy[1].words().count("refused")
        receipt = signature(cy[2], introduction, Role.LISTENER, stop, pieces=long)
        books.meetings.said(cy[0], {"do": "receipt", "number": 1, "pieces": stop, "signature": receipt})
        return cy[1].last("refused")["why"] if cy[1].words().count("refused") > before else None

    assert sign(long.count) == "too_far"
    assert sign(step) is None
    assert sign(step) == "out_of_order"
    assert sign(step - 1) == "out_of_order"
    assert sign(2 * step) is None
    books.now_us += 2 * pages.HOUR_US
    assert sign(3 * step) == "too_late"
    assert not books.rows
    # Who sends one wrong receipt after the other is not listened to for ever.
    assert cy[1].last("parted")["why"] == "out_of_order"


def test_without_a_key_nothing_can_be_signed(books: Books) -> None:
    books.enter(Role.SEEDER, direct=True)
    entered, told, key = page(Role.LISTENER, direct=True)
    entered.key = b""
    seat = books.meetings.enter(entered)
    assert seat is not None
    receipt = signature(key, told.last("met")["id"], Role.LISTENER, PIECES.count)
    books.meetings.said(seat, {"do": "receipt", "number": 1, "pieces": PIECES.count, "signature": receipt})
    assert told.last("refused")["why"] == "no_key"


def test_whoever_leaves_midway_goes_on_where_they_were(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    first = relay(books, bo, cy, pieces=3)
    books.meetings.leave(cy[0])
    assert bo[1].last("parted")["why"] == "left"
    again = books.enter(Role.LISTENER, have=3)
    assert again[1].last("met")["from"] == 3
    assert first + relay(books, bo, again, pieces=PIECES.count - 3) == COPY
    parts = orjson.loads(books.rows[0][4])["parts"]
    assert [(part["start"], part["stop"]) for part in parts] == [(0, 3), (3, PIECES.count)]


@pytest.mark.parametrize("claimed", [0, 2, PIECES.count])
def test_nobody_goes_on_from_more_than_we_saw_nor_from_what_they_have_not(books: Books, claimed: int) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    relay(books, bo, cy, pieces=3)
    books.meetings.leave(cy[0])
    stranger = books.enter(Role.LISTENER, have=PIECES.count, name="somebody else")
    assert stranger[1].last("met")["from"] == 0
    another = books.enter(Role.LISTENER, have=3, of="another copy")
    assert another[1].last("met")["from"] == 0
    books.meetings.leave(another[0])
    again = books.enter(Role.LISTENER, have=claimed)
    # What we saw pass can be gone on from at any piece of it.
    assert again[1].last("met")["from"] == min(claimed, 3)


def test_a_seeder_who_comes_back_is_met_again(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    relay(books, bo, cy, pieces=2)
    books.meetings.leave(bo[0])
    assert cy[1].words()[-2:] == ["parted", "away"]
    bo = books.enter(Role.SEEDER)
    assert cy[1].last("met")["from"] == 2


def test_direct_first_then_the_relay_is_as_strong_as_its_weaker_part(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER, direct=True), books.enter(Role.LISTENER, direct=True)
    introduction = cy[1].last("met")["id"]
    for seat, _, key in (bo, cy):
        receipt = signature(key, introduction, seat.page.ticket.role, 2)
        books.meetings.said(seat, {"do": "receipt", "number": 1, "pieces": 2, "signature": receipt})
    books.meetings.said(cy[0], {"do": "relay", "number": 1})
    assert cy[1].last("relay")["from"] == 2
    relay(books, bo, cy, pieces=PIECES.count - 2)
    assert books.fact()["evidence"] == "receipted"


def test_a_spoiled_piece_ends_it_before_its_last_block_goes_on(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    books.meetings.said(cy[0], {"do": "relay", "number": 1})
    books.meetings.said(cy[0], {"do": "want", "number": 1, "piece": 0})
    for block in blocks(1, 0, copy=b"another song".ljust(pages.LENGTH, b".")):
        books.meetings.block(bo[0], block)
    assert cy[1].last("parted")["why"] == "spoiled"
    assert len(cy[1].frames) == 3
    assert not books.rows


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.pack(1, 1, 0) + b"later",
        FRAME.pack(1, 0, 9) + b"later",
        FRAME.pack(1, 0, 0) + bytes(16 * 1024 + 1),
        FRAME.pack(1, 2**32 - 1, 0) + b"never",
    ],
)
def test_blocks_nobody_asked_for_end_it(books: Books, frame: bytes) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    books.meetings.said(cy[0], {"do": "relay", "number": 1})
    books.meetings.said(cy[0], {"do": "want", "number": 1, "piece": 0})
    assert books.meetings.block(bo[0], frame) is None
    assert cy[1].last("parted")["why"] == "out_of_order"
    assert not cy[1].frames


def test_what_may_be_under_way_is_bounded(books: Books) -> None:
    _, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    ahead = cy[1].last("met")["ahead"]
    long = pieces_of([pages.BIG], length=pages.LENGTH)
    bo, di = books.enter(Role.SEEDER, pieces=long, fan=99), books.enter(Role.LISTENER, fan=99)
    number = di[1].last("met")["number"]
    books.meetings.said(di[0], {"do": "relay", "number": number})
    for piece in range(ahead + 1):
        books.meetings.said(di[0], {"do": "want", "number": number, "piece": piece})
    assert bo[1].words().count("want") == ahead
    assert di[1].last("parted")["why"] == "out_of_order"


def test_a_full_connection_and_an_empty_budget_are_waited_for(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    books.meetings.said(cy[0], {"do": "relay", "number": 1})
    cy[1].is_full = True
    books.meetings.said(cy[0], {"do": "want", "number": 1, "piece": 0})
    assert "want" not in bo[1].words()
    cy[1].is_full, books.left = False, 0
    books.meetings.turn()
    assert "want" not in bo[1].words()
    books.left = pages.LENGTH
    books.meetings.turn()
    assert bo[1].words().count("want") == 1


def test_bos_own_browser_and_bos_own_account_are_the_same_person(books: Books) -> None:
    for listener in ({"by": BO}, {"browser": browser(Role.SEEDER)}):
        bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER, **listener)
        relay(books, bo, cy, pieces=PIECES.count)
        assert books.fact()["same_person"]
        books.rows.clear()
        books.meetings.leave(bo[0])


def test_pages_of_other_fans_and_titles_do_not_meet(books: Books) -> None:
    bo = books.enter(Role.SEEDER)
    for other in ({"fan": 22}, {"title": 6}):
        _, told, _ = books.enter(Role.LISTENER, **other)
        assert told.words() == ["away"]
    assert bo[1].words() == ["open"]


def test_more_listeners_than_a_page_can_serve_wait_their_turn(books: Books) -> None:
    books.enter(Role.SEEDER)
    listeners = [books.enter(Role.LISTENER, name=f"{n}") for n in range(LISTENERS_AT_ONCE + 1)]
    assert listeners[-1][1].words()[-1] == "busy"
    books.meetings.leave(listeners[0][0])
    assert listeners[-1][1].words()[-1] == "met"


def test_who_has_it_whole_is_not_introduced_again(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    relay(books, bo, cy, pieces=PIECES.count)
    books.enter(Role.LISTENER, name="another")
    books.enter(Role.SEEDER, name="Bo's other phone")
    assert cy[1].words().count("met") == 1


def test_a_withdrawal_tells_everybody_and_lets_them_go(books: Books) -> None:
    bo, cy, di = books.enter(Role.SEEDER), books.enter(Role.LISTENER), books.enter(Role.LISTENER, name="di")
    relay(books, bo, cy, pieces=2)
    assert books.meetings.titles() == {TITLE}
    books.meetings.close([TITLE], why="withdrawn")
    for _, told, _ in (bo, cy, di):
        assert told.closed
        assert told.last("closed")["why"] == "withdrawn"
    assert not books.meetings.titles()
    assert books.meetings.people() == 0


def test_the_seasons_end_lets_them_go(books: Books) -> None:
    bo = books.enter(Role.SEEDER)
    books.meetings.end_seasons()
    assert not bo[1].closed
    books.now_us = bo[0].page.ticket.ends_us
    books.meetings.end_seasons()
    assert bo[1].last("closed")["why"] == "season"


def test_what_is_not_recorded_is_not_said_to_count(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER), books.enter(Role.LISTENER)
    books.away = Away("the disk is full")
    relay(books, bo, cy, pieces=PIECES.count)
    assert bo[1].last("whole")["counted"] is False


def test_signals_pass_only_where_both_chose_the_direct_way(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER, direct=True), books.enter(Role.LISTENER, direct=True)
    offer = {"do": "signal", "number": 1, "data": '{"type": "offer"}'}
    assert books.meetings.said(cy[0], offer) is None
    assert bo[1].last("signal")["data"] == offer["data"]
    shy = books.enter(Role.LISTENER, name="shy")
    assert not shy[1].last("met")["direct"]
    books.meetings.said(shy[0], offer | {"number": 2})
    assert bo[1].words().count("signal") == 1


def test_where_nothing_moves_any_more_somebody_else_has_their_turn(books: Books) -> None:
    bo = books.enter(Role.SEEDER)
    listeners = [books.enter(Role.LISTENER, name=f"{n}") for n in range(LISTENERS_AT_ONCE + 1)]
    relay(books, bo, listeners[0], pieces=1)
    books.now_us += STALLED_US - 1
    relay(books, bo, listeners[0], pieces=1)
    books.now_us += 2
    books.meetings.end_stalled()
    assert [told.words()[-1] for _, told, _ in listeners[1:]] == ["parted"] * (LISTENERS_AT_ONCE - 1) + [
        "met"
    ]
    assert listeners[0][1].words()[-1] == "relay"


def test_a_browser_has_one_page_in_a_room(books: Books) -> None:
    books.enter(Role.SEEDER)
    first, again = books.enter(Role.LISTENER), books.enter(Role.LISTENER)
    assert first[1].last("closed")["why"] == "elsewhere"
    assert again[1].words()[-1] == "met"


def test_a_word_for_an_introduction_that_is_over_hits_no_other(books: Books) -> None:
    first, second = books.enter(Role.SEEDER), books.enter(Role.SEEDER, name="Bo's other phone")
    cy = books.enter(Role.LISTENER)
    over = cy[1].last("met")["number"]
    books.meetings.leave(first[0] if first[0].meets else second[0])
    assert cy[1].last("met")["number"] != over
    assert books.meetings.said(cy[0], {"do": "want", "number": over, "piece": 0}) is None
    assert cy[1].words()[-1] == "met"


def test_what_was_signed_for_is_gone_on_from_whole_or_not_at_all(books: Books) -> None:
    bo, cy = books.enter(Role.SEEDER, direct=True), books.enter(Role.LISTENER, direct=True)
    met = cy[1].last("met")
    for seat, _, key in (bo, cy):
        receipt = signature(key, met["id"], seat.page.ticket.role, 4)
        books.meetings.said(
            seat, {"do": "receipt", "number": met["number"], "pieces": 4, "signature": receipt}
        )
    books.meetings.leave(cy[0])
    fewer = books.enter(Role.LISTENER, have=3)
    assert fewer[1].last("met")["from"] == 0
    books.meetings.leave(fewer[0])
    assert books.enter(Role.LISTENER, have=4)[1].last("met")["from"] == 4


def test_a_sign_of_life_is_answered(books: Books) -> None:
    bo, told, _ = books.enter(Role.SEEDER)
    assert books.meetings.said(bo, {"do": "here"}) is None
    assert told.words()[-1] == "here"


def test_signals_have_a_budget(books: Books) -> None:
    books.enter(Role.SEEDER, direct=True)
    cy, _, _ = books.enter(Role.LISTENER, direct=True)
    said = [
        books.meetings.said(cy, {"do": "signal", "number": 1, "data": str(n)}) for n in range(SIGNALS_MAX + 1)
    ]
    assert said[-2:] == [None, "too_many"]


@pytest.mark.parametrize(
    "message",
    [{}, {"do": "dance", "number": 1}, {"do": ["x"], "number": 1}, {"do": "got", "number": 1, "piece": -1}],
)
def test_what_cannot_be_understood_breaks_nothing(books: Books, message: dict[str, Any]) -> None:
    books.enter(Role.SEEDER)
    cy, told, _ = books.enter(Role.LISTENER)
    assert books.meetings.said(cy, message) in (None, "unknown")
    assert not books.rows
    assert told.last("met")
