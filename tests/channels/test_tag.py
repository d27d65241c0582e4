"""The personal copy: a clean MP3 for every player, with the fan's link inside and the same music for all."""

import io
import re
import subprocess
from pathlib import Path
from typing import Any

import mutagen.id3
import mutagen.mp3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vteam.campaigns.audio import inspect_bytes
from vteam.campaigns.pictures import cover_from_bytes
from vteam.channels.copies.tag import TagTemplate, personal, piece_bytes_for, tag_template

LINK = "https://vteam.example/r/bobobobo22"
OTHER = "https://vteam.example/r/cycycycy33"
PIECE = 64 << 10
id3: Any = mutagen.id3  # mutagen tells no types
mp3: Any = mutagen.mp3


@pytest.fixture(scope="module")
def cover() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((900, 900), 90).convert("RGB").save(out, "PNG")
    return cover_from_bytes(out.getvalue(), colours=("#ff5a3c", "#1f6f78")).tag


@pytest.fixture(scope="module")
def template(cover: bytes) -> TagTemplate:
    return make(cover)


def make(
    cover: bytes, *, title: str = "Les digues", piece_bytes: int = PIECE, link: str = LINK
) -> TagTemplate:
    return tag_template(
        title=title, artist="Lune Noire", album="Marée haute", year=2026, cover_jpeg=cover,
        piece_bytes=piece_bytes, link_length=len(link),
    )  # fmt: skip


@pytest.fixture(scope="module")
def copy(template: TagTemplate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bo's copy of fifteen seconds of noise, from a master with tags of its own."""
    folder = tmp_path_factory.mktemp("copies")
    master = folder / "master.mp3"
    noise = ["-f", "lavfi", "-i", "anoisesrc=d=15:c=pink", "-q:a", "3", "-metadata", "title=MASTER 7 FINAL"]
    subprocess.run(["ffmpeg", "-v", "error", *noise, "-write_id3v1", "1", str(master)], check=True)
    data = master.read_bytes()
    audio = inspect_bytes(data)
    path = folder / "Lune Noire - Les digues.mp3"
    path.write_bytes(personal(template, LINK) + data[audio.body_start : audio.body_end])
    return path


def test_mutagen_reads_title_artist_cover_and_link(copy: Path, cover: bytes) -> None:
    tags = mp3.MP3(copy).tags
    assert (tags["TIT2"].text, tags["TPE1"].text, tags["TALB"].text) == (
        ["Les digues"],
        ["Lune Noire"],
        ["Marée haute"],
    )
    assert str(tags["TDRC"]) == "2026"
    assert tags["COMM::eng"].text == [LINK]
    assert tags["APIC:"].data == cover
    assert tags.version == (2, 4, 0)
    assert b"MASTER" not in copy.read_bytes()


def test_ffprobe_reads_it_whole_and_without_complaint(copy: Path) -> None:
    show = ["-show_entries", "format=duration:format_tags:stream=codec_name,width", "-of", "flat"]
    said = subprocess.run(
        ["ffprobe", "-v", "warning", *show, str(copy)], check=True, capture_output=True, text=True
    )
    assert said.stderr == ""
    for part in (f'comment="{LINK}"', 'title="Les digues"', 'artist="Lune Noire"', 'album="Marée haute"',
                 'codec_name="mp3"', 'codec_name="mjpeg"', "width=400"):  # fmt: skip
        assert part in said.stdout
    duration = re.search(r'duration="([0-9.]+)"', said.stdout)
    assert duration
    assert float(duration[1]) == pytest.approx(15, abs=0.1)


def test_ffmpeg_decodes_every_frame_without_complaint(copy: Path) -> None:
    said = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", str(copy), "-map", "0:a", "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert said.stderr == ""


def test_mpg123_plays_it_to_the_end_without_complaint(copy: Path, tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    said = subprocess.run(
        ["mpg123", "--no-control", "-w", str(sound), str(copy)], check=True, capture_output=True
    ).stderr.decode("utf-8", errors="replace")
    assert "Les digues" in said
    assert LINK in said
    assert not re.search(r"(?i)warning|error|resync|skipped|illegal|junk", said)
    # 15 s of 16 bit stereo at the source's 48 kHz; gapless information was kept, so to the sample.
    assert sound.stat().st_size >= 15 * 48_000 * 2


def test_the_tag_is_whole_pieces_and_only_the_link_differs(template: TagTemplate) -> None:
    one, other = personal(template, LINK), personal(template, OTHER)
    assert len(one) == len(other) == PIECE
    differing = [at for at in range(PIECE) if one[at] != other[at]]
    assert differing
    assert template.link_offset <= differing[0]
    assert differing[-1] < template.link_offset + template.link_length
    assert one[template.link_offset :].startswith(LINK.encode())
    assert template.link_offset < one.index(b"APIC")
    assert one.count(LINK.encode()) == 1


def test_a_tag_larger_than_a_piece_takes_another_and_keeps_the_link_in_the_first(cover: bytes) -> None:
    template = make(cover, piece_bytes=16 << 10)
    assert len(template.bytes) % (16 << 10) == 0
    assert 0 < len(template.bytes) - len(cover) < (16 << 10) + 400
    assert template.link_offset + len(LINK) < 16 << 10


@pytest.mark.parametrize(
    "link", ["short", LINK + "x", LINK[:-1] + "é", LINK[:-1] + "\n", LINK[:-1] + "\0", ""]
)
def test_a_link_that_does_not_fit_is_refused(template: TagTemplate, link: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        personal(template, link)


def test_texts_too_long_for_the_first_piece_are_refused(cover: bytes) -> None:
    with pytest.raises(ValueError, match="first piece"):
        make(cover, title="long " * 300, piece_bytes=1 << 10)


@settings(max_examples=60)
@given(
    title=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
    | st.just("COMM APIC COMM")
)
def test_any_title_leaves_the_link_in_its_place(title: str) -> None:
    template = make(b"\xff\xd8\xff", title=title)
    written = personal(template, LINK)
    tags = id3.ID3(io.BytesIO(written))
    assert tags["COMM::eng"].text == [LINK]
    assert tags["TIT2"].text == [title]


@pytest.mark.parametrize(
    ("body_bytes", "piece_kib"),
    [(1, 64), (2_500_000, 64), (64 << 20, 64), ((64 << 20) + 1, 128), (500 << 20, 512)],
)
def test_pieces_grow_with_the_music(body_bytes: int, piece_kib: int) -> None:
    assert piece_bytes_for(body_bytes) == piece_kib << 10
