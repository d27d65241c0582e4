"""Covers from outside: real pictures of every kind, and files that only look like one."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from vteam.campaigns.pictures import Cover, check_cover, cover_from_bytes, cover_from_file
from vteam.errors import CampaignFileError

COLOURS = ("#ff5a3c", "#1f6f78")
Pixel = tuple[int, int, int]


def picture(size: tuple[int, int] = (1400, 1400), mode: str = "RGB") -> Image.Image:
    """Red above, blue below."""
    made = Image.new("RGB", size, "#c01010")
    ImageDraw.Draw(made).rectangle((0, size[1] // 2, size[0], size[1]), fill="#1010c0")
    return made.convert(mode)


def saved(made: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def cover(data: bytes) -> Cover:
    return cover_from_bytes(data, colours=COLOURS)


def opened(data: bytes) -> Image.Image:
    made = Image.open(io.BytesIO(data))
    made.load()
    assert made.format == "JPEG"
    return made


def pixel(data: bytes, x: int, y: int) -> Pixel:
    found = opened(data).convert("RGB").getpixel((x, y))
    assert isinstance(found, tuple)
    return int(found[0]), int(found[1]), int(found[2])


def near(found: Pixel, wanted: Pixel, apart: int = 12) -> bool:
    return all(abs(one - other) <= apart for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_cover_comes_in_every_size(kind: str) -> None:
    made = cover(saved(picture(), kind))
    assert opened(made.page).size == (1200, 1200)
    assert opened(made.small).size == (600, 600)
    assert opened(made.tag).size == (400, 400)
    assert opened(made.card).size == (1200, 630)
    for data in (made.page, made.small, made.tag):
        side = opened(data).width
        assert near(pixel(data, side // 2, side // 4), (0xC0, 0x10, 0x10))
        assert near(pixel(data, side // 2, side * 3 // 4), (0x10, 0x10, 0xC0))


def test_a_small_cover_is_not_enlarged() -> None:
    assert opened(cover(saved(picture((640, 640)), "PNG")).page).size == (640, 640)


def test_the_card_shows_the_whole_cover_on_the_campaigns_paper() -> None:
    made = cover_from_bytes(saved(picture(), "PNG"), colours=COLOURS, paper="#f6efe3")
    assert near(pixel(made.card, 315, 100), (0xC0, 0x10, 0x10))
    assert near(pixel(made.card, 625, 600), (0x10, 0x10, 0xC0))
    assert near(pixel(made.card, 1195, 5), (0xF6, 0xEF, 0xE3))


def test_the_picture_in_a_tag_is_small_even_for_noise() -> None:
    made = cover(saved(Image.effect_noise((1000, 1000), 200).convert("RGB"), "PNG"))
    assert len(made.tag) <= 60_000
    assert "progressive" not in opened(made.tag).info


def test_nothing_but_the_pixels_goes_further() -> None:
    exif = Image.Exif()
    exif[0x010E] = "made at home"
    exif.get_ifd(0x8825)[2] = (47.0, 13.0, 0.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(picture(), "JPEG", exif=exif, icc_profile=profile, comment=b"a note") + b"<?php hidden ?>"
    assert b"made at home" in data
    made = cover(data)
    for part in (made.page, made.small, made.tag, made.card):
        assert set(opened(part).info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }
        for hidden in (b"made at home", b"a note", b"php", b"Exif", b"ICC_PROFILE"):
            assert hidden not in part


def test_a_picture_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    made = cover(saved(picture(), "JPEG", exif=exif, quality=95))
    assert near(pixel(made.page, 600, 300), (0x10, 0x10, 0xC0))


def test_paper_shows_through_what_is_transparent() -> None:
    clear = Image.new("RGBA", (800, 800), (0, 0, 0, 0))
    made = cover_from_bytes(saved(clear, "PNG"), colours=COLOURS, paper="#aabbcc")
    assert near(pixel(made.page, 400, 400), (0xAA, 0xBB, 0xCC))


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "I;16"])
def test_every_kind_of_pixel_is_taken(mode: str) -> None:
    made = Image.new("I;16", (700, 700), 0x8000) if mode == "I;16" else picture((700, 700), mode)
    page = cover(saved(made, "PNG")).page
    assert opened(page).mode == "RGB"
    if mode == "I;16":
        assert near(pixel(page, 350, 350), (0x80, 0x80, 0x80))


def test_print_colours_are_taken() -> None:
    page = cover(saved(Image.new("CMYK", (700, 700), (0, 255, 255, 0)), "JPEG", quality=95)).page
    red, green, blue = pixel(page, 350, 350)
    assert red > 200
    assert max(green, blue) < 60


def test_a_broken_colour_profile_is_no_obstacle() -> None:
    made = cover(saved(picture(), "PNG", icc_profile=b"no profile at all"))
    assert near(pixel(made.page, 600, 300), (0xC0, 0x10, 0x10))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge and is a few bytes long."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a JPEG, PNG or WebP"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"/>', "not a JPEG, PNG or WebP"),
        (saved(picture(), "GIF"), "not a JPEG, PNG or WebP"),
        (saved(picture(), "TIFF"), "not a JPEG, PNG or WebP"),
        (saved(picture(), "BMP"), "not a JPEG, PNG or WebP"),
        (b"ID3\x04\0\0\0\0\0\0", "not a JPEG, PNG or WebP"),
        (saved(picture((599, 599)), "PNG"), "too small"),
        (saved(picture((900, 600)), "PNG"), "not square"),
        (saved(picture(), "PNG", save_all=True, append_images=[picture().rotate(90)]), "it moves"),
        (saved(picture(), "JPEG")[:4_000], "damaged or cut off"),
        (saved(picture(), "PNG")[:2_000], "damaged or cut off"),
        (bomb(9_000, 9_000), "too large"),
        (bomb(100_000, 100_000), "too large|not a JPEG"),
        (bomb(1_000, 1_000), "damaged or cut off"),
        (bytes((20 << 20) + 1), "larger than 20 MiB"),
    ],
)
def test_what_cannot_be_a_cover_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(CampaignFileError, match=reason):
        cover(data)


def test_a_file_is_looked_at_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "cover.gif"
    path.write_bytes(saved(picture(), "PNG"))
    check_cover(path)
    assert cover_from_file(path, colours=COLOURS) == cover(path.read_bytes())
    with pytest.raises(CampaignFileError, match="no such file"):
        check_cover(tmp_path / "none.png")


SMALL = [saved(picture((600, 600)), kind) for kind in ("JPEG", "PNG", "WEBP")]


@settings(max_examples=50, deadline=None)
@given(
    data=st.sampled_from(SMALL),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=8),
)
def test_a_mutilated_picture_is_taken_or_refused_and_never_more(
    data: bytes, edits: list[tuple[float, bytes]]
) -> None:
    broken = bytearray(data)
    for where, content in edits:
        at = int(where * len(broken))
        broken[at : at + len(content)] = content
    try:
        made = cover(bytes(broken))
    except CampaignFileError as error:
        assert str(error)
    else:
        assert opened(made.tag).width == 400
