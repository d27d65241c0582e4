"""Draws the Luanti kiosk's pictures and writes its board's shape: a gig poster in two spot colours on warm paper.

Run once after a change, with the built site's fonts in place; what it makes is kept beside the mod:

    python -m vteam.channels.worlds.luanti.textures
"""

from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

PAPER, CARD, INK, SOFT = "#f6efe3", "#fffaf1", "#1d1a16", "#5d564b"
VERMILION, VERMILION_LIT = "#ff5a3c", "#ff7a60"
SEA, SEA_LIT = "#1f6f78", "#2b8791"
MOD = Path(__file__).parent / "vteam"
STATIC = Path(__file__).parents[3] / "web" / "static"
# Everything is drawn so many times larger and made smaller: smooth edges.
TIMES = 4


def _sheet(width: int, height: int, colour: str = PAPER) -> Image.Image:
    return Image.new("RGB", (width * TIMES, height * TIMES), colour)


def _font(size: int) -> ImageFont.FreeTypeFont:
    (path,) = (each for each in STATIC.glob("print-display-*.ttf") if "more" not in each.name)
    return ImageFont.truetype(path, size * TIMES)


def _over(image: Image.Image, colour: str, x: float, y: float, radius: float) -> Image.Image:
    """The image with a disc printed over it: where two inks meet they darken each other."""
    layer = Image.new("RGB", image.size, "white")
    box = [(each * TIMES) for each in (x - radius, y - radius, x + radius, y + radius)]
    ImageDraw.Draw(layer).ellipse(box, fill=colour)
    return ImageChops.multiply(image, layer)


def _ring(image: Image.Image, colour: str, x: float, y: float, radius: float, width: float) -> None:
    box = [(each * TIMES) for each in (x - radius, y - radius, x + radius, y + radius)]
    ImageDraw.Draw(image).ellipse(box, outline=colour, width=round(width * TIMES))


def _box(image: Image.Image, colour: str, left: float, top: float, right: float, bottom: float) -> None:
    """A filled rectangle; its right and lower edges are outside it."""
    ImageDraw.Draw(image).rectangle(
        (round(left * TIMES), round(top * TIMES), round(right * TIMES) - 1, round(bottom * TIMES) - 1),
        fill=colour,
    )


