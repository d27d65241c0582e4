"""The demo's campaign file with small files of the right names, for every test that checks one."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.rules.demofile import SOURCE, TABLES
from vteam.campaigns.check import check_campaign


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's campaign file with files of the right names: twelve seconds of a tone, a square."""
    folder = tmp_path_factory.mktemp("campaign")
    (folder / "titles").mkdir()
    made = folder / "titles" / "sel.mp3"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=12", "-b:a", "64k", str(made)], check=True
    )
    for title in TABLES["titles"]:
        if title["file"] != "titles/sel.mp3":
            shutil.copy(made, folder / title["file"])
    Image.new("RGB", (800, 800), "#1f6f78").save(folder / "cover.jpg")
    return folder


@pytest.fixture
def folder(assets: Path, tmp_path: Path) -> Path:
    """A folder of its own for a test that changes files."""
    return Path(shutil.copytree(assets, tmp_path / "campaign"))


@pytest.fixture
def check(assets: Path) -> Callable[..., list[str]]:
    """Check the demo's file with some texts replaced: the problems as "line: wrong → instead"."""

    def checked(*replacements: tuple[str, str]) -> list[str]:
        source = SOURCE
        for written, instead in replacements:
            assert written in source, written
            source = source.replace(written, instead, 1)
        path = assets / "campaign.toml"
        path.write_text(source)
        result = check_campaign(path)
        assert (result.file is None) == bool(result.problems)
        return [str(problem).removeprefix(f"{path}:") for problem in result.problems]

    return checked
