"""`vteam keys`: another master key for an installation, and the backups of before."""

import secrets
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests import settings as test_settings
from tests.services.installed import VTEAM, Installed, installed, with_keys_of
from vteam.keys import path_of
from vteam.locks import held

LOOKS_UP = """
from django.db import transaction
from vteam.people.models import Person
from vteam.people.services import address_of_person, find_pending
with transaction.atomic():
    found = [find_pending(address=address_of_person(person), campaign_id=None, at=clock.now()).known
             for person in Person.objects.all()]
print(all(found), len(found))
"""
CRASHES = """
import os
from vteam.backup.rotating import rotate
passes = []
def tell(what, done, total):
    passes.append(what)
    if passes.count("accounts") == 2:
        os._exit(0)
rotate(tell=tell)
"""


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The demo with three fans, and its holders' accounts. Nobody changes it."""
    with installed(tmp_path_factory.mktemp("season")) as one:
        one.done("demo", "--no-run", "--fans", 3)
        yield one


@pytest.fixture
def one(season: Installed, tmp_path: Path) -> Iterator[Installed]:
    with installed(tmp_path, like=season) as copied:
        yield copied


def keys_of(place: Installed) -> list[str]:
    return path_of(place.data, "master").read_text().split()


def under(place: Installed) -> list[int]:
    """How many people are sealed under each key, oldest first."""
    told = place.done("keys", "status").splitlines()
    return [int(line.rpartition(" ")[2]) for line in told if line.startswith("  key ")]


def with_keys_given(place: Installed, keys: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = place.environment | {"VTEAM_MASTER_KEY": keys}
    return subprocess.run(
        [VTEAM, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_command_adds_a_key_brings_everybody_to_it_and_says_what_to_do_now(one: Installed) -> None:
    (first,), (people,) = keys_of(one), under(one)
    assert people > 3
    told = one.done("keys", "rotate")
    assert "copy the keys" in told
    assert "never again" in told
    assert first not in told
    assert under(one) == [0, people]
    assert keys_of(one)[0] == first
    assert stat.S_IMODE(path_of(one.data, "master").stat().st_mode) == 0o600
    assert one.inside(LOOKS_UP).split() == ["True", str(people)]
    one.done("keys", "rotate")
    assert under(one) == [0, 0, people]
    assert "the books hold" in one.done("verify")


def test_killed_after_the_key_was_made_nobody_is_lost_and_the_next_time_finishes_with_that_key(
    one: Installed,
) -> None:
    (people,) = under(one)
    one.inside(CRASHES)
    keys = keys_of(one)
    assert len(keys) == 2
    assert under(one) == [people, 0]
    assert one.inside(LOOKS_UP).split() == ["True", str(people)]
    assert "No key was made" in one.done("keys", "rotate")
    assert keys_of(one) == keys
    assert under(one) == [0, people]


@pytest.mark.parametrize("role", ["site", "edge", "jobs", "run-site", "run-edge", "run-jobs", "backup"])
def test_while_a_part_of_vteam_runs_no_key_is_made(one: Installed, role: str) -> None:
    with held(one.data, role):
        assert f"{role}.lock is held" in one.refused("keys", "rotate")
        one.done("keys", "status")
    assert len(keys_of(one)) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
def test_while_anybody_is_in_the_database_no_key_is_made(one: Installed) -> None:
    with psycopg.connect(test_settings._server.get_uri(database=one.database)):
        assert "1 other connection(s)" in one.refused("keys", "rotate")
    assert len(keys_of(one)) == 1


def test_keys_from_the_environment_are_added_there_and_everything_is_brought_to_them(one: Installed) -> None:
    (old,), new = keys_of(one), secrets.token_urlsafe(48)
    told = with_keys_given(one, old, "keys", "rotate")
    assert told.returncode == 1
    assert "VTEAM_MASTER_KEY=OLD,NEW" in told.stderr
    told = with_keys_given(one, f"{old},{new}", "keys", "rotate")
    assert told.returncode == 0, told.stderr
    assert "No key was made" in told.stdout
    assert keys_of(one) == [old], "the file is not in use"
    told = with_keys_given(one, new, "keys", "status")
    assert told.returncode == 0, "the new one alone opens everything"
    assert "Master keys in VTEAM_MASTER_KEY: 1" in told.stdout


def test_with_none_of_the_right_keys_none_is_added(one: Installed) -> None:
    wrong = secrets.token_urlsafe(48)
    path_of(one.data, "master").write_text(wrong)
    assert "none of the master keys here opens anything" in one.refused("keys", "rotate")
    assert keys_of(one) == [wrong]
    assert "Put the missing key back" in one.refused("keys", "status")


def test_a_line_taken_away_too_early_can_be_put_back(one: Installed) -> None:
    one.inside(CRASHES)
    (old, new), (people, _) = keys_of(one), under(one)
    path_of(one.data, "master").write_text(new)
    one.refused("keys", "status")
    one.refused("keys", "rotate")
    path_of(one.data, "master").write_text(f"{old}\n{new}\n")
    assert "No key was made" in one.done("keys", "rotate")
    assert under(one) == [0, people]


# Backups of before ----------------------------------------------------------------------------------------------
def test_a_backup_of_before_is_restored_and_brought_to_the_newest_key(one: Installed, tmp_path: Path) -> None:
    (people,) = under(one)
    one.done("backup", tmp_path / "before.tar")
    one.done("keys", "rotate")
    one.done("keys", "rotate")
    one.done("demo", "--no-run", "--fans", 5)
    told = one.done("restore", tmp_path / "before.tar", "--replace")
    assert "an older master key" in told
    assert "links in letters sent before" not in told, "the secret is the same"
    assert under(one) == [0, 0, people]
    assert one.inside(LOOKS_UP).split() == ["True", str(people)]
    assert "the books hold" in one.done("verify")
    one.done("backup", tmp_path / "after.tar")
    assert "an older master key" not in one.done("restore", tmp_path / "after.tar", "--replace")


def test_a_new_machine_needs_the_key_of_the_backup_beside_the_newest(one: Installed, tmp_path: Path) -> None:
    (people,) = under(one)
    one.done("backup", tmp_path / "before.tar", "--no-verify")
    one.done("keys", "rotate")
    old, new = keys_of(one)
    with installed(tmp_path) as place:
        with_keys_of(one, place)
        path_of(place.data, "master").write_text(new)
        assert "keys/master of that installation back first" in place.refused(
            "restore", tmp_path / "before.tar"
        )
        path_of(place.data, "master").write_text(f"{old}\n{new}\n")
        place.done("restore", tmp_path / "before.tar")
        assert under(place) == [0, people]
