"""A campaign's own stylesheet: its two colours, made readable, for light and dark.

A text, not a file. Its name carries the colours, the recipe that makes them readable and our signature, so that
an answer may be kept for ever, and nobody can have colours computed which no campaign of ours has. It sets
custom properties and nothing else.
"""

import hashlib
import re
from functools import cache, lru_cache

from django.utils.crypto import constant_time_compare, salted_hmac

from vteam.web.colour import PAPERS, Scheme, Spot, contrast, overprint, spot, text_on

HEX = re.compile(r"#[0-9a-fA-F]{6}")
HOUSE = ("#ff5a3c", "#1f6f78")
"""The colours of pages that belong to no campaign."""


@lru_cache(maxsize=256)
def theme_css(primary: str, secondary: str) -> str:
    """The stylesheet of two spot colours, `#rrggbb` each; ValueError for anything else."""
    for colour in (primary, secondary):
        if not HEX.fullmatch(colour):
            raise ValueError(f"{colour!r} is not a colour of the form #rrggbb")
    light, dark = (_properties(primary, secondary, scheme) for scheme in (Scheme.LIGHT, Scheme.DARK))
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


@lru_cache(maxsize=256)
def theme_name(primary: str, secondary: str) -> str:
    """What to call the stylesheet in its address: "ff5a3c-1f6f78-" and 16 hexadecimal characters."""
    colours = f"{primary.lower().removeprefix('#')}-{secondary.lower().removeprefix('#')}"
    signed = salted_hmac("vteam.web.theme", colours + recipe(), algorithm="sha256").hexdigest()
    return f"{colours}-{signed[:16]}"


def theme_called(name: str) -> str | None:
    """The stylesheet of that name; None for a name `theme_name` never gave."""
    colours = [f"#{part}" for part in name.split("-")[:2]]
    if len(colours) != 2 or not all(HEX.fullmatch(colour) for colour in colours):
        return None
    if not constant_time_compare(theme_name(*colours), name):
        return None
    return theme_css(*colours)


@cache
def recipe() -> str:
    """Changes when the way colours are made readable does."""
    return hashlib.sha256(theme_css(*HOUSE).encode()).hexdigest()


def _properties(primary: str, secondary: str, scheme: Scheme) -> str:
    first, second = spot(primary, scheme), spot(secondary, scheme)
    values = {**_of(first, 1), **_of(second, 2), "overprint": _meeting(first, second, scheme)}
    return "".join(f"--{name}:{value};" for name, value in values.items())


def _of(colour: Spot, number: int) -> dict[str, str]:
    return {
        f"spot-{number}": colour.fill,
        f"on-spot-{number}": colour.ink,
        f"spot-{number}-text": colour.text,
        f"spot-{number}-tint": colour.tint,
    }


def _meeting(first: Spot, second: Spot, scheme: Scheme) -> str:
    """Where the inks meet. On dark paper a darker meeting would vanish: there the paper's own ink shows."""
    mixed = overprint(first.fill, second.fill)
    paper = PAPERS[scheme].paper
    return mixed if contrast(mixed, paper) >= contrast(first.fill, paper) else text_on(first.fill)
