"""Spot colours made readable: only their OKLCH lightness moves, by as little as it takes.

A campaign chooses two colours; paper and ink are ours. Each becomes, for light and for dark, a fill that carries
text and stands out from the paper, the same colour as text, and a pale tint. WCAG 2.2 AA: 4.5:1 for text, 3:1
for what is not text. Refuses nothing: any sRGB colour has such neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from coloraide import Color

TEXT_CONTRAST = 4.5
SHAPE_CONTRAST = 3.0
# Eight-bit rounding of a printed #rrggbb can cost a little contrast: aim a hair higher.
MARGIN = 0.02
LIGHTNESS_STEP = 0.002
TINT_SHARE = 0.16


class Scheme(StrEnum):
    """The two ways a page is printed."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a scheme prints on: sRGB `#rrggbb` each. The values stand in assets/styles/tokens.css too."""

    paper: str
    card: str
    ink: str

    @property
    def grounds(self) -> tuple[str, str]:
        """Everything text may stand on."""
        return self.paper, self.card


PAPERS = {
    Scheme.LIGHT: Paper(paper="#f6efe3", card="#fffaf1", ink="#1d1a16"),
    Scheme.DARK: Paper(paper="#171411", card="#211d18", ink="#f4ecdf"),
}
DARK_INK, PALE_INK = PAPERS[Scheme.LIGHT].ink, PAPERS[Scheme.LIGHT].paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One spot colour as a scheme prints it, `#rrggbb` each. `ink` is the text that goes on `fill`."""

    fill: str
    ink: str
    text: str
    tint: str


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast of two colours, from 1 to 21."""
    return Color(one).contrast(Color(other), method="wcag21")


def spot(chosen: str, scheme: Scheme) -> Spot:
    """A chosen colour (`#rrggbb`) as `scheme` prints it."""
    ground = PAPERS[scheme]
    fill = nearest_lightness(chosen, lambda colour: _carries_text(colour) and _stands_out(colour, ground))
    tint = _tint(fill, ground)
    text = nearest_lightness(chosen, lambda colour: _reads_on(colour, (*ground.grounds, tint)))
    return Spot(fill=fill, ink=text_on(fill), text=text, tint=tint)


def text_on(fill: str) -> str:
    """Ink or paper, whichever reads better on `fill`."""
    return max((DARK_INK, PALE_INK), key=lambda ink: contrast(ink, fill))


def overprint(one: str, other: str) -> str:
    """What two inks give where they meet on paper: each takes away its part of the light."""
    mixed = [a * b for a, b in zip(Color(one).coords(), Color(other).coords(), strict=True)]
    return Color("srgb", mixed).to_string(hex=True)


def nearest_lightness(chosen: str, accepts: Callable[[str], bool]) -> str:
    """The colour of the same hue and chroma, nearest in lightness to `chosen`, that `accepts` takes.

    Black and white are the last resort, so that a rule either of them meets always has an answer; LookupError
    when not even they do.
    """
    base = Color(chosen).convert("oklch")
    steps = round(1 / LIGHTNESS_STEP)
    for step in range(steps + 1):
        for direction in (-1, 1):
            colour = _with_lightness(base, base["lightness"] + direction * step * LIGHTNESS_STEP)
            if accepts(colour):
                return colour
    raise LookupError(f"no lightness of {chosen} is accepted")


def _with_lightness(base: Color, lightness: float) -> str:
    moved = base.clone().set("lightness", min(1.0, max(0.0, lightness)))
    return moved.convert("srgb").fit(method="oklch-chroma").to_string(hex=True)


def _carries_text(fill: str) -> bool:
    return contrast(text_on(fill), fill) >= TEXT_CONTRAST + MARGIN


def _stands_out(fill: str, ground: Paper) -> bool:
    return all(contrast(fill, paper) >= SHAPE_CONTRAST + MARGIN for paper in ground.grounds)


def _reads_on(text: str, grounds: tuple[str, ...]) -> bool:
    return all(contrast(text, ground) >= TEXT_CONTRAST + MARGIN for ground in grounds)


def _tint(fill: str, ground: Paper) -> str:
    return Color(ground.paper).mix(fill, TINT_SHARE, space="srgb").to_string(hex=True)
