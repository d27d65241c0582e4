"""What stands around the music in an MP3: the tags in front (ID3v2) and behind (ID3v1, APEv2, Lyrics3).

Only lengths, title, artist and cover are read, from bytes already in memory, within limits: nothing is
decompressed or decrypted, no size is believed beyond the tag it stands in. Writing tags is mutagen's
work.
Sources: id3.org, "ID3v2 informal standard" 2.2 to 2.4; wiki.hydrogenaud.io, "APEv2"; id3.org, "Lyrics3
v2".
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from vteam.errors import AudioError

TAG_MIB_MAX = 16
FRAMES_MAX = 2_000
TAGS_IN_FRONT_MAX = 3
TAGS_BEHIND_MAX = 6
LETTERS_MAX = 200
ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
FRONT_COVER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What a tag says about its file; None where it does not say."""

    title: str | None = None
    artist: str | None = None
    cover: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of an ID3v2 tag: name and content as stored; `still_shut`: packed or encrypted."""

    name: bytes
    content: bytes
    still_shut: bool


def tags_in_front(data: bytes) -> tuple[Tag, int]:
    """What the first ID3v2 tag says, and where the last one ends (0 where there is none)."""
    first, at, tags = Tag(), 0, 0
    while data.startswith(b"ID3", at):
        tags += 1
        if tags > TAGS_IN_FRONT_MAX:
            raise AudioError("it carries tag upon tag in front of the music, as no music program writes them")
        end = _end_of_id3v2(data, at)
        if tags == 1:
            first = _read(data[at:end])
        at = end
    return first, at


def start_of_tags_behind(data: bytes, start: int) -> int:
    """Where the tags behind the music begin (`len(data)` where there are none), never before `start`."""
    end = len(data)
    for _ in range(TAGS_BEHIND_MAX):
        before = _one_tag_less(data, start, end)
        if before == end:
            return end
        end = before
    raise AudioError("it carries tag upon tag behind the music, as no music program writes them")


# Behind the music ------------------------------------------------------------
def _one_tag_less(data: bytes, start: int, end: int) -> int:
    """`end` moved in front of the tag that ends there; the same where none does."""
    length = 0
    if data[max(start, end - 128) : end].startswith(b"TAG") and end - start >= 128:
        length = 128 + (227 if data[max(start, end - 355) : end].startswith(b"TAG+") else 0)
    elif data[end - 32 : end].startswith(b"APETAGEX") and end - start >= 32:
        length = _ape_length(data[end - 32 : end])
    elif data.endswith(b"LYRICS200", start, end):
        length = _lyrics_length(data[max(start, end - 15) : end - 9])
    if length > end - start or length > TAG_MIB_MAX << 20:
        raise AudioError("the tag behind the music gives an impossible size")
    return end - length


def _ape_length(footer: bytes) -> int:
    size, _items, flags = struct.unpack_from("<III", footer, 12)
    return int(size) + (32 if flags & 0x8000_0000 else 0)


def _lyrics_length(digits: bytes) -> int:
    if len(digits) != 6 or not digits.isdigit():
        raise AudioError("the lyrics behind the music give an impossible size")
    return int(digits) + 15


# In front of the music ------------------------------------------------------------
def _end_of_id3v2(data: bytes, at: int) -> int:
    header = data[at : at + 10]
    if len(header) < 10:
        raise AudioError("it ends inside its first tag: the file is cut off")
    version, flags = header[3], header[5]
    if version not in (2, 3, 4) or any(byte & 0x80 for byte in header[6:10]):
        raise AudioError("its tag is damaged or made up: no ID3 tag begins like this")
    length = 10 + _seven_bits(header[6:10]) + (10 if version == 4 and flags & 0x10 else 0)
    if length > TAG_MIB_MAX << 20:
        raise AudioError(f"its tag is larger than {TAG_MIB_MAX} MiB: take out pictures and attachments")
    if at + length > len(data):
        raise AudioError("its tag claims to be longer than the whole file: the file is cut off or made up")
    return at + length


def _seven_bits(four: bytes) -> int:
    """A size of four bytes with seven bits each ("synchsafe")."""
    return four[0] << 21 | four[1] << 14 | four[2] << 7 | four[3]


def _read(tag: bytes) -> Tag:
    title = artist = cover = None
    for frame in _frames(tag):
        if frame.still_shut:
            continue
        if frame.name in (b"TIT2", b"TT2"):
            title = title or _text(frame.content)
        elif frame.name in (b"TPE1", b"TP1"):
            artist = artist or _text(frame.content)
        elif frame.name in (b"APIC", b"PIC"):
            kind, picture = _picture(frame)
            cover = picture if picture and (cover is None or kind == FRONT_COVER) else cover
    return Tag(title=title, artist=artist, cover=cover)


def _frames(tag: bytes) -> Iterator[Frame]:
    """The frames of one whole ID3v2 tag, header included; a damaged one raises AudioError."""
    version, flags, body = tag[3], tag[5], tag[10:]
    if version == 2 and flags & 0x40:
        return  # 2.2's whole-tag compression, which the standard itself tells readers to ignore
    if version < 4 and flags & 0x80:
        body = body.replace(b"\xff\x00", b"\xff")
    at = _past_extended_header(version, flags, body)
    head = 6 if version == 2 else 10
    for _ in range(FRAMES_MAX):
        if at + head > len(body) or body[at] == 0 or (version == 4 and body.startswith(b"3DI", at)):
            return
        length = _frame_length(version, body, at)
        if length > len(body) - at - head:
            raise AudioError("a field in its tag claims more bytes than the tag has: the tag is damaged")
        yield _frame(version, body[at : at + head], body[at + head : at + head + length])
        at += head + length
    raise AudioError(f"its tag holds more than {FRAMES_MAX} fields")


def _past_extended_header(version: int, flags: int, body: bytes) -> int:
    if version == 2 or not flags & 0x40 or len(body) < 4:
        return 0
    return _seven_bits(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4])


def _frame_length(version: int, body: bytes, at: int) -> int:
    """The content's length in bytes; in 2.4 also as programs write it that forgot the seven bits."""
    if version == 2:
        return int.from_bytes(body[at + 3 : at + 6])
    size = body[at + 4 : at + 8]
    plain = int.from_bytes(size)
    if version == 3 or plain < 0x80:
        return plain
    if any(byte & 0x80 for byte in size):
        return plain
    synchsafe = _seven_bits(size)
    return synchsafe if _frame_may_begin(body, at + 10 + synchsafe) else plain


