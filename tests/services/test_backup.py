"""Backups through the command, as somebody makes them and puts them back: on SQLite and on PostgreSQL."""

import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.channels.edges import eventually
from tests.services.installed import VTEAM, Installed, installed, with_keys_of
from vteam.locks import held

BO = "from vteam.people.models import Person\nbo = Person.objects.get(pk={number})\n"
FANS = "SELECT count(*) FROM people_fan"


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The demo with three fans. Nobody changes it."""
    with installed(tmp_path_factory.mktemp("season")) as one:
        one.done("demo", "--no-run", "--fans", 3)
        yield one


@pytest.fixture(scope="module")
def kept(season: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    file = tmp_path_factory.mktemp("kept") / "season.tar"
    season.done("backup", file, "--no-verify")
    return file


@pytest.fixture
def later(season: Installed, tmp_path: Path) -> Iterator[Installed]:
    """The same, where two more fans have come since the backup."""
    with installed(tmp_path, like=season) as one:
        one.done("demo", "--no-run", "--fans", 5)
        yield one


@pytest.fixture
def elsewhere(season: Installed, tmp_path: Path) -> Iterator[Installed]:
    """A new machine, to which the keys were carried."""
    with installed(tmp_path) as place:
        yield with_keys_of(season, place)


# There and back -----------------------------------------------------------------------------------------------------
def test_a_verified_backup_gives_the_same_rows_and_files_on_another_machine(
    season: Installed, elsewhere: Installed, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    assert "verified" in season.done("backup", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path != elsewhere.data] == ["backup.tar"]
    told = elsewhere.done("restore", file)
    assert "Dropped: sessions" in told
    assert "kept" not in told
    assert elsewhere.rows() == season.rows()
    assert files_of(elsewhere) == files_of(season)
    assert "the books hold" in elsewhere.done("verify")
    assert "the same bytes" in elsewhere.done("replay")
    assert (elsewhere.data / "demo").exists()
    private = (path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) for path in elsewhere.data.rglob("*"))
    assert not any(private)


def files_of(one: Installed) -> dict[str, bytes]:
    folder = one.data / "files"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("*/*")}


def test_a_restore_replaces_what_is_there_only_when_told_to_and_keeps_it(
    later: Installed, kept: Path, season: Installed
) -> None:
    assert later.vteam("restore", kept, typed="n\n").returncode == 1
    assert later.vteam("restore", kept).returncode == 1
    assert later.number(FANS) == 5
    told = later.done("restore", kept, "--replace")
    assert later.rows() == season.rows()
    assert re.search(r"What was there is kept: \S+before-restore-\d{8}-\d{6}-\d{6}", told)
    assert len(list(later.data.glob("before-restore-*"))) == 1
    assert not list(later.data.glob("restoring-*"))


def test_a_restore_can_be_undone(later: Installed, kept: Path) -> None:
    before = later.rows()
    later.done("restore", kept, "--replace")
    (aside,) = later.data.glob("before-restore-*")
    if later.database:
        later.done("restore", aside, "--replace")
    else:
        for path in later.data.glob("vteam.sqlite3*"):
            path.unlink()
        (aside / "vteam.sqlite3").rename(later.data / "vteam.sqlite3")
    assert later.rows() == before


def test_what_was_damaged_on_disk_is_whole_again(later: Installed, kept: Path, season: Installed) -> None:
    damaged = next((later.data / "files").glob("*/*"))
    damaged.write_bytes(b"zeros")
    assert "is damaged" in later.refused("backup", later.data / "backup.tar")
    assert not list(later.data.glob("*.tar"))
    later.done("restore", kept, "--replace")
    assert files_of(later) == files_of(season)


# Yesterday's things stay in yesterday ---------------------------------------------------------------------------------
MOMENT = """
from django.contrib.sessions.backends.db import SessionStore
from vteam.channels.mail.codes import Asker, ask_code
from vteam.people.services import Entry
SessionStore().save()
ask_code(address="cy@example.org", entry=Entry(campaign_id=1, name="Cy", language="en"),
         asker=Asker(network="n", base_url="http://localhost"), link_path="/code", at=clock.now())
