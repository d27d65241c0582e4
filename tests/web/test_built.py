"""What the build made: every name a template asks for is there, small, and nothing comes from elsewhere."""

import gzip
import json
import re
from pathlib import Path

import pytest

from vteam.errors import SettingsError
from vteam.web.assets import ADDRESS, FOLDER, asset_url, manifest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "vteam/web/templates"


def test_every_asset_a_template_asks_for_was_built() -> None:
    asked = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"{% asset '([^']+)' %}", path.read_text())
    }
    assert {"site.css", "display.woff2", "htmx.js"} <= asked
    for name in asked:
        assert (FOLDER / asset_url(name).removeprefix(ADDRESS)).is_file()


def test_a_name_the_build_did_not_make_says_what_to_run() -> None:
    with pytest.raises(SettingsError, match="make setup"):
        asset_url("nothing.css")


def test_our_own_scripts_are_small() -> None:
    """What passes titles on is loaded by the fan's own page, and by a listener's only when they ask for it; the door's,
    with all that reads a code and its signature, by who stands at one.
    """
    own = {
        name: len(gzip.compress((FOLDER / hashed).read_bytes()))
        for name, hashed in manifest().items()
        if name.endswith(".js") and name != "htmx.js"
    }
    assert own.pop("getting.js") < 15_000
    assert own.pop("pass-on.js") < 15_000
    assert own.pop("door.js") < 30_000
    assert sum(own.values()) < 15_000


def test_a_page_needs_little() -> None:
    first = ("site.css", "display.woff2", "text.woff2", "landing.js")
    assert sum(len(gzip.compress((FOLDER / manifest()[name]).read_bytes())) for name in first) < 120_000


def test_nothing_built_names_another_site() -> None:
    for name in manifest().values():
        if name.endswith((".css", ".js")) and not name.startswith("htmx"):
            assert not re.search(r"https?://(?!www\.w3\.org/)", (FOLDER / name).read_text())


def test_no_template_carries_a_script_a_style_or_another_site() -> None:
    for path in TEMPLATES.rglob("*.html"):
        # A mail program loads no stylesheet: a letter brings its own, and nothing else.
        page = path.read_text()
        if path.parent.name == "mail":
            page = page.replace("<style>", "", 1) if path.name == "letter.html" else page
        assert not re.search(
            r"""\sstyle=|\son[a-z]+=["']|<style|<script(?![^>]*\ssrc=)|(src|href)=["']https?:""", page
        ), path


def test_the_locked_packages_name_no_address() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())
    assert locked["packages"]
    assert not [name for name, package in locked["packages"].items() if "resolved" in package]
    assert all(package.get("integrity") for name, package in locked["packages"].items() if name)
