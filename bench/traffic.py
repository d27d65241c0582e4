"""Honest people over HTTP who remember what they were answered: visits, arrivals, joins, downloads.

They do what a browser does, page by page, and never send anything twice. A deed counts as answered only when its
whole answer came; without one it may have happened or not. Where the installation is, is a parameter: its own ports
or a load balancer before several.
"""

import html
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urlsplit

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ANSWER_SECONDS_MAX = 10.0
MAIL_SECONDS_MAX = 15.0
# Nothing listens just now: a person looks away for a moment.
CLOSED_SECONDS = 0.1
CROWD = 4
VISITS_MAX = 4
LINKS_EACH = 3
JOINERS_SHARE = 0.5

Deed = tuple[str, ...]
"""What somebody did and the books must tell: ("visit", code), ("arrival", code), ("join", name) or ("download",
name, title's key)."""


class NoAnswer(Exception):
    """No whole answer came; what was asked may have happened or not."""


class Refused(Exception):
    """An answer came, and it was another than a person hopes for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where people come in: the (host, port) of site and edge, the campaign, and the Maildir its mails land in."""

    site: tuple[str, int]
    edge: tuple[str, int]
    slug: str
    mailbox: Path


class Memory:
    """What everybody asked for and was answered, and the links they know; for many threads."""

    def __init__(self) -> None:
        self.asked: Counter[Deed] = Counter()
        self.answered: Counter[Deed] = Counter()
        self.refused: Counter[str] = Counter()
        self.codes: list[str] = []
        self.people = 0
        self._lock = threading.Lock()

    def someone_new(self) -> int:
        """The next person's number."""
        with self._lock:
            self.people += 1
            return self.people

    def asks(self, deed: Deed | None) -> None:
        """Somebody is about to ask for a deed; from now on it may be in the books."""
        with self._lock:
            self.asked.update([deed] if deed else [])

    def was_answered(self, deed: Deed | None) -> None:
        """The whole answer came: from now on it must be in the books."""
        with self._lock:
            self.answered.update([deed] if deed else [])

    def was_refused(self, words: str) -> None:
        """An answer was none of those a person hopes for."""
        with self._lock:
            self.refused[words] += 1

    def learns(self, code: str) -> None:
        """A new link is going around."""
        with self._lock:
            self.codes.append(code)


