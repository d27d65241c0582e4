"""Faults of the processes themselves, told by mail: what each loads for it, and what ends one."""

import contextlib
import logging
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.channels.edges import eventually
from tests.postgres import postgres_server
from tests.services.faulty import Installation, ask

SECRET = "bo-and-her-secret@example.org"
HOURS_END_SECONDS = 40
logger = logging.getLogger("vteam.tests")


def told_by(script: str, data: Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VTEAM_", "DJANGO_"))}
    ours = {"VTEAM_DATA": str(data), "VTEAM_DEMO": "true", "DJANGO_SETTINGS_MODULE": "vteam.settings"}
    return subprocess.run(
        [sys.executable, "-c", script], env=kept | ours, capture_output=True, text=True, check=False
    )


def test_nothing_of_django_s_own_mails_is_set_up(tmp_path: Path) -> None:
    script = (
        "import logging, django\nfrom vteam import logs\nlogs.begin('site')\ndjango.setup()\n"
        "from django.conf import settings\nfrom django.utils.log import AdminEmailHandler\n"
        "loggers = [logging.root, *map(logging.getLogger, logging.root.manager.loggerDict)]\n"
        "handlers = [one for logger in loggers for one in logger.handlers]\n"
        "assert not [one for one in handlers if isinstance(one, AdminEmailHandler)], handlers\n"
        "names = [type(one).__name__ for one in logging.root.handlers]\n"
        "assert names == ['StreamHandler', 'FaultHandler'], names\n"
        "assert not settings.ADMINS and not settings.MANAGERS\n"
        "assert 'vteam.channels.mail.models' in __import__('sys').modules\n"
    )
    done = told_by(script, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_edge_tells_nothing_and_loads_no_django_for_it(tmp_path: Path) -> None:
    script = (
        "import logging, sys, threading\nfrom vteam import logs\nlogs.begin('edge')\n"
        "from vteam.edge import server\nlogging.getLogger('vteam').error('x')\n"
        "assert threading.active_count() == 1\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'django']\n"
    )
    done = told_by(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "ERROR   vteam: x\n"


def test_what_ends_a_process_is_told_before_it_is_gone(tmp_path: Path) -> None:
    script = (
        "from vteam import logs\nlogs.begin('jobs')\nimport django, time\ndjango.setup()\n"
        "from vteam.channels.mail import faults\n"
        "faults.begin(lambda fault: (time.sleep(0.3), print(fault.what, flush=True)))\n"
        "def main(): raise LookupError('of bo@example.org')\nmain()"
    )
    done = told_by(script, tmp_path)
    assert done.returncode == 1
    assert done.stdout == "LookupError · __main__.main:7\n"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Installation]:
    """A demo that runs, on the database the tests run on."""
    with contextlib.ExitStack() as stack:
        environment = {}
        if connection.vendor == "postgresql":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vteam-pg-"))
            server = stack.enter_context(postgres_server(Path(folder) / "pg"))
            with psycopg.connect(server.get_uri(), autocommit=True) as opened:
                opened.execute("CREATE DATABASE vteam")
            environment["VTEAM_DATABASE_URL"] = server.get_uri(database="vteam")
        installation = Installation(tmp_path / "data", environment=environment).prepared()
        yield installation.opened()
        installation.stop()


def do(one: Installation, statement: str) -> None:
    """To its main database."""
    url = one.environment.get("VTEAM_DATABASE_URL")
    if url:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(statement.encode())
    else:
        with contextlib.closing(sqlite3.connect(one.data / "vteam.sqlite3", timeout=20)) as file, file:
            file.execute(statement)


def become_operator(one: Installation) -> str:
    """Dov is invited, comes by the link, signs in and switches on what reaches him; returns his cookie."""
    link = re.search(r"(/organise/invitation/\S+)", one.command("operator", "invite", "--name", "Dov").stdout)
    assert link
    asked = ask(one.site, "/sign-in", form={"address": "dov@example.org", "after": link[1]})
    came = ask(one.site, asked.headers["Location"], form={"code": one.letter_code("dov@example.org")})
    cookie = str(came.headers["Set-Cookie"]).partition(";")[0]
    taken = ask(one.site, link[1], form={"x": ""}, cookie=cookie)
    assert taken.headers["Location"] == "/operator", taken.text
    page = ask(one.site, "/operator", cookie=cookie)
    hidden = dict(re.findall(r'name="(words|who)" value="(\w+)"', page.text))
    form = {"purpose": "faults", "act": "given", "back": "/operator", **hidden}
    assert ask(one.site, "/operator/said", form=form, cookie=cookie).status == 302
    return cookie


def wait_for_room_in_the_hour() -> None:
    """A place is told again in the next hour: what follows must not begin at the end of one."""
    left = 3600 - time.time() % 3600
    if left < HOURS_END_SECONDS:
        time.sleep(left)


def faults_in(one: Installation) -> list[str]:
    """The places in letters about faults."""
    texts = [path.read_text() for path in (one.data / "mailbox" / "new").glob("*")]
    return [text for text in texts if "Subject: Something failed in vTeam" in text]


def test_a_page_and_a_job_that_fail_in_their_processes_reach_the_operator_once(one: Installation) -> None:
    cookie = become_operator(one)
    wait_for_room_in_the_hour()
    do(one, "ALTER TABLE campaigns_news RENAME TO lost_news")
    do(one, "ALTER TABLE ledger_hold RENAME TO lost_hold")
    for _ in range(4):
        assert ask(one.site, f"/maree-haute/news?secret={SECRET}", cookie=cookie).status == 500
    eventually(lambda: len(faults_in(one)) >= 2, seconds=30)
    time.sleep(3)
    letters = faults_in(one)
    places = [re.search(r"\n(\w+Error) =C2=B7 ([\w.=\r\n]+)", letter) for letter in letters]
    assert len(letters) == len(set(letters)) == len([place for place in places if place]), letters
    assert 2 <= len(letters) <= 4, "a table that is gone is missed at very few places"
    whole = "".join(letters)
    assert "vteam.web.views.news" in whole
    assert "vteam.ledger" in whole or "vteam.jobs" in whole
    assert "lost_" not in whole
    assert SECRET not in whole.replace("=\n", "")
    assert "faults cannot be told" not in one.told
