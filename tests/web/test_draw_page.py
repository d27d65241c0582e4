"""The page that checks a draw: one file, opened from a disk with the network off; it says what the command says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.rules.test_beacons import ROUNDS
from tests.rules.test_drawrecords import BEACON, COMMITTED, ROUND, SECRETS, TOLD, changed, of_commitments
from tests.web.axe import findings
from vteam.rules.drawrecords import checked
from vteam.web.assets import asset_file

TWO = of_commitments({name: SECRETS[name] for name in ("Ana", "Cy")})
BROKEN = {
    "number of winners": changed(BEACON, TOLD, "how_many", to=4),
    "round": changed(BEACON, TOLD, "randomness", "round", to=ROUND + 1),
    "moment": changed(BEACON, TOLD, "announced_at", to="2036-09-15T00:00:00Z"),
    "field": changed(BEACON, TOLD, "more", to=1),
    "beacon": changed(BEACON, TOLD, "randomness", "chain", to="00"),
    "source": changed(BEACON, TOLD, "randomness", "from", to="dice"),
    "hash": changed(BEACON, "announced", to="00" * 32),
    "weight": changed(BEACON, "entries", 7, 1, to=9),
    "id": changed(BEACON, "entries", 7, 0, to="e006x"),
    "order of ids": changed(BEACON, "entries", 7, 0, to="e005"),
    "no entries": changed(BEACON, "entries", to=[]),
    "signature": changed(BEACON, "randomness", "signature", to=ROUNDS[1000][0]),
    "no signature": changed(BEACON, "randomness", to=[]),
    "no point": changed(BEACON, "randomness", "signature", to="ff" * 48),
    "infinity": changed(BEACON, "randomness", "signature", to="c0" + "00" * 47),
    "not of the group": changed(BEACON, "randomness", "signature", to="80" + "00" * 46 + "04"),
    "winners": changed(BEACON, "order", to=list(reversed(BEACON["order"]))),
    "secret": changed(COMMITTED, "randomness", "revealed", "Bo", to="b1" * 32),
    "stranger": changed(COMMITTED, "randomness", "revealed", "Dee", to="d0" * 32),
    "too few": changed(COMMITTED, "randomness", "revealed", to={"Ana": SECRETS["Ana"]}),
    "late": changed(COMMITTED, TOLD, "randomness", "reveal_until", to="2020-01-01T00:00:00Z"),
    "no day": changed(BEACON, TOLD, "announced_at", to="2023-02-30T00:00:00Z"),
    "one more field of the source": changed(BEACON, TOLD, "randomness", "more", to=1),
    "half a character": changed(BEACON, TOLD, "prize", to="\ud800"),
    "too heavy": changed(BEACON, TOLD, "weight", to=2**53),
    "no list": changed(COMMITTED, TOLD, "randomness", "contributors", to="Ana"),
    "nothing": None,
}


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844}, offline=True)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda asked: refuse(asked.url))
        page.goto(asset_file("draw.html").as_uri())
        yield page
        browser.close()


def refuse(address: str) -> None:
    assert address.startswith("file:"), address


def check(page: Page, record: Any, announced: str = "") -> str:
    """What the page says of a record."""
    content = json.dumps(record).encode()
    page.set_input_files(
        "input[type=file]", {"name": "record.json", "mimeType": "application/json", "buffer": content}
    )
    page.fill("input[name=announced]", announced)
    page.evaluate("document.querySelector('#result').replaceChildren()")
    page.click("form .go")
    page.wait_for_selector("#result h2")
    return page.inner_text("#result")


@pytest.mark.parametrize("record", [BEACON, COMMITTED, TWO])
def test_it_draws_whom_the_command_draws(page: Page, record: dict[str, Any]) -> None:
    said = check(page, record, record["announced"])
    assert "This record holds." in said
    found = checked(record)
    assert page.locator("#result ol li").all_inner_texts() == list(found.order[:3])
    assert record["announced"] in said
    for name in found.left_out:
        assert f"{name} did not reveal, and was left out as announced." in said


@pytest.mark.parametrize("what", BROKEN)
def test_it_finds_what_the_command_finds_in_the_same_words(page: Page, what: str) -> None:
    said = check(page, BROKEN[what]).replace("\u2019", "'")
    assert "This record does not hold." in said
    faults = [f"✗ the {fault.part}: {fault.wrong}" for fault in checked(BROKEN[what]).faults]
    assert faults
    assert [line for line in said.splitlines() if line.startswith("✗")] == faults


def test_the_hash_that_was_published_tells_another_announcement(page: Page) -> None:
    said = check(page, BEACON, "ab" * 32)
    assert "it is another one than was published" in said


def test_it_is_read_in_both_languages_and_axe_finds_nothing(page: Page) -> None:
    check(page, BEACON)
    english = page.inner_text("main")
    assert findings(page) == []
    page.click("button[data-language=fr]")
    french = page.inner_text("main")
    assert "Ce procès-verbal tient." in french
    assert not set(english.splitlines()) & set(french.splitlines()) - {
        *BEACON["order"],
        "",
        "English français",
    }
    assert findings(page) == []
    check(page, changed(BEACON, "order", to=[]))
    assert "✗ l’ordre" in page.inner_text("#result")
    page.click("button[data-language=en]")
