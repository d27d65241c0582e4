"""What is logged, plain or as JSON, names no visitor: real requests with marked addresses, faults included."""

import http.client
import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.channels.edges import BROWSER, eventually
from tests.services.running import ADD_SHARE, Installation
from vteam import settings
from vteam.logs import Line, Object, as_object, masked

MARKS = {
    "mail": "marked.bo@fans.example.org",
    "network": "203.0.113.77",
    "network6": "2001:db8:77::1",
    "agent": "MarkedBrowser/7.7",
    "secret": "mark3d-s3cret-of-an-invitation",
    "share": "abcdefghij",
    "name": "Marked Bo",
    "cookie": "markedsession0123456789",
    "query": "marked-query",
}
HEADERS = {
    "Host": "localhost",
    "User-Agent": f"{BROWSER} {MARKS['agent']}",
    "X-Forwarded-For": f"{MARKS['network']}, {MARKS['network6']}",
    "Cookie": f"vteam={MARKS['cookie']}",
    "Referer": f"http://localhost/code/{MARKS['secret']}",
}
PATHS = (
    f"/invitation/{MARKS['secret']}",
    f"/code/{MARKS['secret']}?after={MARKS['query']}",
    f"/l/{MARKS['share']}",
    f"/maree-haute/links/{MARKS['share']}",
    f"/maree-haute/join?share={MARKS['share']}&name={MARKS['query']}",
    f"/{MARKS['mail']}/",
)


class Talkative(Installation):
    """An installation strangers knock at."""

    def knock(self, port: int, path: str, *, method: str = "GET", form: dict[str, str] | None = None) -> int:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with closing(client):
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            client.request(method, path, body=urlencode(form) if form else None, headers=HEADERS | kind)
            answer = client.getresponse()
            answer.read()
            return answer.status

    def knock_everywhere(self) -> set[int]:
        """The statuses of everything a visitor could bring an address or a secret to."""
        typed = {"address": MARKS["mail"], "name": MARKS["name"], "email": MARKS["mail"], "code": "00000000"}
        doors = [self.knock(self.site, path) for path in PATHS]
        doors += [self.knock(self.site, path, method="POST", form=typed) for path in ("/sign-in", *PATHS)]
        doors += [self.knock(self.edge, f"/r/{MARKS['share']}"), self.knock(self.edge, PATHS[0])]
        return set(doors)


