"""What passes by itself is told from our own faults: by the real errors of both databases and of the system."""

import errno
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from vteam.jobs.loop import Job, run_due
from vteam.outage import OUTAGE_SECONDS_MAX, OutageLines, is_outage

SQLITE = connection.vendor == "sqlite"


def raised_by(doing: Callable[[], object]) -> Exception:
    try:
        doing()
    except Exception as fault:
        return fault
    raise AssertionError("nothing was raised")


# SQLite -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "file.sqlite3", timeout=0, isolation_level=None)
    opened.execute("CREATE TABLE kept (word TEXT UNIQUE)")
    yield opened
    opened.close()


def test_a_full_file_is_an_outage(file: sqlite3.Connection) -> None:
    file.execute("PRAGMA max_page_count = 3")
    fault = raised_by(lambda: [file.execute("INSERT INTO kept VALUES (?)", ("x" * 9000,)) for _ in range(9)])
    assert "full" in str(fault)
    assert is_outage(fault)


def test_another_writer_is_an_outage(file: sqlite3.Connection, tmp_path: Path) -> None:
    file.execute("BEGIN IMMEDIATE")
    other = sqlite3.connect(tmp_path / "file.sqlite3", timeout=0)
    assert is_outage(raised_by(lambda: other.execute("INSERT INTO kept VALUES ('a')")))
    other.close()


def test_a_read_only_file_and_a_missing_folder_are_outages(file: sqlite3.Connection, tmp_path: Path) -> None:
    reader = sqlite3.connect(f"{(tmp_path / 'file.sqlite3').as_uri()}?mode=ro", uri=True)
    fault = raised_by(lambda: reader.execute("INSERT INTO kept VALUES ('a')"))
    assert "readonly" in str(fault)
    assert is_outage(fault)
    reader.close()
    assert is_outage(raised_by(lambda: sqlite3.connect(tmp_path / "none" / "file.sqlite3")))


@pytest.mark.parametrize(
    "mistake",
    ["SELECT * FROM nothing", "SELECT nothing FROM kept", "SELEC", "INSERT INTO kept VALUES ('a'), ('a')"],
)
def test_a_mistake_of_ours_is_none(file: sqlite3.Connection, mistake: str) -> None:
    assert not is_outage(raised_by(lambda: file.execute(mistake)))


def test_no_database_at_all_is_none(tmp_path: Path) -> None:
    """A damaged file does not pass by itself."""
    (tmp_path / "file.sqlite3").write_bytes(b"words" * 1000)
    damaged = sqlite3.connect(tmp_path / "file.sqlite3")
    assert not is_outage(raised_by(lambda: damaged.execute("SELECT * FROM sqlite_master")))
    damaged.close()


# PostgreSQL, through Django -----------------------------------------------------------------------------------------
postgresql = pytest.mark.skipif(SQLITE, reason="asks PostgreSQL")


def ask(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    "statements",
    [
        ("SET LOCAL statement_timeout = 1", "SELECT pg_sleep(5)"),
        ("SET TRANSACTION READ ONLY", "DELETE FROM journal_inbox"),
        ("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$",),
        ("DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'admin_shutdown'; END $$",),
    ],
    ids=["too slow", "read-only", "full", "stopping"],
)
def test_what_postgresql_says_of_an_outage(statements: tuple[str, ...]) -> None:
    assert is_outage(raised_by(lambda: ask(*statements)))


@postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("mistake", ["SELECT * FROM nothing", "SELEC", "SELECT 1 / 0", "SELECT 'a'::int"])
def test_what_postgresql_says_of_a_mistake_of_ours(mistake: str) -> None:
    assert not is_outage(raised_by(lambda: ask(mistake)))


@postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_an_outage() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()
    with psycopg.connect(os.environ["VTEAM_DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
    assert is_outage(raised_by(lambda: ask("SELECT 1")))
    connection.close()


@postgresql
@pytest.mark.django_db(transaction=True)
def test_an_answer_that_does_not_come_is_given_up_with_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection.ensure_connection()
    opened = connection.connection
    monkeypatch.setattr(opened, "answer_seconds_max", 0.3)
    fault = raised_by(lambda: ask("SELECT pg_sleep(5)"))
    assert "no answer within 0.3 s" in str(fault)
    assert is_outage(fault)
    assert opened.closed, "a late answer must not be taken for the next one"
    connection.close()
    ask("SELECT 1")


# The system -------------------------------------------------------------------------------------------------------
def test_a_full_or_read_only_disk_is_an_outage_and_a_missing_file_is_none() -> None:
    assert is_outage(OSError(errno.ENOSPC, "No space left on device"))
    assert is_outage(OSError(errno.EROFS, "Read-only file system"))
    assert not is_outage(FileNotFoundError(errno.ENOENT, "No such file"))
    assert not is_outage(ZeroDivisionError())
    assert not is_outage(None)


# What is said of it -----------------------------------------------------------------------------------------------
def away(request: HttpRequest) -> HttpResponse:
    sqlite3.connect("/nowhere/at/all.sqlite3")
    raise AssertionError("there is no such folder")


def broken(request: HttpRequest) -> HttpResponse:
    raise DatabaseError("our own fault")


handler500 = "vteam.web.views.faults.server_error"
urlpatterns = [
    path("away", away),
    path("broken", broken),
    path("", broken, name="index"),
    path("mailbox", broken, name="mailbox"),
]


@pytest.fixture
def browser() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False, headers={"Host": "localhost", "Accept-Language": "fr"})


def test_a_page_says_kindly_that_it_passes_and_offers_the_same_page_again(browser: Client) -> None:
    answer = browser.get("/en/away?page=2")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    shown = answer.content.decode()
    assert "Nothing you earned is lost." in shown
    assert 'href="/en/away?page=2">Try again' in shown
    french = browser.post("/away").content.decode()
    assert "Rien de ce que tu as gagné n’est perdu." in french
    assert "Réessayer" not in french, "what was sent is not sent again by a link"


def test_a_fault_of_ours_stays_one(browser: Client) -> None:
    answer = browser.get("/broken")
    assert answer.status_code == 500
    assert "Retry-After" not in answer.headers


def test_the_log_has_one_line_a_minute_of_an_outage_and_a_traceback_of_each_fault(
    caplog: pytest.LogCaptureFixture, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("django.request")
    (lines,) = [found for found in logger.filters if isinstance(found, OutageLines)]
    monkeypatch.setattr(lines, "_next_at", 0.0)
    for address in ("/away", "/away", "/broken", "/away", "/broken"):
        browser.get(address)
    told = [(record.levelname, bool(record.exc_info)) for record in caplog.records]
    assert told == [("WARNING", False), ("ERROR", True), ("ERROR", True)]
    assert caplog.messages[0] == "pages cannot be answered (unable to open database file)"


@pytest.mark.django_db  # a job that fails has old connections closed
def test_jobs_says_it_ever_more_rarely_and_tries_within_seconds(caplog: pytest.LogCaptureFixture) -> None:
    job = Job("move", lambda: sqlite3.connect("/nowhere/at/all.sqlite3") and 0)
    for _ in range(20):
        run_due([job], at=job.due)
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "move must wait (unable to open database file)"
    ] * 5, "the 1st, 2nd, 4th, 8th and 16th time"
    before = job.due
    run_due([job], at=before)
    assert job.due - before == OUTAGE_SECONDS_MAX
    assert not any(record.exc_info for record in caplog.records)
