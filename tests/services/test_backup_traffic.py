"""A backup under traffic: one state, in which every row that was acknowledged before stands exactly once."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests import cast
from tests import settings as test_settings
from tests.cast import AT, AT_US
from tests.channels.edges import eventually
from tests.services.moving import ANA, C, EdgeInbox, books_hold, row_of, still
from vteam.backup import database, sqlite
from vteam.backup.archive import DATABASES, Archive
from vteam.backup.making import _put_beside, back_up
from vteam.channels.links.models import Share, VisitDay
from vteam.edge.databases import open_inbox_file
from vteam.jobs.edgefile import EdgeFile
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal import sql
from vteam.journal.models import Fact
from vteam.people.models import Fan, Person
from vteam.rules.canonical import canonical
from vteam.rules.facts import VISIT

SQLITE = connection.vendor == "sqlite"
only_sqlite = pytest.mark.skipif(not SQLITE, reason="SQLite has two files")
SHARES = 3_000
BACKUPS = 8
Row = tuple[int, str, str, int, str]


def unmoved(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    if not SQLITE:
        bin_path = test_settings._server.bin_path
        monkeypatch.setenv("PATH", f"{bin_path}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def shares() -> list[int]:
    """The links of one fan, each to be opened once."""
    person = Person.objects.create(lookup=b"l", sealed_key=b"k", sealed_address=b"a", language="en")
    fan = Fan.objects.create(campaign_id=C, person=person, name="Ana", joined_at=AT)
    made = [
        Share(campaign_id=C, fan=fan, code=f"share{n:05}", place="here", created_at=AT) for n in range(SHARES)
    ]
    return [share.pk for share in Share.objects.bulk_create(made)]


def visit(share: int) -> Row:
    return (C, VISIT, "", AT_US, canonical({"share": share}))


def opened(share: int) -> int:
    """How often a share counts as opened."""
    return sum(VisitDay.objects.filter(share_id=share).values_list("visits", flat=True))


def edges_end(path: Path) -> EdgeInbox:
    """The edge's file as the edge makes it: read by others while it is written."""
    open_inbox_file(path).close()
    return EdgeInbox(path)


class Edge(threading.Thread):
    """Opens one share after the other, a commit each, until told to stop; `acknowledged`: how many are durable."""

    def __init__(self, path: Path, shares: list[int]) -> None:
        super().__init__()
        self.path, self.shares, self.acknowledged, self.stop = path, shares, 0, threading.Event()

    def run(self) -> None:
        with self._writing() as write:
            for number, share in enumerate(self.shares):
                if self.stop.is_set():
                    return
                arrival = [row_of(cast.arrival(share, ANA, near=f"home {share}"))] if number % 10 == 0 else []
                write(visit(share), *arrival)
                self.acknowledged += 1
                time.sleep(0.001)

    @contextmanager
    def _writing(self) -> Iterator[Callable[..., None]]:
        if SQLITE:
            inbox = edges_end(self.path)
            yield inbox.write
            inbox.connection.close()
            return
        url = test_settings._server.get_uri(database=connection.settings_dict["NAME"])
        with psycopg.connect(url, autocommit=True) as server:

            def write(*rows: Row) -> None:
                with server.transaction():
                    server.cursor().executemany(sql.INSERT_INBOX.encode(), rows)

            yield write


class Jobs(threading.Thread):
    """Moves what comes, until told to stop."""

    def __init__(self, edge: Path) -> None:
        super().__init__()
        self.edge, self.stop = edge, threading.Event()

    def run(self) -> None:
        movers = [Mover(InboxTable())] + ([Mover(EdgeFile(self.edge))] if SQLITE else [])
        while not self.stop.wait(0.005):
            for mover in movers:
                mover.move()
        connection.close()


@contextmanager
def running(one: Edge | Jobs) -> Iterator[None]:
    one.start()
    try:
        yield
    finally:
        one.stop.set()
        one.join()


@contextmanager
def standing_on_backup(file: Path, folder: Path) -> Iterator[None]:
    """Django stands on what is in a backup, as it would be after restoring."""
    folder.mkdir()
    with file.open("rb") as opened_file:
        archive = Archive(opened_file)
        archive.unpack(lambda part: folder / part.name.replace("/", "-"), tell=unmoved)
    part = folder / DATABASES[connection.vendor]
    with _put_beside(part, unmoved) as name, database.standing_on(name):
        database.bring_up(logs=folder, tell=unmoved)
        yield


