"""A whole installation that is to meet a fault, people who use it meanwhile, and its books afterwards.

Everything is done as anybody would: by HTTP, by the `vteam` command, by reading what the processes say.
"""

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.channels.edges import BROWSER, eventually, free_port

VTEAM = str(Path(sys.executable).with_name("vteam"))
CAMPAIGN = "maree-haute"
FANS = 3
WORDS = "We can neither read nor write just now."
SECONDS_MAX = 40
DATABASE_FILES = ("vteam.sqlite3", "edge.sqlite3")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, headers, a text."""

    status: int
    headers: http.client.HTTPMessage
    text: str


def ask(
    port: int,
    path: str,
    *,
    host: str = "localhost",
    form: dict[str, str] | None = None,
    cookie: str = "",
    language: str = "en",
    seconds: float = SECONDS_MAX,
) -> Answer:
    """One request to a port on loopback, a POST where there is a form. OSError when nobody answers in time."""
    headers = {
        "Host": f"{host}:{port}",
        "User-Agent": BROWSER,
        "Accept-Language": language,
        "Content-Type": "application/x-www-form-urlencoded",
    } | ({"Cookie": cookie} if cookie else {})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with contextlib.closing(connection):
        method = "GET" if form is None else "POST"
        connection.request(method, path, None if form is None else urlencode(form), headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


@dataclass
class Installation:
    """A demo with a few fans; `within` is put before each command (another namespace, another clock)."""

    data: Path
    within: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    seen_data: Path | None = None
    lines: list[str] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None

    def __post_init__(self) -> None:
        self.site, self.edge = free_port(), free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        ours = {
            "VTEAM_DATA": str(self.data),
            "VTEAM_DEMO": "true",
            "VTEAM_SITE_PORT": str(self.site),
            "VTEAM_EDGE_PORT": str(self.edge),
            "VTEAM_WITNESS_PORT": "0",
            "VTEAM_ARRIVAL_DWELL_SECONDS": "0",
        }
        self.environment = kept | ours | self.environment

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The `vteam` command, to its end."""
        return subprocess.run(
            [*self.within, VTEAM, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def prepared(self) -> "Installation":
        """With the demo's campaign and its fans."""
        done = self.command("demo", "--no-run", "--fans", str(FANS))
        assert done.returncode == 0, done.stdout + done.stderr
        return self

    def opened(self) -> "Installation":
        """Running, and ready."""
        self.process = subprocess.Popen(
            [*self.within, VTEAM, "run"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        eventually(lambda: self.process_ended() or "Ctrl-C stops it" in self.told, seconds=60)
        assert not self.process_ended(), self.told
        return self

    def process_ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self.lines.append(line)

    @property
    def told(self) -> str:
        """Everything the processes said so far."""
        return "".join(self.lines)

    def role(self, name: str) -> int:
        """The process id of `site`, `edge` or `jobs`."""
        assert self.process is not None
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == self.process.pid and words[-4:-3] == [name.encode()]:
                    return int(folder.name)
        raise AssertionError(f"{name} does not run")

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A role stands still while the block runs, in the middle of nothing: it holds no lock of SQLite's."""
        pid = self.role(name)
        try:
            os.kill(pid, signal.SIGSTOP)
            while not all(map(self._is_free, DATABASE_FILES)):
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.05)
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _is_free(self, name: str) -> bool:
        """Nobody holds on to a database file: its log can be brought in whole, which waits for writers and readers."""
        ((is_busy, *_),) = json.loads(
            self.within_file(name, "PRAGMA wal_checkpoint(TRUNCATE)", patience_seconds=1)
        )
        return not is_busy

    def stop(self) -> None:
        """Ends it with everything it started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)

    # People ---------------------------------------------------------------------------------------------------
    def letter_code(self, address: str) -> str:
        """The newest code that came to an address, once it came."""
        found: list[tuple[float, str]] = []

        def came() -> bool:
            for path in ((self.seen_data or self.data) / "mailbox" / "new").glob("*"):
                letter = message_from_bytes(path.read_bytes(), policy=policy.default)
                code = re.search(r"^ +(\d{6})\r?$", str(letter.get_content()), re.MULTILINE)
                if letter["To"] == address and code:
                    found.append((path.stat().st_mtime, code[1]))
            return bool(found)

        eventually(came, seconds=SECONDS_MAX)
        return max(found)[1]

    def join(self, name: str) -> "Member":
        """Somebody joins with a code from their letter, from a network of their own."""
        host, address = f"{name.lower()}.localhost", f"{name.lower()}@example.org"
        asked = ask(
            self.site,
            f"/{CAMPAIGN}/join",
            host=host,
            form={"name": name, "address": address, "age": "yes", "via": "", "arrival": ""},
        )
        assert asked.status == 302, asked.text
        came = ask(self.site, asked.headers["Location"], host=host, form={"code": self.letter_code(address)})
        assert came.status == 302, came.text
        cookie = came.headers["Set-Cookie"].partition(";")[0]
        return Member(self, name, host, cookie)

    def crowd(self) -> "Crowd":
        """Strangers on their way to a new link of a new member's."""
        made = self.join("Bo").make_link("the ska forum")
        assert made.status == 302, made.text
        return Crowd(self, made.headers["Location"].rpartition("/")[2])

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What the main database answers."""
        url = self.environment.get("VTEAM_DATABASE_URL")
        if url:
            with psycopg.connect(url) as database:
                return database.execute(question.encode()).fetchall()
        return [tuple(row) for row in json.loads(self.within_file("vteam.sqlite3", question))]

    def within_file(self, name: str, statement: str, *, patience_seconds: int = 20) -> str:
        """A statement's rows as JSON, asked where the file is: SQLite follows no path into another namespace.

        `patience_seconds`: how long others are waited for.
        """
        script = (
            "import json, sqlite3, sys\n"
            "file = sqlite3.connect(sys.argv[1], timeout=int(sys.argv[3]))\n"
            "print(json.dumps(file.execute(sys.argv[2]).fetchall()))"
        )
        told = (str(self.data / name), statement, str(patience_seconds))
        asked = [*self.within, sys.executable, "-c", script, *told]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def books_hold(self) -> None:
        """`vteam verify` and `vteam replay` find nothing wrong."""
        for command in ("verify", "replay"):
            done = self.command(command)
            assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Member:
    """A fan with an open session."""

    installation: Installation
    name: str
    host: str
    cookie: str

    def see(self, page: str, *, language: str = "en", seconds: float = SECONDS_MAX) -> Answer:
        """A page of the campaign."""
        path = f"/{CAMPAIGN}/{page}"
        return ask(
            self.installation.site,
            path,
            host=self.host,
            cookie=self.cookie,
            language=language,
            seconds=seconds,
        )

    def make_link(self, place: str) -> Answer:
        """The form for a new link; 302 to its page, whose last part is its code, when it was made."""
        path = f"/{CAMPAIGN}/links"
        return ask(self.installation.site, path, host=self.host, cookie=self.cookie, form={"place": place})

    def points(self) -> int:
        """What their home page says."""
        answer = self.see("home")
        assert answer.status == 200, answer.text
        found = re.search(r'id="points" data-count="(\d+)"', answer.text)
        return int(found[1]) if found else 0


@dataclass
class Crowd:
    """Strangers who open one link, one after another: what was answered is what must be in the books."""

    installation: Installation
    code: str
    visited: int = 0
    arrived: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def visit(self, *, seconds: float = SECONDS_MAX) -> int:
        """One opens the short link; the status."""
        answer = ask(self.installation.edge, f"/r/{self.code}", host="localhost", seconds=seconds)
        self.visited += answer.status == 302
        return answer.status

    def arrive(self, *, seconds: float = SECONDS_MAX) -> int:
        """One stays on the landing page; the status that says it was noted."""
        host, site = f"v{next(self._numbers)}.localhost", self.installation.site
        page = ask(site, f"/l/{self.code}", host=host, seconds=seconds)
        if page.status != 200:
            return page.status
        token = re.search(r'data-token="([^"]+)"', page.text)
        assert token, page.text
        noted = ask(site, "/arrived", host=host, form={"token": token[1], "act": "stayed"}, seconds=seconds)
        self.arrived += noted.status == 204
        return noted.status

    def in_the_books(self) -> tuple[int, int]:
        """How many visits and arrivals of this link the database has; moved, waiting ones aside."""
        ((visits,),) = self.installation.rows(
            "SELECT coalesce(sum(visits), 0) FROM links_visitday JOIN links_share ON links_share.id = share_id "
            f"WHERE code = '{self.code}'"
        )
        ((arrivals,),) = self.installation.rows(
            "SELECT count(*) FROM journal_fact JOIN links_share "
            "ON key LIKE 'arrival:' || links_share.id || ':%' "
            f"WHERE journal_fact.kind = 'ArrivalConfirmed' AND code = '{self.code}'"
        )
        return int(visits), int(arrivals)

    def all_counted(self, *, visits_perhaps: int = 0) -> None:
        """In the end the books have what was answered, and nothing else.

        `visits_perhaps`: how many may be there besides, since whoever gave them up could not know.
        """
        wanted = (self.visited, self.arrived)
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            visits, arrivals = self.in_the_books()
            if arrivals == self.arrived and self.visited <= visits <= self.visited + visits_perhaps:
                return
            assert time.monotonic() < deadline, f"{(visits, arrivals)} in the books, {wanted} answered"
            time.sleep(0.1)


def is_kind_refusal(answer: Answer) -> bool:
    """The page for an outage: says so in words, when to come back, and nothing of our insides."""
    assert answer.status == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert WORDS in answer.text
    assert "Traceback" not in answer.text
    return True
