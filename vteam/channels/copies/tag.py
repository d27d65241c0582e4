"""The personal copy: one template per title, one small patch per fan, the same music for everyone.

A copy is an ID3v2.4 tag followed by the title's body. The tag fills whole torrent pieces exactly (its
last bytes are padding), so the body's pieces are alike in every copy and hashed once. The fan's link is
the comment frame (COMM), which players show; it has one length for all fans and lies before the cover,
in piece 0. Making a fan's copy is therefore replacing those bytes, and knowing its torrent costs the
hash of one piece.

    | COMM link · title, artist, album, year … cover … padding | body: MPEG frames |
    0                                          n × piece_bytes ^

A link of another length, or with other than printable ASCII in it, is refused: it would move every byte
after it.
"""

import io
from dataclasses import dataclass
from typing import Any, Final

import mutagen.id3

id3: Any = mutagen.id3  # mutagen tells no types

PIECE_BYTES_MIN: Final = 64 << 10
PIECES_WANTED: Final = 1_024
HEADER_BYTES: Final = 10
UTF_8: Final = 3
# One byte per letter, no mark in front: what is written where the link will stand keeps its place and length.
LATIN_1: Final = 0
STAND_IN: Final = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTemplate:
    """A whole tag with room for a link: `link_length` bytes from `link_offset` on."""

    bytes: bytes
    link_offset: int
    link_length: int


def piece_bytes_for(body_bytes: int) -> int:
    """The length of a title's torrent pieces: the least power of two from 64 KiB that gives at most 1,024.

    64 KiB is enough for a tag with its cover (under 60 KB), so that a copy of up to 64 MiB begins with one
    piece of tag; larger pieces for larger bodies keep a .torrent file under some 20 KB.
    """
    piece_bytes = PIECE_BYTES_MIN
    while piece_bytes * PIECES_WANTED < body_bytes:
        piece_bytes *= 2
    return piece_bytes


def tag_template(
    *,
    title: str,
    artist: str,
    album: str,
    year: int | None,
    cover_jpeg: bytes,
    piece_bytes: int,
    link_length: int,
) -> TagTemplate:
    """A title's tag of whole pieces (`piece_bytes` each), with a stand-in where each fan's link goes."""
    if link_length < 1 or piece_bytes < 1:
        raise ValueError("a link and a piece have at least one byte")
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=UTF_8, text=[title]))
    tags.add(id3.TPE1(encoding=UTF_8, text=[artist]))
    tags.add(id3.TALB(encoding=UTF_8, text=[album]))
    if year is not None:
        tags.add(id3.TDRC(encoding=UTF_8, text=[f"{year:04}"]))
    tags.add(id3.COMM(encoding=LATIN_1, lang="eng", desc="", text=[STAND_IN * link_length]))
    tags.add(_cover(cover_jpeg))
    written = _written(tags, piece_bytes)
    return TagTemplate(
        bytes=written, link_offset=_place_of_link(written, link_length, piece_bytes), link_length=link_length
    )


def personal(template: TagTemplate, link: str) -> bytes:
    """The tag of one fan's copy; ValueError where `link` is not exactly as long as its place."""
    content = link.encode("ascii", errors="replace")
    if len(content) != template.link_length or not link.isascii() or not link.isprintable():
        raise ValueError(
            f"a link of {template.link_length} printable ASCII characters is needed, not {link!r}"
        )
    end = template.link_offset + template.link_length
    return template.bytes[: template.link_offset] + content + template.bytes[end:]


def _cover(jpeg: bytes) -> Any:
    return id3.APIC(encoding=LATIN_1, mime="image/jpeg", type=id3.PictureType.COVER_FRONT, desc="", data=jpeg)


def _written(tags: Any, piece_bytes: int) -> bytes:
    """The tag alone, padded to the next whole piece."""
    bare = io.BytesIO()
    tags.save(bare, v1=0, v2_version=4, padding=lambda info: 0)
    total = -(-len(bare.getvalue()) // piece_bytes) * piece_bytes
    out = io.BytesIO()
    # For a tag that is not in a file yet, info.padding is minus what its frames and header take.
    tags.save(out, v1=0, v2_version=4, padding=lambda info: total + info.padding)
    written = out.getvalue()
    if len(written) != total:
        raise AssertionError(f"a tag of {len(written)} bytes where {total} were asked for")
    return written


def _place_of_link(written: bytes, link_length: int, piece_bytes: int) -> int:
    """Where the comment frame's text begins; it must end inside piece 0, before the cover."""
    starts = _frames(written)
    # The frame's header (10 bytes), encoding (1), language (3), the end of the empty description (1).
    offset = starts[b"COMM"] + HEADER_BYTES + 5
    end = offset + link_length
    if written[offset:end] != STAND_IN.encode() * link_length or end > min(starts[b"APIC"], piece_bytes):
        raise ValueError(
            "the texts are too long: the link would not lie in the first piece, before the cover"
        )
    return offset


def _frames(written: bytes) -> dict[bytes, int]:
    """Where each frame of an ID3v2.4 tag begins; sizes are four bytes of seven bits."""
    starts, at = {}, HEADER_BYTES
    while at + HEADER_BYTES < len(written) and written[at]:
        starts[written[at : at + 4]] = at
        size = written[at + 4 : at + 8]
        at += HEADER_BYTES + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    return starts
