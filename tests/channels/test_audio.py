"""MP3s from outside: real files from real encoders, other things under an MP3's name, and mutilated ones."""

import io
import struct
import subprocess
import time
import wave
import zipfile
from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.id3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vteam import settings as vteam_settings
from vteam.campaigns.audio import Audio, inspect_bytes, inspect_mp3
from vteam.errors import AudioError

Files = dict[str, bytes]
id3_frames: Any = mutagen.id3  # mutagen tells no types
apev2: Any = mutagen.apev2


def encode(path: Path, *options: str, seconds: float = 12, source: str = "sine=440") -> bytes:
    tone = f"{source}:d={seconds}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", tone, *options, str(path)], check=True
    )
    return path.read_bytes()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What encoders make of a tone, by name."""
    at = tmp_path_factory.mktemp("audio")
    return {
        "cbr": encode(at / "cbr.mp3", "-ac", "2", "-b:a", "128k"),
        "vbr": encode(at / "vbr.mp3", "-q:a", "3", "-ac", "2", source="anoisesrc=c=pink"),
        "plain": encode(at / "plain.mp3", "-write_xing", "0", "-id3v2_version", "0", "-b:a", "64k"),
        "mono22": encode(at / "mono22.mp3", "-ac", "1", "-ar", "22050", "-b:a", "48k"),
        "mono8": encode(at / "mono8.mp3", "-ac", "1", "-ar", "8000", "-b:a", "16k"),
        "shine": encode(at / "shine.mp3", "-c:a", "libshine", "-ac", "2", "-b:a", "128k"),
        "tagged": encode(
            at / "tagged.mp3", "-id3v2_version", "3", "-write_id3v1", "1",
            "-metadata", "title=Élan", "-metadata", "artist=Lune Noire",
        ),
        "short": encode(at / "short.mp3", seconds=9.5),
        "long": encode(at / "long.mp3", "-b:a", "8k", "-ar", "8000", "-ac", "1", seconds=1_210),
        "mp2": encode(at / "x.mp2", "-c:a", "mp2"),
        "aac": encode(at / "x.aac", "-f", "adts"),
        "m4a": encode(at / "x.m4a"),
        "flac": encode(at / "x.flac"),
        "wav": encode(at / "x.wav"),
        "aiff": encode(at / "x.aiff"),
        "webm": encode(at / "x.webm", "-c:a", "libopus"),
    }  # fmt: skip


def body(data: bytes) -> bytes:
    audio = inspect_bytes(data)
    return data[audio.body_start : audio.body_end]


# Good ones ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "rate_hz", "channels"),
    [("cbr", 44_100, 2), ("vbr", 48_000, 2), ("plain", 44_100, 1), ("mono22", 22_050, 1), ("mono8", 8_000, 1),
     ("shine", 44_100, 2), ("tagged", 44_100, 1)],
)  # fmt: skip
def test_what_real_encoders_make_is_taken(files: Files, name: str, rate_hz: int, channels: int) -> None:
    audio = inspect_bytes(files[name])
    assert (audio.sample_rate_hz, audio.channels) == (rate_hz, channels)
    assert audio.milliseconds == pytest.approx(12_000, abs=200)
    assert files[name][audio.body_start] == 0xFF


def test_length_and_bit_rate_are_what_ffprobe_says(files: Files, tmp_path: Path) -> None:
    for name in ("cbr", "vbr", "mono22", "plain"):
        path = tmp_path / f"{name}.mp3"
        path.write_bytes(files[name])
        show = ["-show_entries", "format=duration:stream=bit_rate", "-of", "csv=p=0"]
        said = subprocess.run(
            ["ffprobe", "-v", "error", *show, str(path)], check=True, capture_output=True, text=True
        )
        bit_rate, duration = (float(part) for part in said.stdout.split())
        audio = inspect_mp3(path)
        assert audio.milliseconds == pytest.approx(duration * 1000, abs=60)
        assert audio.bitrate_kbps == pytest.approx(bit_rate / 1000, rel=0.03)


def test_the_body_is_the_frames_alone_and_the_same_under_other_tags(files: Files, tmp_path: Path) -> None:
    music = body(files["cbr"])
    path = tmp_path / "again.mp3"
    path.write_bytes(music)
    tags = id3_frames.ID3()
    tags.add(id3_frames.TIT2(encoding=1, text=["Phare éteint"]))
    tags.add(id3_frames.APIC(encoding=3, mime="image/png", type=4, desc="Rückseite", data=b"back"))
    tags.add(id3_frames.APIC(encoding=1, mime="image/png", type=3, desc="Ā\u0100", data=b"front"))
    tags.save(path, v1=2)
    ape = apev2.APEv2()
    ape["Title"] = "behind"
    ape.save(path)
    data = path.read_bytes()
    audio = inspect_mp3(path)
    assert data[audio.body_start : audio.body_end] == music
    assert audio.body_end < len(data)
    assert (audio.title, audio.cover_bytes) == ("Phare éteint", b"front")


@pytest.mark.parametrize("version", [3, 4])
def test_title_artist_and_cover_are_read_from_tags_of_both_kinds(files: Files, version: int) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(picture, "PNG")
    tags = id3_frames.ID3()
    tags.add(id3_frames.TIT2(encoding=3 if version == 4 else 1, text=["Sel"]))
    tags.add(id3_frames.TPE1(encoding=0, text=["Lune\x07 Noire"]))
    tags.add(id3_frames.APIC(encoding=0, mime="image/png", type=3, desc="", data=picture.getvalue()))
    out = io.BytesIO()
    if version == 3:
        tags.update_to_v23()
    tags.save(out, v2_version=version, v1=0)
    audio = inspect_bytes(out.getvalue() + body(files["cbr"]))
    assert (audio.title, audio.artist, audio.cover_bytes) == ("Sel", "Lune Noire", picture.getvalue())


def id3(content: bytes, *, version: int = 4, flags: int = 0, size: int | None = None) -> bytes:
    length = len(content) if size is None else size
    seven = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, flags]) + seven + content


def test_old_and_odd_tags_are_read(files: Files) -> None:
    music = body(files["cbr"])
    old = id3(b"TT2" + (5).to_bytes(3) + b"\0Sel\0" + b"PIC" + (9).to_bytes(3) + b"\0PNG\x03\0abc", version=2)
    audio = inspect_bytes(old + music)
    assert (audio.title, audio.cover_bytes) == ("Sel", b"abc")
    # Some programs write 2.4 with plain sizes: 0x0100 means 256 here, not 128.
    plain = b"TIT2" + (256).to_bytes(4) + b"\0\0" + b"\x03" + b"x" * 255
    audio = inspect_bytes(id3(plain + b"TPE1" + (4).to_bytes(4) + b"\0\0\0Bob") + music)
    assert (audio.title, audio.artist) == ("x" * 200, "Bob")
    # Unsynchronised: every FF 00 stands for FF.
    content = b"APIC" + (15).to_bytes(4) + b"\0\0" + b"\0image/png\0\x03\0\xff\x00\xe0"
    assert inspect_bytes(id3(content, version=3, flags=0x80) + music).cover_bytes == b"\xff\xe0"
    assert inspect_bytes(id3(b"", flags=0x10) + b"3DI" + bytes(7) + music).milliseconds > 0


def test_zeros_that_programs_leave_around_the_music_are_no_fault(files: Files) -> None:
    music = body(files["cbr"])
    audio = inspect_bytes(id3(b"") + bytes(2_000) + music + bytes(3_000) + b"TAG" + bytes(125))
    assert (audio.body_start, audio.body_end) == (2_010, 2_010 + len(music))


def test_lyrics_behind_the_music_are_stripped(files: Files) -> None:
    music = body(files["cbr"])
    lyrics = b"LYRICSBEGININD0000200LYR00005la la"
    data = music + lyrics + f"{len(lyrics):06}".encode() + b"LYRICS200" + b"TAG" + bytes(125)
    assert body(data) == music


# Other things ---------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "reason"),
    [("wav", "a WAV file"), ("flac", "a FLAC file"), ("m4a", "an M4A or MP4 file"), ("aac", "an AAC file"),
     ("aiff", "an AIFF file"), ("webm", "a Matroska or WebM file"), ("mp2", "another layer"),
     ("short", "less than 10 seconds"), ("long", "longer than 20 minutes")],
)  # fmt: skip
def test_other_sound_under_an_mp3s_name_is_called_by_its_own(files: Files, name: str, reason: str) -> None:
    for front in (b"", id3(b"")):
        with pytest.raises(AudioError, match=reason):
            inspect_bytes(front + files[name])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b"\xef\xbb\xbf\n <HTML>", "a web page"),
        (b"<svg onload=alert(1)>", "a web page"),
        (b"MZ\x90\0", "a program"),
        (b"#!/bin/sh\n", "a program"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"ID3", "cut off"),
        (id3(b""), "a tag in it but no music"),
        (b"\0" * 100_000, "no music where it should begin"),
        (b"\xff\xfb", "no music where it should begin"),
        (b"\xff\xfb\x00\x00" * 9_000, "free format"),
        (b"\xff" * 9_000, "no music where it should begin"),
        (b"hello" * 9_000, "no music where it should begin"),
    ],
)
def test_what_is_no_sound_at_all_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        inspect_bytes(data)


def test_a_wav_of_silence_and_an_archive_are_not_taken_for_zeros_or_music(files: Files) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8_000, 0, "NONE", ""))
        sound.writeframes(bytes(200_000))
    with pytest.raises(AudioError, match="a WAV file"):
        inspect_bytes(out.getvalue())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("sel.mp3", files["cbr"])
    with pytest.raises(AudioError, match="a ZIP archive"):
        inspect_bytes(archive.getvalue())
    with pytest.raises(
        AudioError, match=r"after the music \(0:12\) there are \d+ bytes|at 0:12 there is something"
    ):
        inspect_bytes(files["cbr"] + archive.getvalue())


# Hostile ones -----------------------------------------------------------------
@pytest.mark.parametrize("name", ["cbr", "vbr", "plain", "mono8"])
def test_a_file_cut_off_anywhere_is_refused_or_is_shorter_music(files: Files, name: str) -> None:
    """With an encoder's table every cut shows; without one a cut between two frames cannot be seen."""
    data = files[name]
    for at in range(0, len(data) - 2_000, 997):
        if name == "plain" and at > len(data) * 0.85:
            continue
        with pytest.raises(AudioError, match=r"cut off|less than|no music|after the music|empty"):
            inspect_bytes(data[:at])


