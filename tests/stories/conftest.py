"""A whole installation for stories: Ana's campaign applied with the command, all processes up, real browsers.

Nothing is reached into: a story enters by address or socket and asserts what a person sees.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bench.crossing import CHROMIUM_ARGUMENTS, PHONE
from bench.folder import free_ports

ROOT = Path(__file__).parents[2]
VTEAM = Path(sys.executable).with_name("vteam")
CHROMIUM = "/usr/bin/chromium"
DESK = {"viewport": {"width": 1280, "height": 900}}
READY_SECONDS = 60
PATIENCE_MS = 20_000
"""How long what must come is waited for: a busy machine may need many times what is usual."""
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A running vTeam: its ports, its environment, Ana's folder and what `campaign apply` printed."""

    site_port: int
    edge_port: int
    environment: dict[str, str]
    folder: Path
    applied: str

    def address(self, path: str, *, host: str = "localhost") -> str:
        """A page of the site under a host name; in the demo each host name is a network of its own."""
        return f"http://{host}:{self.site_port}{path}"

    def invitation(self) -> str:
        """The path of the invitation link printed for the artist."""
        found = re.search(r"(/invitation/\S+)", self.applied)
        assert found, self.applied
        return found[1]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `vteam` in this installation."""
        return subprocess.run(
            [VTEAM, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def code_for(self, address: str) -> str:
        """The newest code mailed to an address, read from the mailbox page."""
        for _ in range(300):
            with urllib.request.urlopen(self.address("/mailbox")) as answer:
                text = re.sub(r"<[^>]+>", " ", answer.read().decode())
            after = text.partition(address)[2]
            found = re.search(r"\b(\d{6})\b", after)
            if found:
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"no code arrived for {address}")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Ana applies the demo's campaign file, dated so that its season is running, and starts vTeam."""
    with running(tmp_path_factory, database="stories") as found:
        yield found


@contextmanager
def running(
    tmp_path_factory: pytest.TempPathFactory, *, database: str, **others: str
) -> Iterator[Installation]:
    """An installation of Ana's; `others`: further VTEAM_ variables. `database`: its name on a PostgreSQL server."""
    folder = _campaign_of_ana(tmp_path_factory.mktemp("ana"))
    site_port, edge_port = free_ports(2)
    environment = os.environ | {
        "VTEAM_DATA": str(tmp_path_factory.mktemp("data")),
        "VTEAM_DEMO": "true",
        "VTEAM_SITE_PORT": str(site_port),
        "VTEAM_EDGE_PORT": str(edge_port),
        "VTEAM_WITNESS_PORT": "0",
        "VTEAM_ARRIVAL_DWELL_SECONDS": "1",
        **{f"VTEAM_{name}": value for name, value in others.items()},
    }
    if settings.DATABASE_URL:
        environment["VTEAM_DATABASE_URL"] = _own_database(str(settings.DATABASE_URL), database)
    applied = subprocess.run(
        [VTEAM, "campaign", "apply", folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert applied.returncode == 0, applied.stdout + applied.stderr
    log = (tmp_path_factory.mktemp("log") / "run.txt").open("w+")
    process = subprocess.Popen([VTEAM, "run"], env=environment, stdout=log, stderr=subprocess.STDOUT)
    found = Installation(
        site_port=site_port,
        edge_port=edge_port,
        environment=environment,
        folder=folder,
        applied=applied.stdout,
    )
    try:
        _wait_until_ready(found, process, Path(log.name))
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        log.seek(0)
        print(log.read())  # shown by pytest when a story fails
        log.close()


def _campaign_of_ana(folder: Path) -> Path:
    """The demo's campaign with one artist who must agree, opened last week."""
    import datetime as dt

    from vteam import clock
    from vteam.campaigns.check import check_campaign
    from vteam.campaigns.file import CampaignFile
    from vteam.demo.opening import a_week_in

    shutil.copytree(ROOT / "demo", folder, dirs_exist_ok=True)
    checked = check_campaign(folder)
    assert isinstance(checked.file, CampaignFile), checked.problems
    moved, path = a_week_in(checked.file, clock.now()), folder / "campaign.toml"
    season, text = moved.season, path.read_text()
    for before, after in zip(checked.file.concerts, moved.concerts, strict=True):
        text = text.replace(f"at = {before.at.isoformat()}", f"at = {after.at.isoformat()}")
    for key in ("starts", "release", "ends", "settled"):
        moment: dt.date = getattr(season, key)
        text = re.sub(rf"(?m)^{key} *=.*$", f"{key} = {moment.isoformat()}", text, count=1)
    head, _, _ = text.partition("[[holders]]")
    rest = text[text.index("[[missions]]") :]
    artist = '[[holders]]\nkey = "mira"\nname = "Mira Kalt"\nrole = "author"\n\n'
    path.write_text(head + artist + rest)
    return folder


def _own_database(url: str, name: str) -> str:
    """A new database on the PostgreSQL server of the tests."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    return re.sub(r"(//[^/]*/)[^?]*", rf"\g<1>{name}", url, count=1)


def _wait_until_ready(found: Installation, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(found.address("/healthz")):
                if "vTeam is open" in log.read_text():
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless. A module's, because Django refuses to work while its loop is there."""
    assert Path(CHROMIUM).exists(), "these tests need chromium: tests/tools.sh says how to get it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def waits_longer(usual_ms: int, longer_ms: int) -> str:
    """A script for a page: waits of just so many milliseconds last longer, so that a busy machine is not given up."""
    return f"""
        const usually = window.setTimeout;
        window.setTimeout = (act, ms, ...more) => usually(act, ms === {usual_ms} ? {longer_ms} : ms, ...more);
    """


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens a browser of its own for one person; a script error or a blocked request fails the story."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_browser(*, language: str = "en-GB", phone: bool = True, **options: object) -> Page:
        size = PHONE if phone else DESK
        context = chromium.new_context(locale=language, **size, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda line: complaints.append(line.text) if _is_ours(line.type, line.text) else None
        )
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert not complaints, complaints


def _is_ours(kind: str, text: str) -> bool:
    """Errors of the console, but for the statuses a story asks for, and the network it takes away, on purpose."""
    meant = (
        "the server responded with a status of",
        "ERR_INTERNET_DISCONNECTED",
        "htmx:sendError",
        "htmx:afterRequest",
    )
    return kind == "error" and not any(part in text for part in meant)
