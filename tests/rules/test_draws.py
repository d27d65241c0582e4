"""Drawing: the published example, chances as they are stated, and no entry twice."""

import hashlib
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vteam.rules.draws import ALGORITHM, TOTAL_MAX, WEIGHT_MAX, Entry, drawn, entries_sha256, seed_of

WEIGHTS = st.lists(st.integers(1, 50), min_size=1, max_size=40)
SEEDS = st.binary(min_size=32, max_size=32)


def drawn_slowly(seed: bytes, weights: list[int], how_many: int) -> list[int]:
    """The same as docs/draws.md words it: a list that gets shorter, walked from its beginning."""
    left = list(enumerate(weights))
    order: list[int] = []
    while left and len(order) < how_many:
        total = sum(weight for _, weight in left)
        for attempt in range(100):
            text = seed + len(order).to_bytes(4, "big") + attempt.to_bytes(4, "big")
            number = int(hashlib.sha256(text).hexdigest(), 16)
            if number < (2**256 // total) * total:
                break
        number %= total
        for at, (place, weight) in enumerate(left):
            if number < weight:
                order.append(place)
                del left[at]
                break
            number -= weight
    return order


@given(SEEDS, WEIGHTS, st.integers(0, 50))
def test_it_draws_as_the_document_says(seed: bytes, weights: list[int], how_many: int) -> None:
    assert drawn(seed, weights, how_many) == drawn_slowly(seed, weights, how_many)


@given(SEEDS, WEIGHTS)
def test_each_is_drawn_once_and_who_is_next_in_line_changes_nobody_before(
    seed: bytes, weights: list[int]
) -> None:
    every = drawn(seed, weights, len(weights) + 5)
    assert sorted(every) == list(range(len(weights)))
    for how_many in range(len(weights)):
        assert drawn(seed, weights, how_many) == every[:how_many]


def test_chances_are_what_entries_weigh() -> None:
    rounds = 3_000
    first = Counter(drawn(hashlib.sha256(b"%d" % at).digest(), [1, 2, 5, 2], 1)[0] for at in range(rounds))
    for place, share in enumerate((0.1, 0.2, 0.5, 0.2)):
        assert abs(first[place] / rounds - share) < 0.03


def test_who_is_drawn_second_is_drawn_from_the_rest_by_weight() -> None:
    rounds = 3_000
    orders = [drawn(hashlib.sha256(b"%d" % at).digest(), [1, 1, 8], 2) for at in range(rounds)]
    after = Counter(order[1] for order in orders if order[0] == 2)
    assert abs(after[0] / after.total() - 0.5) < 0.03


def test_the_largest_draw_there_may_be_is_exact() -> None:
    weights = [WEIGHT_MAX] * 1000
    assert sum(weights) < TOTAL_MAX
    assert len(set(drawn(bytes(32), weights, 1000))) == 1000


def test_nobody_is_drawn_where_there_is_nobody() -> None:
    assert drawn(bytes(32), [], 3) == []


def test_hashes_are_of_the_text_the_document_gives() -> None:
    entries = [Entry("a1", 3), Entry("b2", 1)]
    assert entries_sha256(entries) == hashlib.sha256(b"a1 3\nb2 1\n").hexdigest()
    many = [Entry(f"{number:06}", 1) for number in range(9_000)]
    text = "".join(f"{number:06} 1\n" for number in range(9_000)).encode()
    assert entries_sha256(many) == hashlib.sha256(text).hexdigest()
    assert (
        seed_of("ab" * 32, b"r") == hashlib.sha256(ALGORITHM.encode() + b"\n" + b"\xab" * 32 + b"r").digest()
    )