def _save(image: Image.Image, name: str, colours: int = 32) -> None:
    small = image.resize((image.width // TIMES, image.height // TIMES), Image.Resampling.LANCZOS)
    if small.mode == "RGB":
        small = small.quantize(colours, dither=Image.Dither.NONE)
    small.save(MOD / "textures" / f"vteam_{name}.png", optimize=True)


def poster() -> Image.Image:
    """The board's face, 256 by 492."""
    image = _sheet(256, 492)
    draw = ImageDraw.Draw(image)
    word = _font(86)
    left, top, right, _ = draw.textbbox((0, 0), "vTeam", font=word)
    draw.text(((256 * TIMES - right + left) / 2 - left, 30 * TIMES - top), "vTeam", INK, word)
    _box(image, INK, 20, 122, 236, 126)
    image = _over(image, VERMILION, 108, 232, 84)
    image = _over(image, SEA, 168, 276, 66)
    for radius in (46, 36, 26):
        _ring(image, PAPER, 168, 276, radius, 1.6)
    ImageDraw.Draw(image).ellipse([each * TIMES for each in (158, 266, 178, 286)], fill=PAPER)
    heights = (16, 30, 52, 38, 64, 44, 72, 56, 34, 60, 42, 26, 48, 30, 18)
    for number, height in enumerate(heights):
        x = 20 + number * 14.75
        _box(image, VERMILION if number in (4, 9) else INK, x, 446 - height, x + 9, 446)
    _box(image, INK, 20, 454, 236, 458)
    _box(image, SEA, 20, 464, 128, 472)
    return image


def kiosk() -> None:
    """The board's picture: the poster, and below it a strip of the frame's ink."""
    face = poster()
    image = _sheet(256, 512, INK)
    image.paste(face, (0, 0))
    _save(image, "kiosk")
    item = Image.new("RGBA", (128 * TIMES, 128 * TIMES))
    item.paste(Image.new("RGB", (68 * TIMES, 122 * TIMES), INK), (30 * TIMES, 3 * TIMES))
    item.paste(face.resize((62 * TIMES, 116 * TIMES)), (33 * TIMES, 6 * TIMES))
    _save(item, "kiosk_item")


def room() -> None:
    """A record on a sea-green mat."""
    image = _sheet(128, 128, SEA)
    draw = ImageDraw.Draw(image)
    draw.rectangle([each * TIMES for each in (5, 5, 122, 122)], outline=PAPER, width=2 * TIMES)
    draw.ellipse([each * TIMES for each in (12, 12, 116, 116)], fill=INK)
    for radius in (46, 41, 36, 31, 26):
        _ring(image, "#3a352e", 64, 64, radius, 1)
    draw.ellipse([each * TIMES for each in (44, 44, 84, 84)], fill=VERMILION)
    draw.ellipse([each * TIMES for each in (60, 60, 68, 68)], fill=PAPER)
    _save(image, "room")
    _save(_sheet(16, 16, INK), "room_side")


def flyer() -> None:
    """A small sheet, a little turned."""
    sheet = Image.new("RGBA", (70 * TIMES, 100 * TIMES), INK)
    sheet.paste(Image.new("RGB", (66 * TIMES, 96 * TIMES), PAPER), (2 * TIMES, 2 * TIMES))
    face = poster().resize((62 * TIMES, 119 * TIMES)).crop((0, 0, 62 * TIMES, 92 * TIMES))
    sheet.paste(face, (4 * TIMES, 4 * TIMES))
    image = Image.new("RGBA", (128 * TIMES, 128 * TIMES))
    turned = sheet.rotate(-10, expand=True, resample=Image.Resampling.BICUBIC)
    image.paste(turned, ((image.width - turned.width) // 2, (image.height - turned.height) // 2), turned)
    _save(image, "flyer")


def strip() -> None:
    """The printed band at the head of a form, 1800 by 60."""
    image = _sheet(1800, 60, VERMILION)
    for number in range(18):
        image = _over(image, SEA, 50 + number * 100, 60, 38)
    for number in range(18):
        _ring(image, PAPER, 50 + number * 100, 60, 24, 2)
        _ring(image, PAPER, 50 + number * 100, 60, 12, 2)
    _save(image, "strip")


def _rounded(fill: str, edge: str, radius: int) -> Image.Image:
    """32 by 32, to be stretched between its corners."""
    image = Image.new("RGBA", (32 * TIMES, 32 * TIMES))
    ImageDraw.Draw(image).rounded_rectangle(
        (0, 0, image.width - 1, image.height - 1), radius * TIMES, fill, edge, 2 * TIMES
    )
    return image


def forms() -> None:
    """A form's paper and its buttons."""
    _save(_rounded(PAPER, INK, 2), "paper")
    _save(_rounded(CARD, SOFT, 9), "field")
    for name, fill, lit in (
        ("main", VERMILION, VERMILION_LIT),
        ("card", CARD, "#ffe9d2"),
        ("sea", SEA, SEA_LIT),
    ):
        _save(_rounded(fill, INK, 9), name)
        _save(_rounded(lit, INK, 9), f"{name}_lit")


Corner = tuple[float, float, float]
# Where the frame's ink is in the picture, as parts of its width and height, from below.
_INK_AT = (0.5, 0.02)


def _faces(low: Corner, high: Corner) -> list[list[Corner]]:
    """A box's six sides, each turning the same way seen from outside."""
    (a, b, c), (x, y, z) = low, high
    return [
        [(a, b, c), (a, y, c), (x, y, c), (x, b, c)],
        [(x, b, z), (x, y, z), (a, y, z), (a, b, z)],
        [(a, b, z), (a, y, z), (a, y, c), (a, b, c)],
        [(x, b, c), (x, y, c), (x, y, z), (x, b, z)],
        [(a, y, c), (a, y, z), (x, y, z), (x, y, c)],
        [(a, b, z), (a, b, c), (x, b, c), (x, b, z)],
    ]


def board() -> str:
    """The board's shape, as Wavefront OBJ: a frame on two feet with the poster on both sides. One unit is a node."""
    edge = 20 / 512
    # Minetest looks at a shape from the other side: what is left here is right there.
    poster_at = [(1.0, edge), (1.0, 1.0), (0.0, 1.0), (0.0, edge)]
    sides = [(face, [_INK_AT] * 4) for face in _faces((-0.5, -0.44, -0.05), (0.5, 1.35, 0.05))]
    for left, right in ((-0.42, -0.3), (0.3, 0.42)):
        sides += [(face, [_INK_AT] * 4) for face in _faces((left, -0.5, -0.12), (right, -0.44, 0.12))]
    front, back = _faces((-0.46, -0.4, -0.056), (0.46, 1.31, 0.056))[:2]
    sides += [(front, poster_at), (back, poster_at)]
    lines = ["# The vTeam kiosk's board. SPDX-License-Identifier: AGPL-3.0-or-later", "o board"]
    lines += [f"v {x:g} {y:g} {z:g}" for face, _ in sides for x, y, z in face]
    lines += [f"vt {u:g} {v:g}" for _, at in sides for u, v in at]
    for number in range(len(sides)):
        first = 4 * number
        lines.append("f " + " ".join(f"{first + corner}/{first + corner}" for corner in (1, 2, 3, 4)))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    kiosk()
    room()
    flyer()
    strip()
    forms()
    (MOD / "models" / "vteam_kiosk.obj").write_text(board())
