"""vTeam on a host of our internet, with fans whose pages are opened as a browser does, and its books read back."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from tests.torrents.networks import Host, Internet
from tests.torrents.programs import ENVIRONMENT

SITE, EDGE, WITNESS = 8000, 8001, 8002
NAME = "team.example"
TITLE = "les-digues"
VTEAM = str(Path(sys.executable).parent / "vteam")
JOIN = """
import json, sys
import django
django.setup()
from bench.sessions import session_cookie
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.people.services import become_fan
campaign = Campaign.objects.get()
found = []
for name in sys.argv[1:]:
    person = account(address=f"{name}@example.org", language="en", at=clock.now())
    fan, _ = become_fan(person=person, campaign_id=campaign.pk, name=name, share_id=None, at=clock.now())
    found.append({"fan": fan.pk, "cookie": "=".join(session_cookie(fan))})
print(json.dumps(found))
"""
WITHDRAW = """
import django
django.setup()
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Title
from vteam.rights.models import Holder
from vteam.rules.rights import Act, Way
title = Title.objects.get(key="les-digues")
holder = Holder.objects.filter(titles__title_id=title.pk).first()
speak(holder=holder, person=None, title=title, way=Way.PASS_ON, act=Act.WITHDRAWN, language="en", at_us=clock.now_us())
"""


@dataclass(frozen=True)
class Given:
    """What a fan's page gives out: the two files and the magnet."""

    fan: int
    cookie: str
    mine: str
    friends: str
    magnet: str
    info_hash: str


@dataclass(frozen=True)
class Judged:
    """A `CopyServed` fact with what became of it."""

    fan: int
    listener: str
    doubt: str | None
    same_person: bool
    outcome: str
    points: int
    proof: str


class Installation:
    """`vteam demo` on a host; everything about it by its pages, or read from its books."""

    def __init__(self, host: Host, data: Path, *, announce_s: int = 5) -> None:
        self.host, self.data = host, data
        self.site = f"http://{NAME}:{SITE}"
        self.environment = ENVIRONMENT | {
            "VTEAM_DATA": str(data),
            "VTEAM_DEMO": "true",
            "VTEAM_HOST": "::",
            "VTEAM_HOSTS": f"{NAME},{host.four}",
            "VTEAM_STUN_PORT": "0",
            "VTEAM_ANNOUNCE_SECONDS": str(announce_s),
            "DJANGO_SETTINGS_MODULE": "vteam.settings",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self.log = data.parent / "vteam.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.pages = 0

    def start(self) -> None:
        """All processes, until the campaign is open."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.host.within(VTEAM, "demo"), env=self.environment, stdout=out, stderr=subprocess.STDOUT
            )
        self.eventually(lambda: "Ctrl-C stops it" in self.told, seconds=90)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)

    @property
    def told(self) -> str:
        """What it printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def eventually(self, holds: Callable[[], bool], *, seconds: float, what: str = "") -> None:
        """Waits for something to hold; shows what the installation said where it does not."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what}\n{self.told[-3000:]}\n{self.judged()}\n{self.standing()}"
            time.sleep(0.3)

    def _python(self, script: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, *words],
            env=self.environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill_edge(self) -> None:
        """The edge dies, as in a power cut; it is started again by who watches it."""
        assert self.process is not None
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == self.process.pid and b"vteam.processes.role" in words and b"edge" in words:
                os.kill(int(folder.name), signal.SIGKILL)
                return
        raise AssertionError("there is no edge")

    def withdraw(self) -> None:
        """The artist takes the title back."""
        self._python(WITHDRAW)

    # A fan's pages -----------------------------------------------------------------------------------------------
    def fans(self, *names: str) -> list[Given]:
        """New fans, with what their pages give."""
        return [self._given(each["fan"], each["cookie"]) for each in json.loads(self._python(JOIN, *names))]

    def again(self, given: Given) -> list[Given]:
        """What a fan's page gives now."""
        return [self._given(given.fan, given.cookie)]

    def _given(self, fan: int, cookie: str) -> Given:
        page = f"{self.site}/maree-haute/titles/{TITLE}/seed"
        folder = self.data.parent
        magnet = unescape(re.search(r'data-copy="(magnet:[^"]+)"', self.page(page, cookie))[1])  # type: ignore[index]
        mine, friends = folder / f"{fan}-mine.torrent", folder / f"{fan}-friends.torrent"
        same = ["-H", "Sec-Fetch-Site: same-origin", "-H", f"Origin: {self.site}"]
        self.page(page + "/computer", cookie, "-X", "POST", *same, "-o", str(mine))
        self.page(page + "/friends", cookie, "-o", str(friends))
        info_hash = re.search(r"btih:([0-9a-f]{40})", magnet)[1]  # type: ignore[index]
        return Given(fan, cookie, str(mine), str(friends), magnet, info_hash)

    def page(self, address: str, cookie: str, *words: str) -> str:
        """A page as curl gets it on the installation's host."""
        return self.host.run("curl", "-s", "-f", "-b", cookie, *words, address)

    # The books ---------------------------------------------------------------------------------------------------
    def _ask(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "vteam.sqlite3", timeout=20)) as file:
            return file.execute(text, values).fetchall()

    def judged(self, fan: int | None = None) -> list[Judged]:
        """What was served and what became of it, in order."""
        rows = self._ask(
            "SELECT f.body, d.outcome, d.points FROM journal_fact f JOIN ledger_decision d "
            "ON d.campaign_id = f.campaign_id AND d.fact_seq = f.seq WHERE f.kind = 'CopyServed' ORDER BY f.seq"
        )
        found = []
        for body, outcome, points in rows:
            fact = json.loads(body)
            if fan in (None, fact["fan"]):
                found.append(
                    Judged(
                        fact["fan"],
                        fact["listener"],
                        fact.get("doubt"),
                        fact["same_person"],
                        outcome,
                        points,
                        fact["proof"],
                    )
                )
        return found

    def standing(self) -> list[dict[str, Any]]:
        """How every torrent stood when the edge last said so."""
        return [json.loads(content) for (content,) in self._ask("SELECT content FROM swarm_watch")]

    def evidence(self) -> list[str]:
        """Every evidence row."""
        return [content for (content,) in self._ask("SELECT content FROM swarm_evidence")]

    def wait_for(self, fan: int, count: int, *, seconds: float = 60) -> list[Judged]:
        """Until so many of a fan's copies were judged; what became of them."""
        self.eventually(lambda: len(self.judged(fan)) >= count, seconds=seconds, what=f"{count} of fan {fan}")
        return self.judged(fan)


@contextmanager
def installed(net: Internet, folder: Path, **options: Any) -> Iterator[Installation]:
    """An installation for as long as it is needed."""
    host = net.host()
    net.name(NAME, host)
    found = Installation(host, folder / "data", **options)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        print(found.told[-5000:])
