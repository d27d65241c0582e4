"""Noes and real backups: whatever is restored, who said no since is not written to."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.installed import Installed, installed, with_keys_of

SAY = """
from vteam.people.models import Fan
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.services import Said, end, end_all, record_said, subject_of
from vteam.rules.grants import PACES, Event, Pace, Purpose
fans = list(Fan.objects.order_by("pk"))
def said(fan, purpose, event, pace=None):
    what = Said(purpose=Purpose(purpose), event=Event(event), act="pressed", page="home", pace=pace)
    assert record_said(person=fan.person, campaign_id=fan.campaign_id, said=what, at=clock.now())
def yes(fan, purpose):
    said(fan, purpose, "given", PACES[Purpose(purpose)][0])
def subject(fan):
    return subject_of(person=fan.person, campaign_id=fan.campaign_id)
"""
YES = SAY + "for fan in fans:\n    yes(fan, 'news'), yes(fan, 'points')\n"
NOES = SAY + (
    "end(subject=subject(fans[0]), purpose=Purpose.NEWS, act='a link', at=clock.now())\n"
    "end_all(subject=subject(fans[1]), act='nothing at all', at=clock.now())\n"
    "said(fans[2], 'news', 'withdrawn')\nsaid(fans[2], 'news', 'refused')\nsaid(fans[2], 'asked', 'refused')\n"
    "refuse_for_ever(lookup=b'n' * 32, act='a link', at=clock.now())\n"
)
STANDS = SAY + (
    "from vteam.permissions.queries import standings\n"
    "for fan in fans:\n"
    "    found = standings(subject(fan), at_us=clock.now_us())\n"
    "    print(','.join(f'{p}:{g.last}' for p, g in found.items() if g.last))\n"
)
EVENTS, REFUSALS = "SELECT count(*) FROM permissions_grantevent", "SELECT count(*) FROM permissions_refusal"
NO_MORE = [
    "news:withdrawn,points:given",
    "news:withdrawn,points:withdrawn",
    "news:withdrawn,points:given,asked:refused",
]
GIVEN = ["news:given,points:given"] * 3


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The demo with three fans who said yes to news and to their points. Nobody changes it."""
    with installed(tmp_path_factory.mktemp("season")) as one:
        one.done("demo", "--no-run", "--fans", 3)
        one.inside(YES)
        yield one


@pytest.fixture(scope="module")
def kept(season: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    file = tmp_path_factory.mktemp("kept") / "season.tar"
    season.done("backup", file, "--no-verify")
    return file


@pytest.fixture
def later(season: Installed, tmp_path: Path) -> Iterator[Installed]:
    """The same, where several noes were said since the backup."""
    with installed(tmp_path, like=season) as one:
        one.inside(NOES)
        yield one


def held_by(one: Installed) -> list[str]:
    """How everything stands with each fan."""
    return one.inside(STANDS).split()


def log_of(one: Installed) -> list[str]:
    return (one.data / "noes.log").read_text().split("\n")


def test_every_no_said_after_the_backup_holds_once_it_is_restored(
    season: Installed, later: Installed, kept: Path
) -> None:
    assert held_by(season) == GIVEN
    log = log_of(later)
    events = None
    for _ in range(2):
        told = later.vteam("restore", kept, "--replace")
        assert told.returncode == 0, told.stderr
        assert "noes were not known to the database any more: recorded again" in told.stderr
        assert "who said no since is not written to" in told.stdout.replace("\n", " ")
        assert held_by(later) == NO_MORE
        assert later.number(REFUSALS) == 1
        assert events in (None, later.number(EVENTS))
        events = later.number(EVENTS)
        assert log_of(later)[: len(log)] == log
    assert "the permissions hold" in later.done("verify")
    assert later.number(EVENTS) == events, "what was said again is not said once more at a start"
    later.inside(SAY + "yes(fans[0], 'news')")
    for _ in range(2):
        later.done("verify")
    assert held_by(later)[0] == GIVEN[0], "a yes given after the no, and after the restore, stands"
    assert "recorded again" not in later.vteam("verify").stderr


def test_a_database_that_was_changed_by_hand_for_an_older_one_is_put_right_at_the_next_start(
    season: Installed, tmp_path: Path
) -> None:
    with installed(tmp_path, like=season) as today, installed(tmp_path, like=season) as yesterday:
        today.inside(NOES)
        shutil.copy(today.data / "noes.log", yesterday.data)
        assert held_by(yesterday) == GIVEN
        assert "recorded again" in yesterday.vteam("verify").stderr
        assert held_by(yesterday) == NO_MORE
        assert "recorded again" not in yesterday.vteam("verify").stderr


def test_the_log_goes_with_the_backup_and_is_added_to_the_one_there(
    later: Installed, kept: Path, tmp_path: Path
) -> None:
    file = tmp_path / "later.tar"
    told = later.vteam("backup", file)
    assert told.returncode == 0, told.stderr
    before = log_of(later)
    with installed(tmp_path) as place:
        elsewhere = with_keys_of(later, place)
        elsewhere.done("restore", file)
        (elsewhere.data / "noes.log").write_text(f"\nnever {'7' * 64} 70\n")
        elsewhere.done("restore", file, "--replace")
        lines = [line for line in log_of(elsewhere) if line]
        assert lines[0] == f"never {'7' * 64} 70"
        assert sorted(lines[1:]) == sorted(line for line in before if line)
        elsewhere.done("restore", kept, "--replace")
        assert held_by(elsewhere) == NO_MORE
    assert log_of(later) == before, "verifying a backup notes nothing"


def test_what_the_log_could_not_take_is_taken_from_the_database_that_is_replaced(
    later: Installed, kept: Path
) -> None:
    (later.data / "noes.log").unlink()
    later.done("restore", kept, "--replace")
    assert held_by(later) == NO_MORE
    assert later.number(REFUSALS) == 1


def test_over_a_database_that_cannot_be_read_any_more_the_log_alone_is_held(
    later: Installed, kept: Path
) -> None:
    if later.database:
        later.inside(
            "from django.db import connection\n"
            "connection.cursor().execute('ALTER TABLE permissions_grantevent DROP COLUMN sha256')"
        )
    else:
        for path in later.data.glob("vteam.sqlite3*"):
            path.write_bytes(b"zeros" * 4_000)
    told = later.vteam("restore", kept, "--replace")
    assert told.returncode == 0, told.stderr
    assert "cannot be asked who said no" in told.stderr
    assert held_by(later) == NO_MORE
