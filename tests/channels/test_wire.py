"""The peer protocol: what honest clients say, what nobody may say, and any bytes at all, split anywhere."""

import itertools
import random
import struct
from collections.abc import Sequence

import pytest
from fastbencode import bdecode, bencode
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.clients import content_of, torrent_of
from vteam.channels.swarm.torrents.messages import HANDSHAKE_BYTES, PROTOCOL, RESERVED, Garbage, Kind
from vteam.channels.swarm.torrents.metainfo import Torrent
from vteam.channels.swarm.torrents.mse import PRIME, Initiator, Responder, hash_of_key, is_plain
from vteam.channels.swarm.torrents.wire import (
    BLOCK_BYTES,
    MESSAGES_MAX,
    MESSAGES_PER_PIECE_MAX,
    UNASKED_BLOCKS_MAX,
    Answered,
    MetadataAsked,
    Wire,
)

PIECE_BYTES = 40_000
CONTENT = content_of(9 * PIECE_BYTES + 7)
TORRENT = torrent_of(CONTENT, piece_bytes=PIECE_BYTES)
PIECES = 10
OURS, THEIRS = b"-VT0100-abcdefghijkl", b"-TR3000-abcdefghijkl"


def admits(info_hash: bytes, _: bytes) -> Torrent | None:
    return TORRENT if info_hash == TORRENT.info_hash else None


def greeting(
    *, reserved: bytes = RESERVED, info_hash: bytes = TORRENT.info_hash, peer_id: bytes = THEIRS
) -> bytes:
    return PROTOCOL + reserved + info_hash + peer_id


