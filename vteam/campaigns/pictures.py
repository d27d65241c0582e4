"""A cover from outside becomes pictures of our own: page, list, tag inside an MP3, card for messengers.

Only JPEG, PNG and WebP are opened, recognised by their content, within a bound on bytes and pixels known
before anything is decoded. The picture is turned upright, brought to sRGB, and re-encoded as plain JPEG:
what else the file carried (place, camera, comments, hidden data) does not go further. SVG is refused: it
can hold programs.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps, UnidentifiedImageError

from vteam.errors import CampaignFileError

FILE_MIB_MAX: Final = 20
PIXELS_MAX: Final = 50_000_000
SIDE_MIN: Final = 600
SIDE_MAX: Final = 12_000
UNEVEN_MAX: Final = 1.05
"""A cover is square; up to this ratio of its sides the longer one is trimmed on both ends."""
FORMATS: Final = ("JPEG", "PNG", "WEBP")

PAGE_SIDE: Final = 1_200
SMALL_SIDE: Final = 600
TAG_SIDE: Final = 400
TAG_BYTES_MAX: Final = 60_000
CARD_SIZE: Final = (1_200, 630)
PAPER: Final = "#f6efe3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One cover in the sizes it is shown in; each a JPEG without metadata."""

    page: bytes
    small: bytes
    tag: bytes
    card: bytes


def cover_from_file(path: Path, *, colours: tuple[str, str], paper: str = PAPER) -> Cover:
    """The cover at `path` in every size; CampaignFileError says why the file cannot be one."""
    return cover_from_bytes(_read(path), colours=colours, paper=paper)


def cover_from_bytes(data: bytes, *, colours: tuple[str, str], paper: str = PAPER) -> Cover:
    """As `cover_from_file`, for a picture already in memory (an MP3's own).

    `colours`: the campaign's two, `#rrggbb`, printed over each other on the card; `paper`: the card's ground,
    and what shows through a transparent picture.
    """
    square = _square(_open(data), paper)
    return Cover(
        page=_jpeg(_sized(square, PAGE_SIDE), 86),
        small=_jpeg(_sized(square, SMALL_SIDE), 84),
        tag=_within(_sized(square, TAG_SIDE), TAG_BYTES_MAX),
        card=_jpeg(_card(square, colours, paper), 86),
    )


def check_cover(path: Path) -> None:
    """Raise CampaignFileError unless `cover_from_file` would take the file."""
    _square(_open(_read(path)), PAPER)


# Opening ------------------------------------------------------------
def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise CampaignFileError("there is no such file")
        with path.open("rb") as file:
            data = file.read((FILE_MIB_MAX << 20) + 1)
    except OSError as error:
        raise CampaignFileError(f"it cannot be read ({error.strerror or error})") from error
    return data


def _open(data: bytes) -> Image.Image:
    """The decoded picture; every way a file can fail to be one ends in CampaignFileError."""
    if len(data) > FILE_MIB_MAX << 20:
        raise CampaignFileError(f"it is larger than {FILE_MIB_MAX} MiB")
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        _refuse_sizes(*picture.size)
        if getattr(picture, "n_frames", 1) > 1:
            raise CampaignFileError("it moves: an animated picture cannot be a cover")
        picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise CampaignFileError("it is not a JPEG, PNG or WebP picture") from error
    except (OSError, ValueError, SyntaxError, IndexError, TypeError, EOFError, MemoryError) as error:
        raise CampaignFileError("the picture is damaged or cut off") from error
    return picture


def _refuse_sizes(width: int, height: int) -> None:
    if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX:
        raise CampaignFileError(f"it is too large ({width} × {height} pixels)")
    if min(width, height) < SIDE_MIN:
        raise CampaignFileError(
            f"it is too small ({width} × {height} pixels; {SIDE_MIN} × {SIDE_MIN} at least)"
        )
    if max(width, height) > UNEVEN_MAX * min(width, height):
        raise CampaignFileError(f"it is not square ({width} × {height} pixels)")


def _square(picture: Image.Image, paper: str) -> Image.Image:
    """Upright, sRGB, on paper where it is transparent, cut to a square."""
    upright = ImageOps.exif_transpose(picture)
    flat = _on_paper(upright, paper) if _is_transparent(upright) else _to_srgb(upright)
    side = min(flat.size)
    return ImageOps.fit(flat, (side, side))


def _is_transparent(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info


def _on_paper(picture: Image.Image, paper: str) -> Image.Image:
    ground = Image.new("RGBA", picture.size, paper)
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Colours as the designer meant them: a profile (Adobe RGB, CMYK) is applied, a broken one ignored."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda level: level / 256, "L")
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            made = None
        if made is not None:
            return made
    return picture.convert("RGB")


# Making ------------------------------------------------------------
def _sized(square: Image.Image, side: int) -> Image.Image:
    """`square` at `side` pixels; a smaller cover stays as it is, for enlarging adds nothing."""
    side = min(side, square.width)
    return square.resize((side, side), Image.Resampling.LANCZOS)


def _jpeg(picture: Image.Image, quality: int, *, progressive: bool = True) -> bytes:
    # A fresh picture made of the pixels alone: nothing of the file's own tables or notes is carried over.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, optimize=True, progressive=progressive)
    return out.getvalue()


def _within(picture: Image.Image, bytes_max: int) -> bytes:
    """The best baseline JPEG that fits, the kind every player shows; dense noise is made smaller."""
    while True:
        for quality in range(88, 39, -8):
            jpeg = _jpeg(picture, quality, progressive=False)
            if len(jpeg) <= bytes_max:
                return jpeg
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)


def _card(square: Image.Image, colours: tuple[str, str], paper: str) -> Image.Image:
    """The whole cover at the left; beside it two discs in the campaign's colours, one over the other."""
    width, height = CARD_SIZE
    card = Image.new("RGB", CARD_SIZE, paper)
    card.paste(square.resize((height, height), Image.Resampling.LANCZOS))
    room = Image.new("RGB", (width - height, height), paper)
    for colour, left, top, side in ((colours[0], 90, 90, 310), (colours[1], 235, 265, 400)):
        room = ImageChops.multiply(room, _disc(room.size, colour, left, top, side))
    card.paste(room, (height, 0))
    return card


def _disc(size: tuple[int, int], colour: str, left: int, top: int, side: int) -> Image.Image:
    """A disc on white, its edge smoothed by drawing it four times as large."""
    edge = Image.new("L", (side * 4, side * 4))
    ImageDraw.Draw(edge).ellipse((0, 0, side * 4 - 1, side * 4 - 1), fill=255)
    disc = Image.new("RGB", size, "white")
    disc.paste(colour, (left, top, left + side, top + side), edge.reduce(4))
    return disc