"""


def test_sessions_codes_and_letters_of_the_past_are_dropped(
    season: Installed, elsewhere: Installed, tmp_path: Path
) -> None:
    with installed(tmp_path, like=season) as one:
        one.inside(MOMENT)
        counts = [
            f"SELECT count(*) FROM {table}"
            for table in ("django_session", "people_pending", "mail_outboxmessage WHERE state = 'waiting'")
        ]
        assert [one.number(count) for count in counts] == [1, 1, 1]
        one.done("backup", tmp_path / "backup.tar")
    elsewhere.done("restore", tmp_path / "backup.tar")
    assert [elsewhere.number(count) for count in counts] == [0, 0, 0]


def test_who_was_erased_after_the_backup_is_erased_by_restoring_it(later: Installed, kept: Path) -> None:
    number = later.number("SELECT min(person_id) FROM people_fan")
    later.inside(
        BO.format(number=number)
        + "from vteam.channels.erasing import erase\nerase(person=bo, at=clock.now())"
    )
    log = (later.data / "erased.log").read_text()
    later.done("restore", kept, "--replace")
    assert later.number(FANS) == 2
    assert later.number(f"SELECT count(*) FROM people_person WHERE id = {number}") == 0
    assert (later.data / "erased.log").read_text() == log
    assert "the books hold" in later.done("verify")


def test_the_log_of_erasings_goes_with_the_backup_and_is_added_to_the_one_there(
    season: Installed, later: Installed, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    with installed(tmp_path, like=season) as one:
        (one.data / "erased.log").write_text("\n7 70 700\n\n8 80 800\n")
        one.done("backup", file)
    (later.data / "erased.log").write_text("\n8 80 800\n\n9 90 900\n")
    for _ in range(2):
        later.done("restore", file, "--replace")
        lines = (later.data / "erased.log").read_text().split("\n")
        assert [line for line in lines if line] == ["8 80 800", "9 90 900", "7 70 700"]
    assert later.number(FANS) == 3


def test_an_older_database_put_there_by_other_hands_is_put_right_at_the_next_start(
    season: Installed, tmp_path: Path
) -> None:
    with installed(tmp_path, like=season) as copied:
        fan = copied.number("SELECT min(id) FROM people_fan")
        person = f"(SELECT person_id FROM people_fan WHERE id = {fan})"
        number = copied.number(f"SELECT person_id FROM people_fan WHERE id = {fan}")
        created = copied.inside(BO.format(number=number) + "print(clock.to_us(bo.created_at))").strip()
        (copied.data / "erased.log").write_text(f"\n{number} {int(created) - 1} {created}\n")
        copied.done("verify")
        assert copied.number(f"SELECT count(*) FROM people_person WHERE id = {person}") == 1
        with (copied.data / "erased.log").open("a") as log:
            log.write(f"\n{number} {created} {int(created) + 1}\n")
        assert "erased again" in copied.vteam("verify").stderr
        assert copied.number(FANS) == 2


# What is refused ----------------------------------------------------------------------------------------------------
def test_without_the_keys_it_says_which_to_put_back_first(kept: Path, tmp_path: Path) -> None:
    with installed(tmp_path) as stranger:
        assert "keys/master of that installation back first" in stranger.refused("restore", kept)
        assert not (stranger.data / "vteam.sqlite3").exists()


def test_with_another_secret_key_it_says_what_does_not_work_any_more(
    elsewhere: Installed, kept: Path
) -> None:
    (elsewhere.data / "keys" / "secret").write_text("another-secret-" * 4)
    assert "links in letters sent before do not work" in elsewhere.done("restore", kept)


@pytest.mark.parametrize("role", ["site", "edge", "jobs", "run-site", "run-edge", "run-jobs", "backup"])
def test_while_a_part_of_vteam_runs_nothing_is_restored(elsewhere: Installed, kept: Path, role: str) -> None:
    with held(elsewhere.data, role):
        assert f"{role}.lock is held" in elsewhere.refused("restore", kept)


def test_a_backup_never_goes_over_another_file(season: Installed, kept: Path) -> None:
    before = kept.read_bytes()
    assert "already" in season.refused("backup", kept)
    assert kept.read_bytes() == before


def test_a_backup_needs_a_folder_and_something_to_back_up(season: Installed, tmp_path: Path) -> None:
    assert "Make it first" in season.refused("backup", tmp_path / "nowhere" / "backup.tar")
    with installed(tmp_path) as empty:
        said = empty.refused("backup", tmp_path / "backup.tar")
    assert "There is nothing to back up" in said
    assert list(tmp_path.glob("*.tar")) == []


def test_books_that_do_not_hold_are_told_before_the_backup_has_its_name(
    season: Installed, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    with installed(tmp_path, like=season) as one:
        one.inside(
            "from vteam.ledger.models import Total\nTotal.objects.filter(confirmed__gt=0).update(confirmed=1)"
        )
        assert "do not hold: standing of fan" in one.refused("backup", file)
        assert [path for path in tmp_path.iterdir() if path != one.data] == []
        one.done("backup", file, "--no-verify")
    assert file.exists()


def test_told_to_end_a_backup_leaves_nothing_behind(season: Installed, tmp_path: Path) -> None:
    """One that is done before it is told is made once more."""
    file = tmp_path / "backup.tar"
    for _ in range(5):
        file.unlink(missing_ok=True)
        with subprocess.Popen(
            [VTEAM, "backup", file], env=season.environment, stdout=subprocess.DEVNULL
        ) as running:
            eventually(lambda: any(tmp_path.glob(".backup.tar.part-*")) or file.exists())
            running.terminate()
        if not file.exists():
            break
    assert running.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_backup_of_an_older_schema_is_migrated_and_one_of_a_newer_refused(
    season: Installed, elsewhere: Installed, tmp_path: Path
) -> None:
    migrate = "from django.core.management import call_command\ncall_command('migrate', 'copies', 'zero', verbosity=0)"
    newer = (
        "from django.db.migrations.recorder import MigrationRecorder\nfrom django.db import connection\n"
        "MigrationRecorder(connection).record_applied('links', '9999_tomorrow')"
    )
    with installed(tmp_path, like=season) as one:
        one.inside(newer)
        one.done("backup", tmp_path / "newer.tar", "--no-verify")
    with installed(tmp_path, like=season) as one:
        one.inside(migrate)
        one.done("backup", tmp_path / "older.tar")
    assert "newer vTeam" in elsewhere.refused("restore", tmp_path / "newer.tar")
    elsewhere.done("restore", tmp_path / "older.tar")
    assert elsewhere.number("SELECT count(*) FROM copies_copysent") == 0
    attack = "from vteam.journal.models import Fact\nFact.objects.update(body='{}')"
    with pytest.raises(AssertionError, match="append-only"):
        elsewhere.inside(attack)