def said(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("!IB", 1 + len(body), kind) + body


def have(index: int) -> bytes:
    return said(Kind.HAVE, struct.pack("!I", index))


def messages(sent: bytes) -> list[tuple[int, bytes]]:
    """What was sent after the greeting; a keep-alive is kind -1."""
    found = []
    while sent:
        (length,) = struct.unpack_from("!I", sent)
        body = sent[4 : 4 + length]
        found.append((body[0], body[1:]) if body else (-1, b""))
        sent = sent[4 + length :]
    return found


def greeted(*, reserved: bytes = RESERVED) -> Wire:
    wire = Wire(our_id=OURS, admits=admits)
    wire.receive(greeting(reserved=reserved), 0.0)
    wire.to_send()
    return wire


def piece(index: int, *, flaw: int = 0) -> list[bytes]:
    whole = bytearray(CONTENT[index * PIECE_BYTES : (index + 1) * PIECE_BYTES])
    whole[0] ^= flaw
    return [
        said(Kind.PIECE, struct.pack("!II", index, at) + whole[at : at + BLOCK_BYTES])
        for at in range(0, len(whole), BLOCK_BYTES)
    ]


def test_a_greeting_is_answered_with_ours_with_nothing_to_give_and_with_what_we_can() -> None:
    wire = Wire(our_id=OURS, admits=admits)
    assert wire.receive(greeting(), 0.0) == []
    sent = wire.to_send()
    assert sent[:HANDSHAKE_BYTES] == PROTOCOL + bytes.fromhex("0000000000100004") + TORRENT.info_hash + OURS
    (none, _), (kind, told) = messages(sent[HANDSHAKE_BYTES:])
    assert (none, kind, told[0]) == (Kind.HAVE_NONE, Kind.EXTENDED, 0)
    about = bdecode(told[1:])
    assert about[b"metadata_size"] == len(TORRENT.info())
    assert about[b"v"] == b"vTeam witness"
    assert b"upload_only" not in about
    assert (wire.peer_id, wire.client, wire.torrent) == (THEIRS, "Transmission 3.00", TORRENT)


def test_an_old_client_is_told_nothing_it_does_not_know() -> None:
    wire = Wire(our_id=OURS, admits=admits)
    wire.receive(greeting(reserved=bytes(8)), 0.0)
    assert len(wire.to_send()) == HANDSHAKE_BYTES


def test_who_dials_greets_first_and_insists_on_the_torrent() -> None:
    wire = Wire(our_id=OURS, admits=admits, torrent=TORRENT)
    assert wire.to_send() == greeting(peer_id=OURS)
    with pytest.raises(Garbage):
        wire.receive(greeting(info_hash=bytes(20)), 0.0)
    with pytest.raises(Garbage):
        Wire(our_id=OURS, admits=admits, torrent=TORRENT).receive(greeting(peer_id=OURS), 0.0)


def test_what_it_has_is_counted_however_it_says_so() -> None:
    wire = greeted()
    wire.receive(said(Kind.HAVE_NONE), 0.0)
    assert wire.at_hand == 0
    assert messages(wire.to_send()) == [(Kind.INTERESTED, b"")]
    wire.receive(have(0) + have(9) + have(9), 0.0)
    assert wire.at_hand == 2
    for bitfield, count in ((b"\xff\x40", 9), (b"\x80\x00", 1), (b"\x80\x00", 1)):
        wire.receive(said(Kind.BITFIELD, bitfield), 0.0)
        assert wire.at_hand == count
    wire.receive(said(Kind.HAVE_ALL), 0.0)
    assert wire.at_hand == PIECES
    assert wire.to_send() == b""


def test_what_it_has_is_not_known_from_its_extensions_alone() -> None:
    wire = greeted()
    wire.receive(said(Kind.EXTENDED, b"\x00" + bencode({b"m": {}})), 0.0)
    assert not wire.is_introduced
    wire.receive(said(Kind.HAVE_ALL), 0.0)
    assert wire.is_introduced


@pytest.mark.parametrize("index", range(PIECES))
def test_the_highest_bit_of_a_bitfield_is_piece_0(index: int) -> None:
    wire = greeted()
    wire.receive(said(Kind.BITFIELD, (1 << 15 - index).to_bytes(2, "big")) + said(Kind.UNCHOKE), 0.0)
    assert wire.ask(random.Random(1), 0.0) == index


def test_a_piece_is_asked_for_when_it_may_be_and_compared_with_its_hash() -> None:
    for flaw, right in ((0, True), (1, False)):
        wire = greeted()
        wire.receive(have(9) + have(4), 0.0)
        assert wire.ask(random.Random(1), 0.0) is None
        wire.receive(said(Kind.UNCHOKE), 0.0)
        wire.to_send()
        index = wire.ask(random.Random(1), 0.0)
        assert index in (4, 9)
        assert wire.ask(random.Random(1), 0.0) is None
        blocks = piece(index, flaw=flaw)
        asked = [
            struct.unpack("!III", body) for kind, body in messages(wire.to_send()) if kind == Kind.REQUEST
        ]
        assert [each[:2] for each in asked] == [(index, at * BLOCK_BYTES) for at in range(len(blocks))]
        assert sum(each[2] for each in asked) == sum(len(block) - 13 for block in blocks)
        events = [event for block in blocks for event in wire.receive(block, 1.0)]
        assert events == [Answered(index, right)]
        assert wire.may_ask


def test_who_chokes_does_not_choose_what_it_is_asked_for() -> None:
    wire = greeted()
    wire.receive(said(Kind.ALLOWED_FAST, struct.pack("!I", 3)) + have(3), 0.0)
    assert not wire.may_ask
    wire.receive(said(Kind.UNCHOKE), 0.0)
    assert wire.ask(random.Random(1), 0.0) == 3


def test_being_choked_brings_no_other_piece_and_no_blame() -> None:
    wire = greeted()
    wire.receive(said(Kind.HAVE_ALL) + said(Kind.UNCHOKE), 0.0)
    index = wire.ask(random.Random(1), 0.0)
    assert index is not None
    wire.receive(piece(index)[0] + said(Kind.CHOKE), 1.0)
    wire.to_send()
    assert not wire.tick(500.0)
    wire.receive(said(Kind.UNCHOKE), 501.0)
    asked = [
        struct.unpack("!III", body)[:2] for kind, body in messages(wire.to_send()) if kind == Kind.REQUEST
    ]
    assert asked == [(index, at * BLOCK_BYTES) for at in range(1, len(piece(index)))]
    assert not wire.tick(560.0)
    assert wire.tick(562.0)
    assert wire.may_ask


def test_what_was_rejected_is_asked_for_again_and_given_up_after_a_minute() -> None:
    wire = greeted()
    wire.receive(said(Kind.HAVE_ALL) + said(Kind.UNCHOKE), 0.0)
    index = wire.ask(random.Random(1), 0.0)
    wire.to_send()
    wire.receive(said(Kind.REJECT, struct.pack("!III", index, 0, BLOCK_BYTES)), 1.0)
    assert not wire.tick(5.0)
    assert wire.to_send() == b""
    assert not wire.tick(11.0)
    assert {kind for kind, _ in messages(wire.to_send())} == {Kind.REQUEST}
    assert wire.tick(60.5)


def test_nothing_is_uploaded() -> None:
    request = struct.pack("!III", 0, 0, BLOCK_BYTES)
    wire = greeted()
    wire.receive(said(Kind.REQUEST, request), 0.0)
    assert messages(wire.to_send()) == [(Kind.REJECT, request)]
    old = greeted(reserved=bytes(8))
    old.receive(said(Kind.REQUEST, request), 0.0)
    assert old.to_send() == b""


def test_metadata_comes_in_blocks_under_the_number_the_other_chose() -> None:
    wire = greeted()
    wire.receive(said(Kind.EXTENDED, b"\x00d1:md11:ut_metadatai7ee1:v5:a\x00b\xffce"), 0.0)
    assert wire.client == "a?b\ufffdc"
    events = wire.receive(said(Kind.EXTENDED, b"\x02d8:msg_typei0e5:piecei0ee"), 0.0)
    assert events == [MetadataAsked(0)]
    size = len(TORRENT.info())
    assert wire.metadata_bytes(0) == (size, size)
    assert wire.metadata_bytes(1)[0] == 0
    assert wire.metadata_bytes(2**70)[0] == 0
    wire.give_metadata(0)
    ((kind, body),) = messages(wire.to_send())
    assert (kind, body[0]) == (Kind.EXTENDED, 7)
    head = body[1 : -len(TORRENT.info())]
    assert bdecode(head) == {b"msg_type": 1, b"piece": 0, b"total_size": size}
    assert body.endswith(TORRENT.info())
    wire.refuse_metadata(2**70)
    ((kind, body),) = messages(wire.to_send())
    assert bdecode(body[1:])[b"msg_type"] == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        said(99),
        said(Kind.HAVE, b"\x00"),
        have(PIECES),
        said(Kind.BITFIELD, b"\xff"),
        said(Kind.BITFIELD, b"\xff\xc0\x00"),
        said(Kind.BITFIELD, b"\xff\xff"),
        said(Kind.REQUEST, struct.pack("!III", PIECES, 0, 1)),
        said(Kind.PIECE, b"\x00\x00"),
        said(Kind.PIECE, struct.pack("!II", PIECES, 0)),
        said(Kind.UNCHOKE, b"!"),
        said(Kind.EXTENDED),
        said(Kind.EXTENDED, b"\x00le"),
        said(Kind.EXTENDED, b"\x00d"),
        said(Kind.EXTENDED, b"\x00" + b"l" * 16_000),
        said(Kind.EXTENDED, b"\x00" + b"l" * 8_000 + b"e" * 8_000),
        said(Kind.EXTENDED, b"\x02de"),
        said(Kind.EXTENDED, b"\x02d8:msg_typei0e5:piecei-1ee"),
        struct.pack("!I", BLOCK_BYTES + 10),
        b"\xff\xff\xff\xff",
    ],
)
def test_nonsense_ends_the_connection(nonsense: bytes) -> None:
    wire = greeted()
    with pytest.raises(Garbage):
        wire.receive(nonsense, 0.0)


