"""`python -m demo.render.cover FONT`: prints the album's cover, `demo/cover.jpg`, 1400 x 1400.

Two spot colours and a black on warm paper. Each colour is a plate of its own (1 where it leaves ink), laid on a
little out of register and multiplied onto what is there already; so the sun is dark where the sea passes over it.
FONT is a variable TrueType file with the axes `wght` and `wdth`; it is read, never stored. Refuses a font without
them, and a finished file above 400,000 bytes (`ValueError`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Plate = NDArray[np.float32]

SIDE, FINE = 1400, 3
"""Side of the finished picture in pixels, and how many times finer it is drawn."""

PAPER, VERMILION, SEA, INK = (245, 236, 220), (255, 90, 60), (31, 111, 120), (29, 26, 22)
REGISTER = {"vermilion": (1.6, -1.1), "sea": (-1.2, 0.9), "deep": (0.7, 1.5), "ink": (0.4, 0.3)}
"""How far each plate slipped, right and down, in finished pixels."""

SUN = (806.0, 742.0, 448.0)
"""Centre and radius of the disc."""

TITLE, BAND, SONGS = ("Marée", "haute"), "Lune Noire", "Les digues  ·  Phare éteint  ·  Sel"
BYTES_MAX = 400_000


def _grid() -> tuple[Plate, Plate]:
    """Coordinates in finished pixels of every fine pixel's centre."""
    line = ((np.arange(SIDE * FINE) + 0.5) / FINE).astype(np.float32)
    return line[None, :], line[:, None]


def _noise(rng: np.random.Generator, grain_px: float) -> Plate:
    """Smooth noise of mean 0 and deviation 1 whose grains are about `grain_px` finished pixels wide."""
    cells = max(8, int(SIDE / grain_px))
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    fine = np.asarray(Image.fromarray(coarse).resize((SIDE * FINE, SIDE * FINE), Image.Resampling.BICUBIC))
    return np.asarray((fine - fine.mean()) / fine.std(), dtype=np.float32)


def _edge(distance: Plate, wobble: Plate) -> Plate:
    """A plate from a distance (inside is positive), its outline as uneven as a cut screen's."""
    return np.clip((distance + 0.2 * wobble) * FINE * 0.5 + 0.5, 0.0, 1.0).astype(np.float32)


def _swell(x: Plate, level: float, waves: tuple[tuple[float, float, float], ...]) -> Plate:
    """The height of a wave's crest along the picture: waves of (height, length, offset) around a level."""
    return np.asarray(level + sum(h * np.sin(2 * np.pi * (x / length + at)) for h, length, at in waves))


FRONT = (812.0, ((58.0, 980.0, 0.58), (20.0, 470.0, 0.15)))
BACK = (990.0, ((46.0, 1120.0, 0.12), (17.0, 520.0, 0.62)))
"""The two crests: level, then waves."""


def _foam(y: Plate, crest: Plate, x: Plate, count: int, first: float, step: float) -> Plate:
    """How far inside a foam line each place is: lines that follow the crest, swelling and thinning out."""
    inside = np.full((SIDE * FINE, SIDE * FINE), -50.0, dtype=np.float32)
    for k in range(count):
        depth = first + step * k * (1 + 0.12 * k)
        along = np.sin(2 * np.pi * (x / (640 + 90 * k) + 0.31 * k)) + 0.5 * np.sin(
            2 * np.pi * (x / 287 + 0.17 * k)
        )
        half = np.clip(3.4 * along - 0.5 * k, -6, 5.2)
        bend = crest * (1 - 0.1 * k) + 0.1 * k * crest.mean()
        inside = np.maximum(inside, half - np.abs(y - bend - depth))
    return inside


def _sun(x: Plate, y: Plate, wobble: Plate) -> Plate:
    """The disc."""
    across, down, radius = SUN
    disc = radius - np.hypot(x - across, y - down)
    return _edge(disc.astype(np.float32), wobble)


def _halftone(x: Plate, y: Plate, crest: Plate) -> Plate:
    """Mist above the crest: dots on a slanted grid which shrink until they are gone."""
    pitch, cos, sin = 11.0, np.cos(np.radians(27)), np.sin(np.radians(27))
    u, v = (x * cos + y * sin) / pitch, (y * cos - x * sin) / pitch
    tone = np.clip(1 - (crest - y) / 118.0, 0, 1) ** 1.6
    reach = 0.46 * np.sqrt(tone) * (y < crest)
    from_dot = np.hypot(u - np.round(u), v - np.round(v))
    dots = np.clip((reach - from_dot) * pitch * FINE * 0.5 + 0.5, 0, 1) * (reach > 0.07)
    return np.asarray(dots, dtype=np.float32)


def _typeface(font: Path, size: float) -> ImageFont.FreeTypeFont:
    """The display cut of the font: heaviest and narrowest."""
    face = ImageFont.truetype(str(font), round(size * FINE))
    wanted = {b"weight": 800, b"width": 75, b"optical size": 96}
    axes = face.get_variation_axes()
    if not {b"weight", b"width"} <= {axis["name"].lower() for axis in axes}:
        raise ValueError(f"{font} has no weight and width axes")
    face.set_variation_by_axes([wanted[axis["name"].lower()] for axis in axes])
    return face


