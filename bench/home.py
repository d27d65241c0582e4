"""A fan's home page as one worker on one core serves it, beside a plain Django page with the same content.

Both are real servers (granian, one worker) over real files with the same played season in them, asked in turn by wrk
from another core, each time as another of the season's fans. Their words must agree, or nothing is reported.
"""

import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.folder import free_ports, prepared_folder
from bench.report import Report
from bench.rounds import interleaved, median_ratio, on_core
from bench.sessions import session_cookie
from bench.started import role, started
from bench.tools import Misleading, tools
from bench.webserver import Load, read_wrk

if TYPE_CHECKING:
    from vteam.campaigns.models import Campaign

SERVER_CORE, CLIENT_CORE = 0, 1
# Enough that the worker never waits for the client, few enough that its threads do not fight over the interpreter.
CONNECTIONS = 2
WARM_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much and how long; a round is `seconds` of each side."""

    fans: int
    rounds: int
    seconds: int


QUICK = Sizes(fans=150, rounds=4, seconds=2)
FULL = Sizes(fans=1_000, rounds=11, seconds=5)


class Page:
    """One page of one server, as its fans ask for it: `cookies` holds a session a fan."""

    def __init__(self, folder: Path, port: int, path: str, cookies: Mapping[int, str]) -> None:
        self._port, self._path, self.cookies = port, path, cookies
        self._script = folder / f"ask-{port}.lua"
        self._script.write_text(_lua(list(cookies.values())))

    def load(self, *, seconds: int, connections: int) -> Load:
        """So many connections, each asking again as somebody else as soon as it is answered."""
        (program,) = tools("wrk")
        url = f"http://127.0.0.1:{self._port}{self._path}"
        load = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(self._script), url]
        with on_core(CLIENT_CORE):
            return read_wrk(
                subprocess.run([program, *load], capture_output=True, text=True, check=True).stdout
            )

    def read(self, fan: int) -> str:
        """The page as this fan sees it."""
        door = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with contextlib.closing(door):
            door.request("GET", self._path, headers={"Cookie": self.cookies[fan]})
            answer = door.getresponse()
            if answer.status != 200:
                raise Misleading(f"{self._path} on port {self._port} answered {answer.status} to fan {fan}.")
            return answer.read().decode()


def run(*, quick: bool) -> Report:
    """`per_s` and `queries` of the page, `p50_ms` where nobody else asks."""
    tools("wrk")
    sizes = QUICK if quick else FULL
    ours, theirs = free_ports(2)
    with prepared_folder(SITE_PORT=str(ours), SITE_WORKERS="1", LOG_LEVEL="error") as folder:
        campaign, cookies = _played(sizes.fans)
        queries = max(_queries(campaign.slug, cookie) for cookie in list(cookies.values())[:20])
        with (
            on_core(SERVER_CORE),
            started(role("site"), port=ours),
            _idiomatic(folder, theirs, campaign) as keys,
        ):
            path = f"/fr/{campaign.slug}/home"
            sides = Page(folder, ours, path, cookies), Page(folder, theirs, path, keys)
            _say_the_same(*sides)
            return _measured(sides, sizes, queries)


def _played(fans: int) -> "tuple[Campaign, dict[int, str]]":
    """The demo campaign with a season of so many fans, and a session cookie each."""
    from vteam.demo.opening import open_demo
    from vteam.demo.season import play_season
    from vteam.people.models import Fan

    campaign = open_demo()
    play_season(campaign, fans=fans)
    played = Fan.objects.filter(campaign_id=campaign.pk).select_related("person")
    return campaign, {fan.pk: "=".join(session_cookie(fan)) for fan in played}


def _queries(slug: str, cookie: str) -> int:
    """How many queries the page costs a signed-in fan."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = Client().get(f"/{slug}/home", headers={"Host": "127.0.0.1", "Cookie": cookie})
    if answer.status_code != 200:
        raise Misleading(f"The home page answered {answer.status_code} to a fan of the campaign.")
    return len(captured)


@contextlib.contextmanager
def _idiomatic(folder: Path, port: int, campaign: "Campaign") -> Iterator[dict[int, str]]:
    """The peer, filled with the same season and listening on `port`; a session cookie of each of its fans."""
    from bench.idiomatic.taken import season

    filling = folder / "season.json"
    filling.write_text(json.dumps(season(campaign)))
    os.environ["IDIOMATIC_DATABASE"] = str(folder / "idiomatic.sqlite3")
    command = [sys.executable, "-m", "bench.idiomatic.fill", str(filling)]
    keys = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    with started([sys.executable, "-m", "bench.idiomatic.serve", str(port)], port=port):
        yield {int(fan): f"sessionid={key}" for fan, key in keys.items()}


def _say_the_same(ours: Page, theirs: Page) -> None:
    """Otherwise one of them would have less to do."""
    for fan in list(ours.cookies)[:: max(1, len(ours.cookies) // 20)]:
        one, other = _said(ours.read(fan)), _said(theirs.read(fan))
        if one != other:
            first = next(pair for pair in zip(one, other, strict=False) if pair[0] != pair[1])
            raise Misleading(f"The two pages of fan {fan} differ: {first[0]!r} and {first[1]!r}.")


def _said(page: str) -> list[str]:
    """What a page says of points, missions, milestones and what happened, in its order; of places in figures."""
    parts = r'class="(?:rank__\w+|story__what|ladder__\w+|story__points[\w -]*)">(.*?)</(?:span|p)>\s'
    texts = (re.sub(r"<[^>]+>", "", part) for part in re.findall(parts, page, re.DOTALL))
    return [re.sub(r"\W+", "", text) for text in texts]


def _measured(sides: tuple[Page, Page], sizes: Sizes, queries: int) -> Report:
    ours, theirs = sides
    for page in sides:
        page.load(seconds=WARM_SECONDS, connections=CONNECTIONS)
    given = interleaved({"ours": _speed(ours, sizes), "theirs": _speed(theirs, sizes)}, rounds=sizes.rounds)
    calm = [ours.load(seconds=sizes.seconds, connections=1).p50_ms for _ in range(max(1, sizes.rounds // 3))]
    per_s, peer = statistics.median(given["ours"]), statistics.median(given["theirs"])
    return Report(
        bench="home",
        figures={"per_s": per_s, "p50_ms": statistics.median(calm), "queries": queries},
        ratios={"idiomatic": median_ratio(given["ours"], given["theirs"])},
        notes=[
            f"{len(ours.cookies)} fans in turn; one worker on one core, wrk on another, {CONNECTIONS} connections",
            f"the plain page: {peer:.0f} a second; {sizes.rounds} rounds of {sizes.seconds} s each, in turn",
        ],
    )


def _speed(page: Page, sizes: Sizes) -> Callable[[], float]:
    return lambda: page.load(seconds=sizes.seconds, connections=CONNECTIONS).per_s


def _lua(cookies: Sequence[str]) -> str:
    """A script for wrk: each request with the next cookie, in the language of the path."""
    listed = ",".join(json.dumps(cookie) for cookie in cookies)
    return (
        f"local cookies = {{{listed}}}\nlocal turn = 0\n"
        "request = function()\n  turn = turn % #cookies + 1\n"
        '  return wrk.format("GET", nil, {["Cookie"] = cookies[turn]})\nend\n'
    )