def test_fast_messages_of_a_client_without_fast_end_the_connection() -> None:
    for kind in (Kind.HAVE_ALL, Kind.HAVE_NONE):
        with pytest.raises(Garbage):
            greeted(reserved=bytes(8)).receive(said(kind), 0.0)


def test_a_block_of_another_length_and_too_many_unasked_ones_end_the_connection() -> None:
    wire = greeted()
    wire.receive(said(Kind.HAVE_ALL) + said(Kind.UNCHOKE), 0.0)
    index = wire.ask(random.Random(1), 0.0)
    with pytest.raises(Garbage):
        wire.receive(said(Kind.PIECE, struct.pack("!II", index, 0) + b"short"), 0.0)
    idle = greeted()
    idle.receive(piece(0)[0] * UNASKED_BLOCKS_MAX, 0.0)
    with pytest.raises(Garbage):
        idle.receive(piece(0)[0], 0.0)


def test_a_minute_has_so_many_messages() -> None:
    most = MESSAGES_MAX + MESSAGES_PER_PIECE_MAX * PIECES
    wire = greeted()
    for _ in range(3):
        wire.receive(bytes(4) * most, 0.0)
        wire.turn()
    with pytest.raises(Garbage):
        wire.receive(bytes(4) * (most + 1), 0.0)


