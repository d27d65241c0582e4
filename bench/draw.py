"""A draw among very many: frozen, announced, drawn and published; then done again by the command and in a browser.

Randomness is a real, recorded round of drand's quicknet. The command is timed as whoever checks a draw runs it, as a
process of its own; the browser from the press of the button. The two must draw whom we drew, or there is no figure.
"""

import datetime as dt
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson
from playwright.sync_api import Page, sync_playwright

from bench.crossing import CHROMIUM_ARGUMENTS
from bench.report import Report
from bench.tools import Misleading, browser
from vteam.rules import drawrecords
from vteam.rules.beacons import QUICKNET
from vteam.rules.draws import Entry
from vteam.web.assets import asset_file

T = TypeVar("T")
ENTRIES, QUICK_ENTRIES = 1_000_000, 100_000
ROUNDS, QUICK_ROUNDS = 5, 3
ROUND = 657_413
SIGNATURE = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
HOW_MANY, IN_LINE = 100, 100
BROWSER_SECONDS_MAX = 120


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    count, rounds = (QUICK_ENTRIES, QUICK_ROUNDS) if quick else (ENTRIES, ROUNDS)
    weights = {f"{secrets.token_hex(10)}": 1 + number % 5 for number in range(count)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "record.json"
        freeze_s, (entries, told) = _timed(lambda: _announced(weights))
        draw_s, record = _timed(lambda: drawrecords.record(told, entries, {"signature": SIGNATURE}))
        publish_s, size = _timed(lambda: file.write_bytes(orjson.dumps(record)))
        verify_s = [_timed(lambda: _by_command(file, record))[0] for _ in range(rounds)]
        browser_s = _in_browser(file, record, rounds)
    return Report(
        bench="draw",
        figures={
            "freeze_s": freeze_s,
            "draw_s": draw_s,
            "publish_s": publish_s,
            "verify_s": statistics.median(verify_s),
            "browser_verify_s": statistics.median(browser_s),
            "record_mib": size / 1024**2,
        },
        notes=[
            f"{count:,} entries of five weights, {HOW_MANY} drawn and {IN_LINE} next in line; {rounds} rounds"
        ],
    )


def _announced(weights: dict[str, int]) -> tuple[list[Entry], dict[str, Any]]:
    entries = [Entry(id_, weights[id_]) for id_ in sorted(weights)]
    told = drawrecords.announcement(
        campaign="bench",
        prize="bench",
        how_many=HOW_MANY,
        in_line=IN_LINE,
        entries=entries,
        at=dt.datetime.fromtimestamp(QUICKNET.time_of(ROUND) - 3_600, dt.UTC),
        randomness=drawrecords.from_beacon(QUICKNET, ROUND),
    )
    return entries, told


def _by_command(file: Path, record: dict[str, Any]) -> None:
    program = Path(sys.executable).with_name("vteam")
    command = [program, "draw", "verify", file, "--announced", record["announced"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BROWSER_SECONDS_MAX)
    first = done.stdout.find(record["order"][0])
    if done.returncode or first < 0 or record["order"][HOW_MANY - 1] not in done.stdout:
        raise Misleading(f"The command did not draw whom we drew: {done.stdout}{done.stderr}")


def _in_browser(file: Path, record: dict[str, Any], rounds: int) -> list[float]:
    program = browser()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        try:
            page = chromium.new_context(offline=True).new_page()
            page.set_default_timeout(BROWSER_SECONDS_MAX * 1000)
            page.goto(asset_file("draw.html").as_uri())
            return [_one_in_browser(page, file, record) for _ in range(rounds)]
        finally:
            chromium.close()


def _one_in_browser(page: Page, file: Path, record: dict[str, Any]) -> float:
    page.set_input_files("input[type=file]", file)
    page.fill("input[name=announced]", record["announced"])
    page.evaluate("delete document.querySelector('#result').dataset.took")
    page.click("form .go")
    page.wait_for_selector("#result[data-took]")
    winners = page.locator("#result ol li").all_inner_texts()
    if winners != record["order"][:HOW_MANY]:
        raise Misleading(f"The page did not draw whom we drew: {page.inner_text('#result')[:300]}")
    return float(page.get_attribute("#result", "data-took") or "nan") / 1000


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found
