"""The disk is full, the data folder read-only, another writer holds the file: what people see, what the books have.

The disk is a real, small one: a tmpfs mounted in a namespace of the test's own, as any user of Linux may.
"""

import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.channels.edges import eventually
from tests.services.faulty import DATABASE_FILES, Installation, is_kind_refusal

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="the database is a file of its own here"
)
DISK_MIB = 64
BUSY_SECONDS = 20
"""How long a page waits for its turn to write (settings)."""
HOW = "unshare -rm does not work here. On Debian: sysctl -w kernel.unprivileged_userns_clone=1, or be root."


class SmallDisk:
    """A small disk at `path`, seen only by what runs `within`; from here it stands at `seen`."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        mount = f"mount -t tmpfs -o size={DISK_MIB}m tmpfs '{path}' && echo mounted && exec sleep 600"
        self._keeper = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", mount], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._keeper.stdout is not None
        told = self._keeper.stdout.readline()
        assert told == "mounted\n", f"{told} {HOW}"
        self.within = ["nsenter", "-t", str(self._keeper.pid), "-U", "-m", "--preserve-credentials"]
        self.seen = Path(f"/proc/{self._keeper.pid}/root{path}")
        self._filling = self.seen / "filling"

    def fill(self) -> None:
        """Not a byte is left."""
        with self._filling.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(b"x" * 4096)

    def free(self) -> None:
        """There is room again."""
        self._filling.unlink()

    def remount(self, option: str) -> None:
        """`ro` or `rw`."""
        subprocess.run([*self.within, "mount", "-o", f"remount,{option}", str(self.path)], check=True)

    def end(self) -> None:
        """The keeper ends, and with it the disk."""
        self._keeper.kill()
        self._keeper.communicate()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(tmp_path / "data")
    yield small
    small.end()


@pytest.fixture
def on_the_disk(disk: SmallDisk) -> Iterator[Installation]:
    """A demo on the small disk."""
    one = Installation(disk.path, within=disk.within, seen_data=disk.seen).prepared()
    yield one
    one.stop()


def full(disk: SmallDisk, one: Installation) -> None:
    """The disk is full, and no database has room of its own left that it could use again."""
    for name in DATABASE_FILES:
        one.within_file(name, "PRAGMA wal_checkpoint(TRUNCATE)")
    disk.fill()


def test_while_the_disk_is_full_people_are_told_and_afterwards_nothing_answered_is_missing(
    disk: SmallDisk, on_the_disk: Installation
) -> None:
    one = on_the_disk.opened()
    crowd, cy = one.crowd(), one.join("Cy")
    with one.frozen("jobs"):
        assert [crowd.visit() for _ in range(5)] == [302] * 5
        assert [crowd.arrive() for _ in range(5)] == [204] * 5
        full(disk, one)
        begun = time.monotonic()
    assert cy.see("home").status == 200, "reading needs no room"
    eventually(lambda: cy.make_link("my page").status == 503)
    assert is_kind_refusal(cy.make_link("my page"))
    assert {crowd.arrive() for _ in range(5)} == {503}
    assert {crowd.visit() for _ in range(5)} == {503}
    eventually(lambda: "move the inbox must wait (database or disk is full)" in one.told)

    disk.free()
    seconds = time.monotonic() - begun
    eventually(lambda: crowd.visit() == 302)
    eventually(lambda: crowd.arrive() == 204)
    assert cy.make_link("my page").status == 302
    crowd.all_counted()
    assert "move the inbox works again" in one.told
    assert "Traceback" not in one.told
    assert one.told.count("must wait") <= 12 + seconds / 5, "a line now and then"
    assert one.join("Dov").points() == 0
    one.books_hold()


def test_on_a_disk_that_is_full_at_the_start_nothing_starts_and_the_reason_is_said(
    disk: SmallDisk, on_the_disk: Installation
) -> None:
    full(disk, on_the_disk)
    refused = on_the_disk.command("run")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stdout + refused.stderr
    assert ".lock cannot be written: No space left on device." in refused.stderr
    assert "VTEAM_DATA" in refused.stderr


# Read-only (while it runs: a drill in docs/operations.md, for which a disk must break) -------------------------
def test_a_read_only_data_folder_is_refused_at_the_start_in_words(
    disk: SmallDisk, on_the_disk: Installation
) -> None:
    disk.remount("ro")
    refused = on_the_disk.command("run")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"The data folder {disk.path} cannot be written: Read-only file system.")
    assert "VTEAM_DATA" in refused.stderr


# Another writer -----------------------------------------------------------------------------------------------
def test_while_somebody_else_holds_the_file_readers_read_and_writers_are_told_to_come_back(
    tmp_path: Path,
) -> None:
    """A copy being made with the wrong tool, a forgotten shell in the middle of a transaction."""
    one = Installation(tmp_path / "data").prepared()
    try:
        crowd, cy = one.opened().crowd(), one.join("Cy")
        with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vteam.sqlite3", timeout=20)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert cy.see("home").status == 200
            assert crowd.visit() == 302, "the edge has a file of its own"
            begun = time.monotonic()
            assert is_kind_refusal(cy.make_link("my page")), "before SECONDS_MAX, when a fan gives up"
            assert time.monotonic() - begun >= BUSY_SECONDS
            other.rollback()
        assert cy.make_link("my page").status == 302
        assert crowd.arrive() == 204
        crowd.all_counted()
        assert "Traceback" not in one.told
        one.books_hold()
    finally:
        one.stop()