def _frame_may_begin(body: bytes, at: int) -> bool:
    name = body[at : at + 4]
    return at == len(body) or not any(name) or (name.isalnum() and name.isupper())


def _frame(version: int, header: bytes, content: bytes) -> Frame:
    if version == 2:
        return Frame(name=header[:3], content=content, still_shut=False)
    flags = header[9]
    if version == 3:
        skipped = 1 if flags & 0x20 else 0
        return Frame(name=header[:4], content=content[skipped:], still_shut=bool(flags & 0xC0))
    skipped = (1 if flags & 0x40 else 0) + (4 if flags & 0x01 else 0)
    content = content[skipped:]
    if flags & 0x02:
        content = content.replace(b"\xff\x00", b"\xff")
    return Frame(name=header[:4], content=content, still_shut=bool(flags & 0x0C))


def _text(content: bytes) -> str | None:
    """The first value of a text frame, printable characters alone."""
    if not content or content[0] >= len(ENCODINGS):
        return None
    text = content[1 : 1 + 8 * LETTERS_MAX].decode(ENCODINGS[content[0]], errors="replace")
    first = text.lstrip("\ufeff").split("\0")[0]
    return "".join(letter for letter in first if letter.isprintable()).strip()[:LETTERS_MAX] or None


def _picture(frame: Frame) -> tuple[int, bytes | None]:
    """The kind (3: front cover) and the bytes of an attached picture; a web address is no picture."""
    content = frame.content
    if frame.name == b"PIC":
        mime, at = content[1:4], 4
    else:
        mime_end = content.find(b"\0", 1)
        mime, at = content[1 : max(1, mime_end)], mime_end + 1
    if at < 2 or len(content) <= at or mime == b"-->" or content[0] >= len(ENCODINGS):
        return 0, None
    wide = content[0] in (1, 2)
    end = _end_of_text(content, at + 1, wide=wide)
    return content[at], None if end is None else content[end:] or None


def _end_of_text(content: bytes, at: int, *, wide: bool) -> int | None:
    """Where what follows a zero-ended text begins."""
    if not wide:
        zero = content.find(b"\0", at)
        return None if zero < 0 else zero + 1
    zero = content.find(b"\0\0", at)
    while zero >= 0 and (zero - at) % 2:
        zero = content.find(b"\0\0", zero + 1)
    return None if zero < 0 else zero + 2