def split(content: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return [content[begin:end] for begin, end in itertools.pairwise(places)]


LIKELY = st.one_of(
    st.builds(said, st.sampled_from([*Kind, 11, 255]), st.binary(max_size=20)),
    st.builds(have, st.integers(0, PIECES)),
    st.sampled_from(
        [said(Kind.HAVE_ALL), said(Kind.UNCHOKE), said(Kind.CHOKE), bytes(4), *piece(0), *piece(9)]
    ),
    st.builds(lambda body: said(Kind.EXTENDED, body), st.binary(max_size=40)),
    st.binary(max_size=40),
)


@settings(deadline=None)
@given(st.lists(LIKELY, max_size=30), st.lists(st.integers(0, 2**20), max_size=20))
def test_any_bytes_split_anywhere_bring_the_same_or_the_end_and_never_more_than_a_frame(
    parts: list[bytes], cuts: list[int]
) -> None:
    stream, outcomes = greeting() + b"".join(parts), []
    for pieces in (split(stream, cuts), [stream]):
        wire = Wire(our_id=OURS, admits=admits)
        ended = False
        for each in pieces:
            try:
                wire.receive(each, 0.0)
            except Garbage:
                ended = True
                break
            assert len(wire._rest) <= BLOCK_BYTES + 13
            wire.ask(random.Random(1), 0.0)
        outcomes.append((ended, None if ended else wire.at_hand))
    assert outcomes[0] == outcomes[1]


# Obfuscated ------------------------------------------------------------------------------------------------------


def passed(here: Initiator, there: Responder, chunks: int = 1) -> tuple[bytes, bytes]:
    """The plain text that arrives on either side when both handshakes are carried over, in chunks of so many bytes."""
    got_here = got_there = b""
    while (out := here.to_send()) or not (here.is_open and there.is_open):
        for at in range(0, len(out), chunks):
            got_there += there.receive(out[at : at + chunks])
        back = there.to_send()
        for at in range(0, len(back), chunks):
            got_here += here.receive(back[at : at + chunks])
        if not out and not back:
            break
    return got_here, got_there


@pytest.mark.parametrize("chunks", [1, 7, 10_000])
def test_two_ends_understand_each_other(chunks: int) -> None:
    marks = {hash_of_key(TORRENT.info_hash): TORRENT.info_hash}
    here, there = Initiator(TORRENT.info_hash, greeting()), Responder(marks.get)
    assert passed(here, there, chunks) == (b"", greeting())
    assert here.is_open
    assert there.is_open
    assert there.receive(here.to_wire(b"to there")) == b"to there"
    assert here.receive(there.to_wire(b"to here")) == b"to here"
    assert there.to_wire(b"in the clear") == b"in the clear"


def test_a_torrent_nobody_was_introduced_to_is_not_found() -> None:
    with pytest.raises(Garbage):
        passed(Initiator(TORRENT.info_hash, greeting()), Responder({}.get))


def test_a_greeting_in_the_clear_is_known_from_its_first_bytes() -> None:
    assert is_plain(b"\x13Bit") is None
    assert is_plain(greeting()) is True
    assert is_plain(b"\x13But") is False
    assert is_plain(bytes(96)) is False


@pytest.mark.parametrize("key", [0, 1, PRIME - 1, PRIME, 2**768 - 1])
def test_a_key_that_hides_nothing_ends_the_connection(key: int) -> None:
    with pytest.raises(Garbage):
        Responder({}.get).receive(key.to_bytes(96, "big"))


@settings(deadline=None, max_examples=50)
@given(st.binary(min_size=96, max_size=2_000), st.integers(1, 500))
def test_any_bytes_end_an_obfuscated_greeting_soon(content: bytes, step: int) -> None:
    there, taken, ended = Responder({}.get), 0, False
    for at in range(0, len(content), step):
        try:
            assert there.receive(content[at : at + step]) == b""
        except Garbage:
            ended = True
            break
        taken += step
    assert not there.is_open
    assert ended or taken <= 96 + 512 + 20 + step