def _set(
    draw: ImageDraw.ImageDraw,
    words: str,
    at: tuple[float, float],
    face: ImageFont.FreeTypeFont,
    tracking: float,
) -> None:
    """Sets words on a base line, letter by letter with kerning, `tracking` in parts of the size."""
    left, base = at[0] * FINE, at[1] * FINE
    for k, letter in enumerate(words):
        draw.text((left, base), letter, font=face, fill=255, anchor="ls")
        pair = words[k : k + 2]
        left += (
            face.getlength(pair) - (face.getlength(pair[1]) if len(pair) == 2 else 0) + tracking * face.size
        )


def _type_plate(font: Path, lines: list[tuple[str, float, float, float, float]]) -> Plate:
    """A plate with lines of type: words, size, left, base line, tracking (finished pixels)."""
    image = Image.new("L", (SIDE * FINE, SIDE * FINE))
    draw = ImageDraw.Draw(image)
    for words, size, left, base, tracking in lines:
        _set(draw, words, (left, base), _typeface(font, size), tracking)
    return np.asarray(image).astype(np.float32) / np.float32(255)


def _inked(plate: Plate, rng: np.random.Generator, density: float) -> Plate:
    """The plate as the squeegee leaves it: a slow mottle, a fine grain, and pinholes where the screen was dry."""
    mottle = 0.016 * _noise(rng, 90) + 0.012 * _noise(rng, 14) + 0.014 * _noise(rng, 2.2)
    dry = _noise(rng, 3.0) + 0.9 * _noise(rng, 120)
    holes = np.clip((dry - 3.95) * 3.0, 0, 1) * 0.75
    return np.asarray(plate * np.clip(density + mottle, 0, 1) * (1 - holes), dtype=np.float32)


def _slipped(plate: Plate, name: str) -> Plate:
    """The plate out of register."""
    right, down = REGISTER[name]
    return np.asarray(
        ndimage.shift(plate, (down * FINE, right * FINE), order=1, mode="nearest"), dtype=np.float32
    )


def _plates(font: Path, rng: np.random.Generator) -> list[tuple[str, tuple[int, int, int], Plate, float]]:
    """Every plate in printing order: name, colour, where it leaves ink, how densely."""
    x, y = _grid()
    wobble = _noise(rng, 4)
    front, back = _swell(x, *FRONT), _swell(x, *BACK)
    knocked = _type_plate(font, [(BAND, 152, 82, 1250, -0.008), (SONGS, 40, 86, 1322, 0.004)])
    foam = _edge(_foam(y, front, x, 3, 46, 40), wobble) * _edge(back - y - 7, wobble)
    deep_foam = _edge(_foam(y, back, x, 2, 44, 44), wobble)
    sea = np.maximum(_edge(y - front, wobble), _halftone(x, y, front))
    sea = sea * (1 - foam) * (1 - deep_foam) * (1 - knocked)
    deep = _edge(y - back, wobble) * (1 - deep_foam) * (1 - knocked)
    sun = _sun(x, y, wobble) * (1 - knocked)
    ink = _type_plate(font, [(TITLE[0], 392, 68, 358, -0.01), (TITLE[1], 392, 68, 668, -0.01)])
    return [
        ("vermilion", VERMILION, sun, 0.97),
        ("sea", SEA, sea, 0.97),
        ("deep", SEA, deep, 0.74),
        ("ink", INK, ink, 0.97),
    ]


def _paper(rng: np.random.Generator) -> Plate:
    """The sheet: warm, faintly cloudy, faintly fibrous. Shape (side, side, 3), values 0 to 1."""
    fibre = ndimage.gaussian_filter(
        rng.standard_normal((SIDE * FINE, SIDE * FINE)).astype(np.float32), (1.2, 7.0)
    )
    shade = 1 + 0.0045 * _noise(rng, 160) + 0.005 * fibre / fibre.std() + 0.005 * _noise(rng, 1.6)
    return np.asarray(shade[..., None] * np.array(PAPER, dtype=np.float32) / 255, dtype=np.float32)


def print_cover(font: Path, seed: int = 2027) -> Image.Image:
    """The finished cover, every plate multiplied onto the sheet and the whole reduced to its size."""
    rng = np.random.default_rng(seed)
    sheet = _paper(rng)
    for name, colour, plate, density in _plates(font, rng):
        laid = _inked(_slipped(plate, name), rng, density)
        for channel in range(3):
            sheet[..., channel] *= 1 - laid * (1 - colour[channel] / 255)
    pixels = np.clip(np.round(sheet * 255), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.render.cover", description="Print the album's cover."
    )
    parser.add_argument("font", type=Path, help="a variable TrueType font with weight and width axes")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent.parent / "cover.jpg")
    chosen = parser.parse_args()
    print_cover(chosen.font).save(chosen.into, "JPEG", quality=88, optimize=True, progressive=True)
    size = chosen.into.stat().st_size
    if size > BYTES_MAX:
        raise ValueError(f"{chosen.into} has {size:,} bytes; at most {BYTES_MAX:,} are allowed")
    print(f"{chosen.into.name}: {size:,} bytes")


if __name__ == "__main__":
    main()