@pytest.mark.django_db(transaction=True)
def test_backups_under_traffic_hold_every_row_acknowledged_before_them_exactly_once(
    shares: list[int], tmp_path: Path, settings: Any
) -> None:
    settings.DATA = tmp_path
    edge = Edge(tmp_path / "edge.sqlite3", shares)
    jobs = Jobs(edge.path)
    cast.open_season(C)
    cast.move()
    made: list[tuple[Path, int, int]] = []
    with running(jobs), running(edge):
        for number in range(BACKUPS):
            eventually(lambda so_far=number: edge.acknowledged > 100 * (so_far + 1))
            before, file = edge.acknowledged, tmp_path / f"{number}.tar"
            back_up(file, verified=False, tell=unmoved)
            made.append((file, before, edge.acknowledged))
    for file, before, after in made:
        with standing_on_backup(file, tmp_path / f"{file.stem}-restored"):
            Mover(InboxTable()).move(pause=still)
            counts = dict(VisitDay.objects.values_list("share_id", "visits"))
            assert all(counts.get(share) == 1 for share in shares[:before])
            assert all(counts.get(share, 0) <= 1 for share in shares[before : after + 1])
            assert not counts.keys() & set(shares[after + 1 :])
            arrivals = Fact.objects.filter(kind="ArrivalConfirmed").count()
            assert -(-before // 10) <= arrivals <= after // 10 + 1
            assert books_hold(C)


# Between the two files ----------------------------------------------------------------------------------------------
@pytest.fixture
def edge(tmp_path: Path) -> EdgeInbox:
    return edges_end(tmp_path / "edge.sqlite3")


def main() -> Path:
    return Path(connection.settings_dict["NAME"])


def counted_in(copy: Path, shares: list[int]) -> list[int]:
    """How often each counts once the copy's jobs have run, with an edge file made anew."""
    edge = copy.with_name("edge.sqlite3")
    with database.standing_on(str(copy)):
        for mover in (Mover(InboxTable()), Mover(EdgeFile(edge))):
            mover.move(pause=still)
        return [opened(share) for share in shares]


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_what_is_moved_between_the_two_copies_is_counted_once(
    shares: list[int], edge: EdgeInbox, tmp_path: Path
) -> None:
    edge.write(*map(visit, shares[:5]))
    meanwhile: list[int] = []

    def more(what: str, done: int, total: int) -> None:
        if not meanwhile:
            edge.write(*map(visit, shares[5:8]))
            meanwhile.append(Mover(EdgeFile(edge.path)).move(pause=still))
            edge.write(*map(visit, shares[8:9]))

    target = tmp_path / "copy" / "vteam.sqlite3"
    target.parent.mkdir()
    sqlite.copy(main=main(), edge=edge.path, target=target, tell=more)
    assert meanwhile == [8]
    assert counted_in(target, shares[:9]) == [1] * 8 + [0]
    assert [path.name for path in target.parent.iterdir()] == ["vteam.sqlite3"]
    EdgeInbox(target.with_name("edge.sqlite3")).write(visit(shares[8]))
    assert counted_in(target, shares[:9]) == [1] * 9


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_rows_of_an_edge_file_made_anew_are_not_taken_for_moved_ones(
    shares: list[int], edge: EdgeInbox, tmp_path: Path
) -> None:
    edge.write(*map(visit, shares[:5]))
    Mover(EdgeFile(edge.path)).move(pause=still)
    edge.connection.close()
    edge.path.unlink()
    EdgeInbox(edge.path).write(*map(visit, shares[5:7]))
    target = tmp_path / "copy" / "vteam.sqlite3"
    target.parent.mkdir()
    sqlite.copy(main=main(), edge=edge.path, target=target, tell=unmoved)
    assert counted_in(target, shares[:8]) == [1] * 7 + [0]


@only_sqlite
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("empty", [False, True], ids=["no file", "a file without its table"])
def test_before_the_edge_made_its_file_there_is_the_main_one(
    shares: list[int], tmp_path: Path, empty: bool
) -> None:
    path = tmp_path / "edge.sqlite3"
    if empty:
        path.touch()
    target = tmp_path / "copy.sqlite3"
    sqlite.copy(main=main(), edge=path, target=target, tell=unmoved)
    assert counted_in(target, shares[:1]) == [0]


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_copy_ends_and_is_one_state_while_somebody_writes_without_a_pause(
    shares: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps of one page; each commit of the writer changes both ends of the file alike."""
    monkeypatch.setattr(sqlite, "PAGES_AT_ONCE", 1)
    stop, commits = threading.Event(), 0
    with closing(sqlite3.connect(main())) as file, file:
        file.execute("PRAGMA foreign_keys=OFF")
        file.executemany(
            "INSERT INTO links_visitday (share_id, day, visits) VALUES (?, '2026-11-20', 0)",
            [(share,) for share in (shares[0], shares[-1])],
        )

    def write() -> None:
        nonlocal commits
        with closing(sqlite3.connect(main(), timeout=20)) as writer:
            while not stop.is_set():
                with writer:
                    writer.execute("UPDATE links_visitday SET visits = visits + 1")
                    writer.execute("UPDATE links_share SET place = place || ? WHERE id % 50 = 0", ("x",))
                    writer.execute("UPDATE links_share SET place = 'here' WHERE length(place) > 50")
                commits += 1

    writing = threading.Thread(target=write)
    writing.start()
    steps: list[int] = []

    def tell(what: str, done: int, total: int) -> None:
        steps.append(done)
        if len(steps) % 20 == 0:
            so_far = commits
            eventually(lambda: commits > so_far)

    target = tmp_path / "copy.sqlite3"
    try:
        for _ in range(3):
            target.unlink(missing_ok=True)
            sqlite.copy(main=main(), edge=tmp_path / "none", target=target, tell=tell)
    finally:
        stop.set()
        writing.join()
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        both = [visits for (visits,) in copy.execute("SELECT visits FROM links_visitday")]
        assert len(both) == 2
        assert both[0] == both[1]
        length = "SELECT count(DISTINCT length(place)) FROM links_share WHERE id % 50 = 0"
        assert copy.execute(length).fetchone() == (1,)
    assert len(steps) > 300
    assert steps.count(1) == 3, "no copy began again"
