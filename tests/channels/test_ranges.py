"""Range requests: what a header means, by the letter of the standard, and reading exactly those bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vteam.channels.copies.ranges import (
    Segment,
    Span,
    Unsatisfiable,
    read_span,
    requested_span,
    total_bytes,
)


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-499", 0, 500),
        ("bytes=500-999", 500, 1000),
        ("bytes=0-0", 0, 1),
        ("bytes=999-", 999, 1000),
        ("bytes=0-", 0, 1000),
        ("bytes=-1", 999, 1000),
        ("bytes=-500", 500, 1000),
        ("bytes=-5000", 0, 1000),
        ("bytes=900-5000", 900, 1000),
        ("bytes=00000000000000000000900-00000000000000000000000901", 900, 902),
        ("bytes=5-" + "9" * 5_000, 5, 1000),
        ("bytes=-" + "9" * 5_000, 0, 1000),
        ("Bytes=1-2", 1, 3),
    ],
)
def test_one_range_is_a_part(header: str, start: int, stop: int) -> None:
    span = requested_span(header, 1000)
    assert span == Span(start=start, stop=stop, size=1000, partial=True)
    assert isinstance(span, Span)
    assert span.content_range == f"bytes {start}-{stop - 1}/1000"
    assert span.length == stop - start


@pytest.mark.parametrize(
    "header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=" + "9" * 5_000 + "-"]
)
def test_a_range_outside_is_refused_with_the_size(header: str) -> None:
    span = requested_span(header, 1000)
    assert span == Unsatisfiable(size=1000)
    assert isinstance(span, Unsatisfiable)
    assert span.content_range == "bytes */1000"


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5", "bytes=5-4", "bytes=0-1,5-6", "items=0-1",
     "bytes=0x1-2", "bytes=-1-2", "bytes=1--2", "bytes=+1-2", "bytes=1 -2", "bytes=٣-٤", "bytes = 0-1", "bytes=0-1\n"],
)  # fmt: skip
def test_what_is_no_single_range_gets_the_whole(header: str | None) -> None:
    assert requested_span(header, 1000) == Span(start=0, stop=1000, size=1000, partial=False)


def test_nothing_has_no_parts() -> None:
    assert requested_span("bytes=0-", 0) == Unsatisfiable(size=0)
    assert requested_span("bytes=-5", 0) == Span(start=0, stop=0, size=0, partial=False)


@given(
    header=st.text("bytes=-,0123456789 ", max_size=20).map(lambda text: "bytes=" + text),
    size=st.integers(0, 200),
)
def test_any_header_gives_bytes_that_exist(header: str, size: int) -> None:
    span = requested_span(header, size)
    if isinstance(span, Span):
        assert 0 <= span.start <= span.stop <= size
        assert span.partial is False or span.start < span.stop


CONTENT = bytes(range(256)) * 3


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ranges") / "body"
    path.write_bytes(CONTENT)
    return path


@given(data=st.data())
def test_a_span_is_what_a_slice_would_be(file: Path, data: st.DataObject) -> None:
    """Parts of memory and of a file, in a row."""
    places = st.integers(0, len(CONTENT))
    parts: list[bytes | Segment] = []
    whole = b""
    for _ in range(data.draw(st.integers(0, 4))):
        low, high = sorted((data.draw(places), data.draw(places)))
        whole += CONTENT[low:high]
        parts.append(
            CONTENT[low:high] if data.draw(st.booleans()) else Segment(path=file, start=low, stop=high)
        )
    assert total_bytes(parts) == len(whole)
    start, stop = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    chunk_bytes = data.draw(st.integers(1, 1_000))
    chunks = list(read_span(parts, start, stop, chunk_bytes))
    assert b"".join(chunks) == whole[start:stop]
    assert all(0 < len(chunk) <= chunk_bytes for chunk in chunks)


def test_a_file_that_became_shorter_breaks_off(file: Path) -> None:
    chunks = read_span([b"tag", Segment(path=file, start=0, stop=len(CONTENT) + 10)], 0, len(CONTENT) + 13)
    with pytest.raises(OSError, match="ends 10 bytes too early"):
        list(chunks)


def test_a_reader_who_leaves_early_leaves_no_file_open(file: Path) -> None:
    chunks = read_span([Segment(path=file, start=0, stop=700)], 0, 700, 10)
    assert next(chunks) == CONTENT[:10]
    chunks.close()  # type: ignore[attr-defined]
    # A file left open would end as a ResourceWarning, which is an error here.
