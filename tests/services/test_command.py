"""The `vteam` command says in plain words what cannot be done, and keeps what it makes to its owner."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vteam.errors import SettingsError
from vteam.keys import kept_key

ROOT = Path(__file__).parents[2]
VTEAM = Path(sys.executable).with_name("vteam")


def vteam(
    *arguments: str, data: Path, cwd: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command with these VTEAM_ settings and no others."""
    ours = {"VTEAM_DATA": str(data), **{f"VTEAM_{name}": value for name, value in settings.items()}}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VTEAM_", "DJANGO_"))}
    return subprocess.run(
        [VTEAM, *arguments],
        env=kept | ours,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SITE_PORT", "abc", "VTEAM_SITE_PORT"),
        ("SITE_PORT", "80000", "65535"),
        ("DATABASE_URL", "nonsense", "postgresql://"),
        ("BOUNCES_URL", "pop3://mail.example.org", "VTEAM_BOUNCES_URL: write maildir:"),
        ("BOUNCES_URL", "imaps://[::1", "VTEAM_BOUNCES_URL: write maildir:"),
        ("DATABASE_URL", "mysql://somewhere/x", "postgresql://"),
        ("BEACON", "http://api.drand.sh", "VTEAM_BEACON: write the address of a drand server"),
        ("BEACON", "https://[::1", "VTEAM_BEACON: write the address of a drand server"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/x", "VTEAM_DATABASE_URL"),
        ("TRUSTED_PROXIES", "everybody", "VTEAM_TRUSTED_PROXIES"),
        ("EMAIL_URL", "", "VTEAM_EMAIL_URL"),
    ],
)
def test_a_setting_that_cannot_work_is_one_clear_message(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    settings = {"EMAIL_URL": "smtp://127.0.0.1:1", name: value}
    answer = vteam("run", data=tmp_path / "data", **settings)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr + answer.stdout


def test_checking_a_campaign_leaves_nothing_behind(tmp_path: Path) -> None:
    answer = vteam("campaign", "check", str(ROOT / "demo"), data=tmp_path / "data", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_books_of_a_prepared_demo_are_checked_without_any_setting(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for command in (
        ("demo", "--no-run", "--fans", "3"),
        ("verify",),
        ("replay",),
        ("review", "list", "maree-haute"),
    ):
        answer = vteam(*command, data=data)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    readable = [path for path in data.rglob("*") if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    assert readable == []


def test_an_award_is_taken_back_once_and_dropped_triggers_are_told(tmp_path: Path) -> None:
    import sqlite3

    data = tmp_path / "data"
    vteam("demo", "--no-run", "--fans", "3", data=data)
    shown = vteam("review", "list", "maree-haute", "--counted", data=data).stdout.split()
    reversing = ("review", "reverse", "maree-haute", shown[0], "--reason", "a test")
    assert vteam(*reversing, data=data).returncode == 0
    assert vteam(*reversing, data=data).returncode == 1
    with sqlite3.connect(data / "vteam.sqlite3") as database:
        database.execute("DROP TRIGGER append_only_ledger_transfer_update")
    database.close()
    told = vteam("verify", data=data)
    assert told.returncode == 1
    assert "append_only_ledger_transfer_update" in told.stderr.replace("\n", "")


def test_a_damaged_key_is_refused_and_a_missing_one_is_made(tmp_path: Path) -> None:
    first = kept_key(tmp_path, "master")
    assert len(first) >= 48
    assert kept_key(tmp_path, "master") == first
    (tmp_path / "keys" / "master").write_text("")
    with pytest.raises(SettingsError, match="damaged"):
        kept_key(tmp_path, "master")
