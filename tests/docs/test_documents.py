"""The documents keep their promises: settings, facts and commands are documented, links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from vteam.cli import app
from vteam.rules.decisions import Outcome
from vteam.rules.facts import Kind

ROOT = Path(__file__).parents[2]
GROUPS = ("campaign", "organiser", "operator", "review", "keys", "mail", "permission", "draw")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "demo" / "README.md"]


def settings_read() -> set[str]:
    """The variables vteam/settings.py reads."""
    return set(re.findall(r'env\.\w+\("([A-Z_]+)"', (ROOT / "vteam" / "settings.py").read_text()))


def test_every_setting_is_documented_with_its_default() -> None:
    documented = set(re.findall(r"\| `VTEAM_([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text()))
    assert documented == settings_read()
    assert len(documented) > 20


def test_the_documented_defaults_are_the_real_ones() -> None:
    rows = re.findall(r"\| `VTEAM_([A-Z_]+)` \| `(\d+)` \|", (ROOT / "docs" / "settings.md").read_text())
    code = (ROOT / "vteam" / "settings.py").read_text()
    assert len(rows) > 10
    for name, default in rows:
        found = re.search(rf'"{name}", ([\d_]+)', code)
        assert found, name
        assert int(found[1]) == int(default), name


def test_only_the_settings_module_reads_our_variables() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "vteam").rglob("*.py")
        if re.search(r"os\.environ\.get|os\.getenv|environ\[.VTEAM_[A-Z_]+.\](?! = )", path.read_text())
    ]
    assert readers == []


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_fact_is_documented(kind: Kind) -> None:
    assert f"`{kind}`" in (ROOT / "docs" / "facts.md").read_text()


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_documented(outcome: Outcome) -> None:
    assert f"`{outcome}`" in (ROOT / "docs" / "facts.md").read_text()


def test_every_command_explains_itself() -> None:
    command = get_command(app)
    groups = [command, *(command.commands[name] for name in GROUPS)]  # type: ignore[attr-defined]
    names = {name for group in groups for name in group.commands}
    assert {
        "run",
        "demo",
        "replay",
        "verify",
        "campaign",
        "review",
        "check",
        "apply",
        "invite",
        "rotate",
        "withdraw",
    } <= names
    for group in groups:
        for name, found in group.commands.items():
            assert found.help, name


@pytest.mark.parametrize("group", ["organiser", "operator", "permission"])
def test_every_command_about_who_may_act_is_documented(group: str) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for name in get_command(app).commands[group].commands:  # type: ignore[attr-defined]
        assert f"vteam {group} {name}" in page


def test_every_command_about_the_campaign_file_is_documented() -> None:
    pages = "".join((ROOT / "docs" / name).read_text() for name in ("campaign-file.md", "backup.md"))
    for name in get_command(app).commands["campaign"].commands:  # type: ignore[attr-defined]
        assert f"vteam campaign {name}" in pages


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|mailto:|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_readme_shows_the_two_commands_and_they_exist() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for command in re.findall(r"(?m)^make (\w+)", readme):
        assert re.search(rf"(?m)^{command}:", makefile), command
    assert {"run", "test"} <= set(re.findall(r"(?m)^make (\w+)", readme))
    for arguments in re.findall(r"(?m)^\.venv/bin/vteam (\w+)", readme):
        assert arguments in get_command(app).commands  # type: ignore[attr-defined]


def test_the_readmes_commands_do_what_it_says(tmp_path: Path) -> None:
    """Its block, line by line, with the demo's campaign as one's own; `run` has tests to itself."""
    written = re.findall(r"(?m)^\.venv/bin/vteam ([^#\n]+?) *(?:#|$)", (ROOT / "README.md").read_text())
    commands = [command for command in written if command != "run"]
    assert [command.partition(" my-")[0] for command in commands] == [
        "campaign check",
        "campaign apply",
        "verify",
        "replay",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
    environment |= {"VTEAM_DATA": str(tmp_path / "data"), "VTEAM_DEMO": "true"}
    told = []
    for command in commands:
        arguments = [str(ROOT / "demo") if part == "my-campaign/" else part for part in shlex.split(command)]
        done = subprocess.run(
            [Path(sys.executable).with_name("vteam"), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        told.append(done.stdout)
    assert [one in said for one, said in zip(README_SAYS, told, strict=True)] == [True] * 4, told


README_SAYS = (
    "“Marée haute” is fine.",
    "Applied as version 1.",
    "maree-haute: the books hold",
    "maree-haute: replayed to the same bytes",
)
"""What the README's commands print, in its order, about the demo's campaign."""


def test_no_lock_file_names_a_registry() -> None:
    locks = [*ROOT.glob("requirements/*.txt"), ROOT / "package-lock.json", *ROOT.glob("demo/render/*.txt")]
    assert len(locks) >= 4
    for lock in locks:
        assert not re.search(
            r'"resolved"|https?://[^"]*(pypi|registry|pythonhosted)|--(extra-)?index-url', lock.read_text()
        ), lock.name


def test_the_layers_in_architecture_are_those_the_checks_hold() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for package in (ROOT / "vteam").iterdir():
        if (package / "__init__.py").exists():
            assert f"`{package.name}`" in text, f"{package.name} is missing from ARCHITECTURE.md"