@pytest.mark.parametrize(
    "garbage",
    [b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(60), b"\xff\xfb\x00\x00" * 50, b"\0" * 500, b"TAG"],
)
def test_garbage_between_frames_or_behind_them_is_refused(files: Files, garbage: bytes) -> None:
    music = body(files["plain"])
    frame = 64_000 * 144 // 44_100 + (music[2] >> 1 & 1)
    assert music[frame] == 0xFF
    for data in (music[:frame] + garbage + music[frame:], garbage + music, music + garbage + b"x"):
        if garbage.startswith(b"\0") and data.startswith(b"\0"):
            continue  # zeros in front are stripped
        with pytest.raises(AudioError):
            inspect_bytes(data)


def test_music_of_another_kind_glued_behind_is_refused(files: Files) -> None:
    with pytest.raises(AudioError, match="at 0:12 there is something in it"):
        inspect_bytes(body(files["plain"]) + body(files["mono22"]))


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (id3(b"", size=(1 << 28) - 1), "larger than 16 MiB"),
        (id3(b"", size=1 << 23), "longer than the whole file"),
        (id3(b"", version=9), "damaged or made up"),
        (b"ID3\x04\0\0\x80\0\0\0", "damaged or made up"),
        (id3(b"") * 4, "tag upon tag"),
        (id3(b"TIT2" + b"\x7f" * 4 + b"\0\0" + b"x" * 30), "more bytes than the tag has"),
        (id3(b"TIT2\0\0\0\0\0\0" * 2_001), "more than 2000 fields"),
    ],
)
def test_absurd_tags_in_front_are_refused(files: Files, tag: bytes, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        inspect_bytes(tag + body(files["cbr"]))


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (b"APETAGEX" + struct.pack("<IIII", 2000, 0xFFFF_FFF0, 1, 0) + bytes(8), "impossible size"),
        (b"APETAGEX" + struct.pack("<IIII", 2000, 0, 1, 0) + bytes(8), "no music|something in it|behind"),
        (b"999999LYRICS200", "impossible size"),
        (b"12x456LYRICS200", "impossible size"),
        ((b"TAG" + bytes(125)) * 7, "tag upon tag"),
    ],
)
def test_absurd_tags_behind_are_refused(files: Files, tag: bytes, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        inspect_bytes(body(files["cbr"]) + tag)


def test_packed_fields_are_left_shut(files: Files) -> None:
    """A zlib bomb in a tag is never opened; what is not packed is read all the same."""
    bomb = b"APIC" + (20).to_bytes(4) + b"\x00\x80" + (1 << 30).to_bytes(4) + bytes(16)
    title = b"TIT2" + (4).to_bytes(4) + b"\0\0\0Sel"
    audio = inspect_bytes(id3(bomb + title, version=3) + body(files["cbr"]))
    assert (audio.title, audio.cover_bytes) == ("Sel", None)


def test_a_file_too_large_one_that_is_none_and_a_folder(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.mp3"
    with pytest.raises(AudioError, match="no such file"):
        inspect_mp3(path)
    with pytest.raises(AudioError, match="no such file"):
        inspect_mp3(tmp_path)
    path.write_bytes(files["cbr"] + bytes(1 << 20))
    monkeypatch.setattr(vteam_settings, "AUDIO_MIB_MAX", 1)
    with pytest.raises(AudioError, match="larger than 1 MiB"):
        inspect_mp3(path)


# Anything at all ----------------------------------------------------------------
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "repeat"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["cbr", "vbr", "tagged", "mono8", "plain"]), edits=EDITS, near_front=st.booleans()
)
def test_a_mutilated_file_is_taken_or_refused_and_never_more(
    files: Files, name: str, edits: list[tuple[str, float, bytes]], near_front: bool
) -> None:
    data = bytearray(files[name])
    for edit, where, content in edits:
        at = int(where * (200 if near_front else len(data)))
        if edit == "set":
            data[at : at + len(content)] = content
        elif edit == "cut":
            del data[at : at + len(content) * 5]
        elif edit == "insert":
            data[at:at] = content
        else:
            data[at:at] = content * 400
    begun = time.process_time()
    check_taken_or_refused(bytes(data))
    assert time.process_time() - begun < 2


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from([b"ID3", b"\x04\0", b"\x03\0", b"\0", b"\xff", b"\xff\xfb\x90\x64", b"TAG", b"APETAGEX",
                         b"LYRICS200", b"TIT2", b"APIC", b"RIFF", b"\x7f\x7f", b"\0\0\0\x10", b"x" * 40, b"000020"])
        | st.binary(max_size=20),
        max_size=30,
    ).map(b"".join)
)  # fmt: skip
def test_any_bytes_are_taken_or_refused_and_never_more(data: bytes) -> None:
    check_taken_or_refused(data)


def check_taken_or_refused(data: bytes) -> None:
    try:
        audio = inspect_bytes(data)
    except AudioError as error:
        assert str(error)
        return
    assert isinstance(audio, Audio)
    assert 0 <= audio.body_start < audio.body_end <= len(data)
    assert 10_000 <= audio.milliseconds <= 1_201_100
    # What was found is a fixed point: the body alone is an MP3 with nothing around it.
    music = data[audio.body_start : audio.body_end]
    again = inspect_bytes(music)
    assert (again.body_start, again.body_end, again.milliseconds) == (0, len(music), audio.milliseconds)
