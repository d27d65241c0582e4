"""Passing on: how long a title takes from page to page beside a plain download, and what one edge carries.

Two pages in a real browser, over a real installation's site and edge; then the edge alone on a core, with many plain
WebSocket clients on another. What counted is read where the edge recorded it: a straight way that was none, or a title
that did not count, is no figure.
"""

import contextlib
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.crossing import Crossings, crossings
from bench.folder import free_ports, prepared_folder
from bench.report import Report
from bench.rounds import interleaved, median_ratio, on_core
from bench.sessions import session_cookie
from bench.started import role, started
from bench.talkers import SECONDS_MAX, SIGNAL_PAIRS, Order, Outcome
from bench.tools import Misleading, browser
from vteam.errors import CannotStart

EDGE_CORE, CLIENT_CORE = 0, 1
FANS = 1
TITLE = "les-digues"
FILES_BESIDE_SOCKETS = 500
RECORDED = "SELECT body FROM journal_inbox WHERE kind = 'CopyServed'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often and how much. A round in the browser is one listener each way; see `Order` for the others."""

    rounds: int
    sockets: int
    signal_rounds: int
    signals: int
    relay_rounds: int
    pairs: int
    copy_bytes: int


QUICK = Sizes(
    rounds=3, sockets=1_000, signal_rounds=3, signals=50, relay_rounds=5, pairs=4, copy_bytes=16 * 2**20
)
FULL = Sizes(
    rounds=21, sockets=5_000, signal_rounds=5, signals=50, relay_rounds=11, pairs=8, copy_bytes=32 * 2**20
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The installation everything happens in; `cookie`: of the fan whose copies leave."""

    folder: Path
    site: int
    edge: int
    slug: str
    cookie: tuple[str, str]
    campaign: int
    title: int
    title_bytes: int


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """Seconds from page to page beside the plain download; then what the edge carries."""
    browser()
    _enough_files(sizes.sockets)
    with _scene() as scene:
        given, heard = _in_the_browser(scene, sizes)
        outcome = _at_the_edge(scene, sizes)
    return Report(
        bench="pass-on",
        figures={
            **{f"{way}_s": statistics.median(seconds) for way, seconds in given.items()},
            "relay_mb_s": statistics.median(outcome.relay_mb_s),
            "relay_wall_mb_s": statistics.median(outcome.wall_mb_s),
            "signals_per_s": statistics.median(outcome.signals_per_s),
            "sockets": outcome.sockets,
            "kib_per_socket": outcome.kib_per_socket,
        },
        ratios={f"http_{way}": median_ratio(given[way], given["http"]) for way in ("direct", "relayed")},
        notes=_notes(sizes, given, heard, scene.title_bytes),
    )


def _notes(sizes: Sizes, given: dict[str, list[float]], heard: int, title_bytes: int) -> list[str]:
    spans = ", ".join(f"{way} {min(took):.3f} to {max(took):.3f} s" for way, took in given.items())
    return [
        f"in the browser: {sizes.rounds} rounds of each, in turn, all counted as what they were: {spans}",
        f"a copy of {title_bytes:,} bytes and its tag; plainly {heard:,} bytes",
        f"the relay: {sizes.relay_rounds} rounds of {sizes.pairs} copies of {sizes.copy_bytes:,} bytes at once; "
        "per second of the edge's processor, and by the clock while one process plays all pages",
        f"sockets: half of them pass on, half listen; {SIGNAL_PAIRS} pairs signalled {sizes.signals} times a page "
        f"in each of {sizes.signal_rounds} rounds; per second of the edge's processor",
    ]


def _enough_files(sockets: int) -> None:
    """Each connection is a file, at both ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < sockets + FILES_BESIDE_SOCKETS:
        raise CannotStart(
            f"This bench opens {sockets:,} connections, and a process may have {hard:,} files open here. "
            f"Allow more (ulimit -Hn), or measure with --quick."
        )


@contextlib.contextmanager
def _scene() -> Iterator[Scene]:
    site, edge = free_ports(2)
    # Neither the relay's budget nor a network's is what is measured.
    with prepared_folder(
        SITE_PORT=str(site),
        EDGE_PORT=str(edge),
        RELAY_MIB_S="10000",
        PAGES_PER_NETWORK="100000",
        LOG_LEVEL="error",
    ) as folder:
        from vteam.demo.opening import open_demo
        from vteam.demo.season import play_season
        from vteam.people.models import Fan

        campaign = open_demo()
        play_season(campaign, fans=FANS)
        fan = Fan.objects.select_related("person").filter(campaign_id=campaign.pk).first()
        if fan is None:
            raise Misleading("Nobody joined the demo.")
        title = campaign.titles.get(key=TITLE)
        yield Scene(
            folder=folder,
            site=site,
            edge=edge,
            slug=campaign.slug,
            cookie=session_cookie(fan),
            campaign=campaign.pk,
            title=title.pk,
            title_bytes=title.body_bytes,
        )


# In the browser -------------------------------------------------------------------------------------------------
def _in_the_browser(scene: Scene, sizes: Sizes) -> tuple[dict[str, list[float]], int]:
    """Seconds each way took in each round, and how many bytes the plain download had."""
    with (
        started(role("site"), port=scene.site),
        started(role("edge"), port=scene.edge),
        crossings(site=scene.site, slug=scene.slug, title=TITLE) as pages,
    ):
        pages.opens(scene.cookie)
        _rounds(pages, 1)  # the first ones find caches empty
        given = _rounds(pages, sizes.rounds)
    check(_recorded(scene.folder), rounds=sizes.rounds + 1)
    return given, pages.heard


def _rounds(pages: Crossings, rounds: int) -> dict[str, list[float]]:
    sides = {"http": pages.plain, "direct": pages.direct, "relayed": pages.relayed}
    return interleaved(sides, rounds=rounds)


def check(recorded: Counter[str], *, rounds: int) -> None:
    """Misleading when titles did not pass as often, and in the way, as was measured."""
    wanted = Counter({"receipted": rounds, "relayed": rounds})
    if recorded != wanted:
        raise Misleading(f"Titles were to be recorded as {dict(wanted)} and were as {dict(recorded)}.")


def _recorded(folder: Path) -> Counter[str]:
    """How the titles passed that the edge recorded; nobody moves them on here."""
    with contextlib.closing(sqlite3.connect(folder / "edge.sqlite3")) as file:
        return Counter(json.loads(body)["evidence"] for (body,) in file.execute(RECORDED))


# At the edge ----------------------------------------------------------------------------------------------------
def _at_the_edge(scene: Scene, sizes: Sizes) -> Outcome:
    """One edge on a core, everybody else on another."""
    with contextlib.ExitStack() as stack:
        with on_core(EDGE_CORE):
            edge = stack.enter_context(started(role("edge"), port=scene.edge))
        order = Order(
            edge=edge,
            port=scene.edge,
            origin=f"http://localhost:{scene.site}",
            campaign=scene.campaign,
            title=scene.title,
            title_bytes=scene.title_bytes,
            **{name: value for name, value in asdict(sizes).items() if name != "rounds"},
        )
        with on_core(CLIENT_CORE):
            return talked([sys.executable, "-m", "bench.talkers", json.dumps(asdict(order))])


def talked(command: Sequence[str]) -> Outcome:
    """What the clients measured; Misleading with their last word where something was not as it should be."""
    done = subprocess.run(
        list(command), capture_output=True, text=True, check=False, timeout=SECONDS_MAX + 30
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise Misleading(f"The pages at the edge were not served as they should be: {last}")
    return Outcome(**json.loads(done.stdout))
