"""Is this file the MP3 it claims to be, and which bytes of it are the music?

The file is read once and walked frame by frame from the first to the last; between the tags in front and
those behind there may be nothing but MPEG Layer III frames, one right after the other. Whatever else
hides in it, or pretends to be it (WAV, AAC, a web page, an archive), is refused with a reason its owner
understands. The frame that carries the encoder's own table (Xing, Info, VBRI) belongs to the music:
players need it.
Sources: ISO/IEC 11172-3 and 13818-3 (header), Gabriel Bouvigne's and LAME's descriptions of the Xing
frame.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vteam import settings
from vteam.campaigns.id3 import start_of_tags_behind, tags_in_front
from vteam.errors import AudioError

SECONDS_MIN = 10
SECONDS_MAX = 20 * 60
ZEROS_MAX = 1 << 16
"""Encoders and rippers leave runs of zero bytes before and behind the frames, in bytes."""
FRAMES_TO_BE_SURE = 8
"""Fewer frames in a row than these may be chance: such a file is called "no MP3", not "a damaged one"."""

KBPS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBPS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
SAMPLE_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}

# What a file begins with when it is something else; the longest beginnings first where two could match.
BEGINNINGS = (
    (b"RIFF", "a WAV file"),
    (b"RF64", "a WAV file"),
    (b"FORM", "an AIFF file"),
    (b"fLaC", "a FLAC file"),
    (b"OggS", "an Ogg file"),
    (b"wvpk", "a WavPack file"),
    (b"MAC ", "a Monkey's Audio file"),
    (b"ADIF", "an AAC file"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
    (b"PK", "a ZIP archive"),
    (b"\x1f\x8b", "a packed (gzip) file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"#!", "a program"),
    (b"MThd", "a MIDI file"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What is known of an MP3: `body_start` to `body_end` (bytes, end excluded) are exactly its frames."""

    body_start: int
    body_end: int
    milliseconds: int
    bitrate_kbps: int
    sample_rate_hz: int
    channels: int
    title: str | None
    artist: str | None
    cover_bytes: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameShape:
    """What the second and third byte of a frame's header say. `length` in bytes, header included."""

    version: int
    sample_rate_hz: int
    samples: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A whole walk over the frames, which end before `end`."""

    first: FrameShape
    mono: bool
    frames: int
    end: int


def inspect_mp3(path: Path) -> Audio:
    """The MP3 at `path`, looked through from end to end; AudioError says what else it is or what is wrong."""
    limit = settings.AUDIO_MIB_MAX << 20
    try:
        if not path.is_file():
            raise AudioError("there is no such file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise AudioError(f"it cannot be read ({error.strerror or error})") from error
    if len(data) > limit:
        raise AudioError(f"it is larger than {settings.AUDIO_MIB_MAX} MiB")
    return inspect_bytes(data)


def inspect_bytes(data: bytes) -> Audio:
    """As `inspect_mp3`, for a file already in memory."""
    if not data:
        raise AudioError("it is empty")
    tag, start = tags_in_front(data)
    _refuse_other_things(data, start)
    start = _past_zeros(data, start)
    _refuse_other_things(data, start)
    walk = _walk(data, start, start_of_tags_behind(data, start))
    counted = _count_music_frames(data, start, walk)
    milliseconds = counted * walk.first.samples * 1000 // walk.first.sample_rate_hz
    if milliseconds < SECONDS_MIN * 1000:
        raise AudioError(f"it lasts less than {SECONDS_MIN} seconds")
    return Audio(
        body_start=start,
        body_end=walk.end,
        milliseconds=milliseconds,
        bitrate_kbps=round((walk.end - start) * 8 / milliseconds),
        sample_rate_hz=walk.first.sample_rate_hz,
        channels=1 if walk.mono else 2,
        title=tag.title,
        artist=tag.artist,
        cover_bytes=tag.cover,
    )


# What it is not ------------------------------------------------------------
def _refuse_other_things(data: bytes, start: int) -> None:
    head = data[start : start + 512]
    for beginning, name in BEGINNINGS:
        if head.startswith(beginning):
            raise AudioError(f"it is {name} under an MP3's name")
    if head[4:8] == b"ftyp":
        raise AudioError("it is an M4A or MP4 file under an MP3's name")
    if (
        head.lstrip(b"\xef\xbb\xbf \t\r\n")
        .lower()
        .startswith((b"<!doctype", b"<html", b"<?xml", b"<svg", b"<script"))
    ):
        raise AudioError("it is a web page under an MP3's name: the download of it may have failed")
    if not head:
        raise AudioError("there is a tag in it but no music")
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        raise AudioError("it is an AAC file under an MP3's name")


def _past_zeros(data: bytes, start: int) -> int:
    """Where the zero bytes an encoder left in front of the frames end."""
    window = data[start : start + ZEROS_MAX]
    return start + len(window) - len(window.lstrip(b"\0"))


# The walk ------------------------------------------------------------
def _walk(data: bytes, start: int, end: int) -> Walk:
    """Every frame begins where the one before ended, is of the same kind, and ends by `end`."""
    first = _shape_at(data, start, end)
    if isinstance(first, str):
        raise AudioError(first)
    mono = _is_mono(data, start)
    at, frames = start, 0
    frames_max = (SECONDS_MAX + 1) * first.sample_rate_hz // first.samples
    while at < end and not (data[at] == 0 and _only_zeros(data, at, end)):
        shape = _shape_at(data, at, end)
        if isinstance(shape, str) or not _alike(first, shape) or _is_mono(data, at) != mono:
            raise AudioError(_interrupted(data, at, end, frames, first))
        at += shape.length
        frames += 1
        if at > end:
            raise AudioError("it is cut off: its last bit of music is not whole")
        if frames > frames_max:
            raise AudioError(f"it lasts longer than {SECONDS_MAX // 60} minutes")
    return Walk(first=first, mono=mono, frames=frames, end=at)


def _is_mono(data: bytes, at: int) -> bool:
    return data[at + 3] >> 6 == 3


def _only_zeros(data: bytes, at: int, end: int) -> bool:
    return end - at <= ZEROS_MAX and not any(data[at:end])


def _shape_at(data: bytes, at: int, end: int) -> FrameShape | str:
    """The shape of the frame at `at`, or why there is none."""
    if end - at < 4 or data[at] != 0xFF:
        return "it is not an MP3: there is no music where it should begin"
    return _shape(data[at + 1], data[at + 2])


@cache
def _shape(second: int, third: int) -> FrameShape | str:
    """Bytes 2 and 3 of a header: sync, version, layer, checksum; bitrate, sample rate, padding, private."""
    version, layer = second >> 3 & 3, second >> 1 & 3
    bitrate, rate, padding = third >> 4, third >> 2 & 3, third >> 1 & 1
    if second & 0xE0 != 0xE0 or version == 1 or layer == 0 or rate == 3 or bitrate == 15:
        return "it is not an MP3: there is no music where it should begin"
    if layer != 1:
        return "it is an MPEG file of another layer (MP1 or MP2), which browsers do not play"
    if bitrate == 0:
        return "it is an MP3 of “free format”, which most players refuse"
    samples = 1152 if version == 3 else 576
    sample_rate_hz = SAMPLE_RATES_HZ[version][rate]
    kbps = (KBPS_MPEG1 if version == 3 else KBPS_MPEG2)[bitrate]
    length = samples // 8 * kbps * 1000 // sample_rate_hz + padding
    return FrameShape(version=version, sample_rate_hz=sample_rate_hz, samples=samples, length=length)


def _alike(first: FrameShape, other: FrameShape) -> bool:
    return first.version == other.version and first.sample_rate_hz == other.sample_rate_hz


def _interrupted(data: bytes, at: int, end: int, frames: int, first: FrameShape) -> str:
    """Why the walk ends at `at` after `frames` good frames."""
    if frames < FRAMES_TO_BE_SURE:
        return "it is not an MP3: there is no music where it should begin"
    seconds = frames * first.samples // first.sample_rate_hz
    clock = f"{seconds // 60}:{seconds % 60:02}"
    if data.find(b"\xff", at, end) < 0 or end - at < first.length:
        return f"after the music ({clock}) there are {end - at} bytes that are no music"
    return f"at {clock} there is something in it that is no music, or music of another kind"


# The encoder's table ------------------------------------------------------------
def _count_music_frames(data: bytes, start: int, walk: Walk) -> int:
    """Frames that sound: not the one with the encoder's table, which must not promise more than there are."""
    promised = _table(data, start, walk)
    if promised is None:
        return walk.frames
    counted = walk.frames - 1
    if promised > counted + 1:
        raise AudioError("it is cut off: it should hold more music than it does")
    return counted


def _table(data: bytes, start: int, walk: Walk) -> int | None:
    """How many frames the encoder's table promises (0: unsaid); None where the first frame is music."""
    frame = data[start : start + walk.first.length]
    side = (17 if walk.mono else 32) if walk.first.version == 3 else (9 if walk.mono else 17)
    for at in (4 + side, 6 + side):  # with a checksum two bytes later
        if frame[at : at + 4] in (b"Xing", b"Info"):
            says = len(frame) >= at + 12 and frame[at + 7] & 1
            return int.from_bytes(frame[at + 8 : at + 12]) if says else 0
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54])
    return None
