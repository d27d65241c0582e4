"""A built wheel carries everything `vteam demo` needs: pages, translations, migrations and the demo campaign."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_needs_no_node_and_no_checkout(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
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
