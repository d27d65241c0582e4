"""A built wheel carries everything `vteam demo` needs: pages, translations, migrations and the demo campaign."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the console script does, and where the code it ran stands.
COMMAND = "import sys, vteam.cli; print(vteam.__file__, file=sys.stderr, flush=True); vteam.cli.main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_needs_no_node_and_no_checkout(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("static/manifest.json", "templates/base.html", "locale/fr/LC_MESSAGES/django.mo"):
        assert f"vteam/web/{name}" in names
    for name in (
        "campaign.toml",
        "cover.jpg",
        "titles/les-digues.mp3",
        "titles/phare-eteint.mp3",
        "titles/sel.mp3",
    ):
        assert f"vteam/demo/campaign/{name}" in names
    migrations = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vteam").rglob("migrations/0*.py")}
    assert migrations <= names
    built = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vteam" / "web" / "static").iterdir()}
    assert built <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "node_modules/"))]


def test_the_installed_wheel_opens_its_demo_without_node_and_without_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    installed, folder = tmp_path / "installed", tmp_path / "empty"
    folder.mkdir()
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", installed, wheel]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)

    def vteam(*arguments: str) -> str:
        """What an installed command prints, run with nothing but Python; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=folder,
            env={"PATH": "/nonexistent", "PYTHONPATH": str(installed), "VTEAM_DEMO": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[0] == str(installed / "vteam" / "__init__.py")
        return done.stdout

    vteam("demo", "--no-run", "--fans", "0")
    assert (folder / "vteam-data" / "demo").is_file()
    assert vteam("verify").startswith("maree-haute: the books hold")
