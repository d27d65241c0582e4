"""Where the built styles, scripts and fonts are: plain names to hashed addresses, by the build's manifest.

Refuses to guess: a name the build did not make, or no build at all, is an error that says what to run.
"""

import json
from functools import cache
from pathlib import Path

from vteam.errors import SettingsError

FOLDER = Path(__file__).parent / "static"
ADDRESS = "/static/"


@cache
def manifest() -> dict[str, str]:
    """Plain name -> hashed name, as the build wrote it."""
    try:
        names: dict[str, str] = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise SettingsError(
            "the pages' assets are not built: run `make setup` (it needs npm once)"
        ) from missing
    return names


def asset_file(name: str) -> Path:
    """Where a built file is, for what is drawn here instead of in a browser."""
    return FOLDER / _built(name)


def asset_url(name: str) -> str:
    """The address of a built file, without any language before it, good for ever: "site.css"."""
    return ADDRESS + _built(name)


def _built(name: str) -> str:
    try:
        return manifest()[name]
    except KeyError:
        raise SettingsError(f"the build made no {name}: run `make setup` again") from None
