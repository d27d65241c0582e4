"""`vteam draw`: a published draw done again from its file, by somebody with nothing else of ours."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_drawrecords import BEACON, COMMITTED, SECRETS, changed, of_commitments
from vteam.rules.drawrecords import commitment_to

VTEAM = Path(sys.executable).with_name("vteam")


def draw(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    # No setting, no data folder: nothing of an installation.
    return subprocess.run(
        [VTEAM, "draw", *arguments], env={"PATH": "/usr/bin", "COLUMNS": "200"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    def keep(record: Any) -> Path:
        file = tmp_path / "record.json"
        file.write_text(json.dumps(record))
        return file

    return keep


@pytest.mark.parametrize("record", [BEACON, COMMITTED])
def test_a_record_that_holds_names_the_winners_and_says_what_it_cannot_prove(
    kept: Any, record: dict[str, Any]
) -> None:
    done = draw("verify", kept(record), "--announced", record["announced"].upper())
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"(?m)^ +\d+\. (\S+)$", done.stdout) == record["order"][:3]
    assert "nobody was invented" in done.stdout


def test_a_record_that_was_changed_fails_and_the_part_is_named(kept: Any) -> None:
    done = draw("verify", kept(changed(BEACON, "entries", 3, 1, to=7)))
    assert done.returncode == 1
    assert "✗ entries: they are not as many, or do not weigh as much, as was announced" in done.stderr
    assert "This record does not hold." in done.stderr
    assert "✓ randomness" in done.stdout
    assert "nobody was invented" not in done.stdout


def test_another_announcement_than_was_published_fails(kept: Any) -> None:
    done = draw("verify", kept(BEACON), "--announced", "ab" * 32)
    assert done.returncode == 1
    assert "its hash is not the one you gave" in done.stderr


def test_who_did_not_reveal_is_named(kept: Any) -> None:
    done = draw("verify", kept(of_commitments({name: SECRETS[name] for name in ("Ana", "Cy")})))
    assert done.returncode == 0
    assert "Did not reveal, and was left out as announced: Bo" in done.stdout


def test_what_is_no_record_is_said_in_words(kept: Any, tmp_path: Path) -> None:
    (tmp_path / "record.txt").write_text("three winners")
    done = draw("verify", tmp_path / "record.txt")
    assert done.returncode == 1
    assert "is not JSON, and so no record of a draw" in done.stderr
    done = draw("verify", kept([1, 2]))
    assert done.returncode == 1
    assert "✗ record: this is not the record of a draw" in done.stderr
    assert draw("verify", tmp_path / "nothing.json").returncode == 2


def test_a_commitment_is_to_its_secret() -> None:
    done = draw("commit", "Ana")
    commitment, secret = re.findall(r"([0-9a-f]{64})", done.stdout)
    assert commitment_to("Ana", secret) == commitment