Start = Callable[..., Talkative]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts installations that end with the test, however it ends."""
    started: list[Talkative] = []

    def begin(data: Path, **environment: str) -> Talkative:
        started.append(Talkative(data, **environment))
        return started[-1]

    yield begin
    for installation in started:
        installation.stop()


def break_database(data: Path) -> None:
    """From now on every page that needs a table fails; the edge cannot find shares any more."""
    with closing(sqlite3.connect(data / "vteam.sqlite3", timeout=20)) as file, file:
        tables = file.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%\\_%' ESCAPE '\\'"
        )
        file.execute("PRAGMA foreign_keys = OFF")
        for (name,) in tables.fetchall():
            if name.startswith(("campaigns_", "people_", "rights_", "links_", "journal_", "django_session")):
                file.execute(f"ALTER TABLE {name} RENAME TO lost_{name}")


@pytest.mark.parametrize("form", ["line", "json"])
def test_no_log_line_names_a_visitor_whatever_fails(form: str, tmp_path: Path, start: Start) -> None:
    one = start(tmp_path, LOG_FORMAT=form, LOG_LEVEL="debug", TRUSTED_PROXIES="127.0.0.1")
    eventually(lambda: one.process.poll() is not None or "vTeam is open" in one.told, seconds=60)
    with closing(sqlite3.connect(tmp_path / "vteam.sqlite3", timeout=20)) as file, file:
        file.execute(ADD_SHARE)
    assert not {500, 502} & one.knock_everywhere()
    break_database(tmp_path)
    assert 500 in one.knock_everywhere()
    eventually(lambda: "Internal Server Error" in one.told and "move the inbox failed" in one.told)
    one.stop()
    told = one.told
    assert "OperationalError" in told, "the fault itself is told"
    assert "invitation/<str:secret>" in told, "and where"
    assert [mark for mark in MARKS.values() if mark in told] == []
    assert "127.0.0.1" not in told
    if form == "json":
        for line in one.lines:
            event = json.loads(line)
            assert {"time", "level", "role", "logger", "message"} <= set(event)
        faults = [json.loads(line) for line in one.lines if "exception" in json.loads(line)]
        assert {fault["role"] for fault in faults} >= {"site", "jobs"}


# Every logger -------------------------------------------------------------------------------------------------


def record(message: str, fault: BaseException | None = None) -> logging.LogRecord:
    info = (type(fault), fault, None) if fault else None
    return logging.LogRecord("vteam.test", logging.ERROR, __file__, 1, message, None, info)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to bo@example.org: refused", "to …: refused"),
        ("<bo+x@sub.example.org>", "<…>"),
        ("from 203.0.113.9:4411", "from …:4411"),
        ("('203.0.113.9', 4411)", "('…', 4411)"),
        ('server at "10.0.0.7", port 5432 failed', 'server at "…", port 5432 failed'),
        ("from [2001:db8::1]:80", "from […]:80"),
        ("from ::ffff:203.0.113.9.", "from …."),
        ("fe80::1%eth0", "…"),
        ("at 10:20:30, version 1.2.3, 7.5 s", "at 10:20:30, version 1.2.3, 7.5 s"),
        ("2026-11-20T10:00:00+00:00", "2026-11-20T10:00:00+00:00"),
        ('duplicate key\nDETAIL:  Key (name)=(Bo) exists.\n', "duplicate key\nDETAIL: …\n"),
    ],
)  # fmt: skip
def test_addresses_are_hidden_and_nothing_else(text: str, told: str) -> None:
    assert masked(text) == told
    assert Line().format(record(text)) == f"ERROR   vteam.test: {told}"
    assert json.loads(Object().format(record(text)))["message"] == told


def test_secrets_of_the_settings_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_URL", "postgresql://ana:p%40ss-of-ana@10.0.0.7/vteam")
    monkeypatch.setattr(settings, "EMAIL_URL", "smtp://ana:mailpass@mail.example.org:587")
    monkeypatch.setattr(settings, "BOUNCES_URL", "imaps://ana:boxpass@mail.example.org/INBOX")
    said = f"{settings.SECRET_KEY} {settings.MASTER_KEY} p@ss-of-ana mailpass boxpass"
    assert masked(said) == "… … … … …"


def test_every_master_key_is_hidden_not_the_newest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MASTER_KEYS", ("oldest-" * 8, "older-" * 8, settings.MASTER_KEY))
    assert masked(" ".join(settings.MASTER_KEYS)) == "… … …"


def test_an_exception_keeps_its_kind_and_loses_addresses() -> None:
    told = json.loads(Object().format(record("failed", ValueError("no such fan: bo@example.org"))))
    assert told["exception"] == "ValueError: no such fan: …"
    assert Line().format(record("failed", ValueError("from 203.0.113.9"))).endswith("\nValueError: from …")


def test_an_object_is_one_line_and_cannot_command_a_terminal() -> None:
    told = Object().format(record("two\nlines \x1b[2J \x9b1m"))
    assert told.isascii()
    assert told.isprintable()
    assert json.loads(told)["message"] == "two\nlines \x1b[2J \x9b1m"


def test_what_is_no_object_becomes_one() -> None:
    told = Object().format(record("fine"))
    assert as_object("site", told) == told
    assert json.loads(as_object("edge", "from 203.0.113.9"))["message"] == "from …"
    assert json.loads(as_object("edge", "x"))["role"] == "edge"


def test_an_exception_nobody_caught_is_a_log_line_too(tmp_path: Path) -> None:
    script = (
        "import threading\nfrom vteam import logs\nlogs.begin('edge')\n"
        "def fails(): raise ValueError('of bo@example.org')\n"
        "thread = threading.Thread(target=fails)\nthread.start()\nthread.join()\nfails()"
    )
    environment = {"VTEAM_DATA": str(tmp_path), "VTEAM_LOG_FORMAT": "json", "PATH": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["role"] for event in events] == ["edge", "edge"]
    assert all("ValueError: of …" in event["exception"] for event in events)
    assert "bo@example.org" not in done.stderr + done.stdout