class Mailbox:
    """The people's mail program: fetches new letters from a Maildir, as often as somebody looks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._codes: dict[str, str] = {}
        self._lock = threading.Lock()

    def code_for(self, address: str) -> str | None:
        """The code in the newest letter to an address, None while none has come."""
        with self._lock:
            for letter in (self._folder / "new").glob("*"):
                message = message_from_bytes(letter.read_bytes(), policy=policy.default)
                found = re.search(r"^ +(\d{6})\r?$", str(message.get_content()), re.MULTILINE)
                if found:
                    self._codes[str(message["To"])] = found[1]
                letter.unlink()
            return self._codes.get(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole answer."""

    status: int
    headers: Message
    text: str

    def find(self, pattern: str) -> str:
        """The first group of the pattern, as a browser reads it; Refused where the page does not have it."""
        found = re.search(pattern, self.text)
        if found is None:
            raise Refused(f"a page without {pattern}")
        return html.unescape(found[1])


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with a browser of their own, a network of their own (the host name says so in a demo), and a name."""

    number: int
    doors: Doors
    memory: Memory
    mailbox: Mailbox
    chance: Random
    word: str
    cookie: str = ""

    @property
    def name(self) -> str:
        """The name others see; nobody else has it."""
        return f"{self.word} {self.number}"

    # Asking ---------------------------------------------------------------------------------------------------
    def ask(
        self,
        door: tuple[str, int],
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        deed: Deed | None = None,
        good: tuple[int, ...] = (200,),
    ) -> Page:
        """The whole answer to one request. NoAnswer, or Refused for a status that is not `good`."""
        connection = HTTPConnection(*door, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.connect()
        except OSError as closed:
            time.sleep(CLOSED_SECONDS)
            raise NoAnswer from closed  # nothing was sent, so nothing was asked for
        try:
            self.memory.asks(deed)
            page = self._answer(connection, door[1], path, form)
        except (OSError, HTTPException) as cut:
            raise NoAnswer from cut
        finally:
            connection.close()
        if page.status not in good:
            raise Refused(f"{page.status} at {path.split('/')[1]}")
        self.memory.was_answered(deed)
        return page

    def _answer(
        self, connection: HTTPConnection, port: int, path: str, form: Mapping[str, str] | None
    ) -> Page:
        headers = {"Host": f"{self.word}{self.number}.localhost:{port}", "User-Agent": BROWSER}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(
            "GET" if form is None else "POST", path, urlencode(form) if form is not None else None, headers
        )
        answer = connection.getresponse()
        body = answer.read()
        return Page(status=answer.status, headers=answer.headers, text=body.decode(errors="replace"))

    def page(self, path: str, *, form: Mapping[str, str] | None = None) -> Page:
        """A page of the site; where a form leads elsewhere, the answer that says where."""
        return self.ask(self.doors.site, path, form=form, good=(200,) if form is None else (302,))

    # Doing ----------------------------------------------------------------------------------------------------
    def visit(self, code: str) -> Page:
        """Opens a link; the answer that says where it leads."""
        return self.ask(self.doors.edge, f"/r/{code}", deed=("visit", code), good=(302,))

    def follow(self, code: str) -> Page:
        """Opens a link, and arrives on its landing page like somebody who reads it."""
        answer = self.visit(code)
        landing = self.page(urlsplit(answer.headers["location"]).path)
        time.sleep(float(landing.find(r'data-dwell="(\d+)"')) + 0.05)
        form = {"token": landing.find(r'data-token="([^"]+)"'), "act": "stayed"}
        self.ask(self.doors.site, "/arrived", form=form, deed=("arrival", code), good=(204,))
        return landing

    def join(self, path: str) -> None:
        """Joins with the code from the mail, through the form at `path`."""
        address = f"{self.word}{self.number}@example.org"
        form = self.page(path)
        hidden = {field: form.find(rf'name="{field}" value="([^"]*)"') for field in ("via", "arrival")}
        typed = {"name": self.name, "address": address, "age": "yes"}
        waiting = urlsplit(self.page(urlsplit(path).path, form=hidden | typed).headers["Location"]).path
        code = {"code": self._mailed(address)}
        inside = self.ask(self.doors.site, waiting, form=code, deed=("join", self.name), good=(302,))
        self.cookie = inside.headers["Set-Cookie"].partition(";")[0]

    def _mailed(self, address: str) -> str:
        give_up = time.monotonic() + MAIL_SECONDS_MAX
        while time.monotonic() < give_up:
            code = self.mailbox.code_for(address)
            if code is not None:
                return code
            time.sleep(0.1)
        raise Refused(f"no mail within {MAIL_SECONDS_MAX:g} s")

    def make_links(self, count: int) -> None:
        """Makes links, which others open from now on."""
        for place in range(count):
            made = self.page(f"/{self.doors.slug}/links", form={"place": f"place {place}"})
            self.memory.learns(urlsplit(made.headers["Location"]).path.rpartition("/")[2])

    def keep_a_copy(self) -> None:
        """Downloads one of the titles, whole."""
        offered = re.findall(r'href="([^"]+/copy\.mp3)"', self.page(f"/{self.doors.slug}/titles").text)
        path = self.chance.choice(offered)
        self.ask(self.doors.site, path, deed=("download", self.name, path.split("/")[-2]))

    def live(self) -> None:
        """One person's story: links opened, a landing page read, perhaps a vTeam joined."""
        for _ in range(self.chance.randint(0, VISITS_MAX)):
            self.visit(self.chance.choice(self.memory.codes))
        landing = self.follow(self.chance.choice(self.memory.codes))
        if self.chance.random() < JOINERS_SHARE:
            self.join(landing.find(r'href="([^"]+/join\?[^"]+)"'))
            self.keep_a_copy()
            self.make_links(LINKS_EACH)


@dataclass(slots=True)
class Traffic:
    """People coming one after the other, `lanes` of them at a time, until it is stopped.

    While `crowded`, a crowd opens links besides, without a pause between two.
    """

    doors: Doors
    seed: int
    lanes: int
    memory: Memory = field(default_factory=Memory)
    crowded: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _faults: list[BaseException] = field(default_factory=list)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """The first fan joins and makes links; then everybody comes, while the block runs.

        NoAnswer or Refused where the first cannot; at the end, what went wrong with one of them by our own fault.
        """
        mailbox, word = Mailbox(self.doors.mailbox), f"p{self.seed:x}"
        founder = self._person(mailbox, word, Random(self.seed))  # noqa: S311  # to be repeated, not to be secret
        founder.join(f"/{self.doors.slug}/join")
        founder.make_links(5 * LINKS_EACH)
        lives = [Person.live] * self.lanes + [self._open_links] * CROWD
        threads = [
            threading.Thread(target=self._come, args=(live, mailbox, word, Random(f"{self.seed} {lane}")))  # noqa: S311
            for lane, live in enumerate(lives)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        for fault in self._faults:
            raise fault

    def _person(self, mailbox: Mailbox, word: str, chance: Random) -> Person:
        return Person(
            number=self.memory.someone_new(),
            doors=self.doors,
            memory=self.memory,
            mailbox=mailbox,
            chance=chance,
            word=word,
        )

    def _come(self, live: Callable[[Person], None], mailbox: Mailbox, word: str, chance: Random) -> None:
        while not self._stop.is_set():
            try:
                live(self._person(mailbox, word, chance))
            except NoAnswer:
                continue
            except Refused as refusal:
                self.memory.was_refused(str(refusal))
                time.sleep(CLOSED_SECONDS)
            except BaseException as fault:  # raised again where somebody waits for it
                self._faults.append(fault)
                return

    def _open_links(self, person: Person) -> None:
        """One of the crowd."""
        if self.crowded.wait(CLOSED_SECONDS):
            person.visit(person.chance.choice(self.memory.codes))
