"""Passing on: a title leaves Bo's open page for a stranger's phone, and is worth 500, however it crosses."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.stories.conftest import PATIENCE_MS, Installation, Visit, running, waits_longer
from tests.stories.firefox import FIREFOX, firefox
from tests.stories.people import CAMPAIGN, agree, artist_comes, join, take_back

pytestmark = pytest.mark.browser
# A title takes about five seconds: it is under way long enough to be seen there, and to do something meanwhile.
SLOW_MIB_S = "0.35"
NO_WAY_STRAIGHT = "RTCPeerConnection.prototype.setRemoteDescription = async () => {}"
AS_IN_AN_APP = """
    delete window.RTCPeerConnection;
    Object.defineProperty(window, "indexedDB", {get() { throw new Error("none here") }});
    Object.defineProperty(window, "localStorage", {get() { throw new Error("none here") }});
"""
# As a page over plain http on another address has it.
WITHOUT_WEB_CRYPTO = "Object.defineProperty(crypto, 'subtle', {get: () => undefined})"
# What comes and goes is noted, and acted on, by the page itself: from outside a busy machine may look too late.
NOTES_WHAT_IT_SHOWS = """
part => {
    const noted = [];
    const note = () => {
        const shown = [...part.querySelectorAll("[data-show]")].find(each => each.checkVisibility());
        const percent = shown?.querySelector("[data-percent]")?.textContent ?? "";
        const now = `${shown?.dataset.show} ${percent}`.trim();
        if (now === noted.at(-1)) return;
        noted.push(now);
        part.dataset.showed = noted.join(", ");
    };
    new MutationObserver(note).observe(part, { subtree: true, childList: true, attributes: true });
}
"""
RELOADS_MIDWAY = """
() => new MutationObserver((_, observer) => {
    const shares = [...document.querySelectorAll("[data-done]")].map(line => line.style.getPropertyValue("--done"));
    if (!shares.some(share => share > 0.1 && share < 0.9)) return;
    observer.disconnect();
    location.reload();
}).observe(document.body, { subtree: true, childList: true, attributes: true })
"""
UNDER_WAY = re.compile(r"crossing [1-8]\d %")
DIRECT_MS = 6_000
"""So long a straight way is tried before the relay takes over."""
names = (f"bo{number}" for number in count(1))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory, database="passing_on", RELAY_MIB_S=SLOW_MIB_S) as found:
        yield found


@pytest.fixture(scope="module")
def _agreed(house: Installation, chromium: Browser) -> Iterator[Page]:
    """The artist's own page, where she agreed that everything may be heard, kept and passed on."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    artist = artist_comes(lambda **_: context.new_page(), house)
    for way in ("listen", "download", "pass-on"):
        agree(artist, way)
    yield artist
    context.close()


class Bo:
    """A fan of their own for each story, with the page they pass a title on from."""

    def __init__(self, page: Page, house: Installation) -> None:
        self.page, self.house, self.name = page, house, next(names)
        self.page.goto(self.address(f"{CAMPAIGN}/join"))
        join(self.page, house, address=f"{self.name}@example.org", name=self.name)

    def address(self, path: str) -> str:
        return self.house.address(path, host=f"{self.name}.localhost")

    def passes_on(self, title: str = "les-digues") -> "Bo":
        self.page.goto(self.address(f"{CAMPAIGN}/titles/{title}/pass-on"))
        expect(self.page.locator("[data-show=open]")).to_be_visible()
        return self

    def link(self, host: str) -> str:
        """What the code on the screen says, as somebody on another network opens it."""
        shown = self.page.locator(".passing__link").inner_text().strip()
        return shown.replace(f"{self.name}.localhost", f"{host}.localhost")

    def goes_straight(self) -> None:
        self.page.locator("[data-direct]").check(force=True)
        expect(self.page.locator("[data-show=open]")).to_be_visible()

    def points(self) -> int:
        self.page.goto(self.address(f"{CAMPAIGN}/points"))
        return sum(
            int(re.sub(r"\D", "", text)) for text in self.page.locator(".story__points").all_inner_texts()
        )


@pytest.fixture
def bo(house: Installation, _agreed: Page, visit: Visit) -> Bo:
    return Bo(visit(), house)


def getting(page: Page, title: str = "les-digues") -> Locator:
    """A title's part of the landing page."""
    return page.locator(f"[data-getting][data-ticket*='/{title}/']")


def take(page: Page, way: str = "relay", title: str = "les-digues") -> Locator:
    """Somebody presses "get it"; the part of the page where it happens, which notes what it shows."""
    part = getting(page, title)
    part.evaluate(NOTES_WHAT_IT_SHOWS)
    if way == "direct":
        part.locator("summary").click()
    part.locator(f"[data-do={way}]").click()
    return part


def showed(part: Locator, what: str | re.Pattern[str]) -> None:
    """Waits until a part shows something, or has shown it since somebody pressed there."""
    expect(part).to_have_attribute("data-showed", re.compile(what))


@contextmanager
def reloading_midway(page: Page) -> Iterator[None]:
    """The page is reloaded when what begins here is under way on it; afterwards it is there again."""
    with page.expect_event("load"):
        page.evaluate(RELOADS_MIDWAY)
        yield


def only_loopback() -> bool:
    """Whether this is a network namespace of the tests' own: its browsers think that they are offline anyway."""
    return {name for _, name in socket.if_nameindex()} == {"lo"}


def is_here(part: Locator) -> None:
    expect(part.locator("[data-show=whole]")).to_be_visible()


def saved(page: Page, part: Locator, path: Path) -> bytes:
    with page.expect_download() as download:
        part.locator("[data-save]").click()
    assert download.value.suggested_filename == "Lune Noire - Les digues.mp3"
    download.value.save_as(path)
    return path.read_bytes()


def test_a_stranger_gets_the_title_from_bos_page_and_bo_reads_plus_500(
    bo: Bo, visit: Visit, tmp_path: Path
) -> None:
    bo.passes_on()
    cy = visit(language="fr-FR")
    cy.goto(bo.link("cy"))
    assert cy.context.cookies() == []
    part = take(cy)
    is_here(part)
    showed(part, "crossing")
    copy = saved(cy, part, tmp_path / "copy.mp3")
    assert re.search(rf"http://{bo.name}\.localhost:\d+/r/[a-z2-9]{{10}}".encode(), copy[:65_536])
    # It plays from what crossed over.
    part.locator("audio").evaluate("sound => sound.play()")
    cy.wait_for_function("() => document.querySelector('[data-sound]').currentTime > 0.2")
    assert cy.context.cookies() == []
    expect(bo.page.locator(".thread")).to_contain_text("The whole title left your device at")
    counted = bo.page.locator("#counted-list")
    expect(counted).to_contain_text("“Les digues” went whole from you to someone else")
    expect(counted).to_contain_text("+500")
    # Cy stayed and played, so they arrived as well.
    assert bo.points() >= 500


def test_straight_from_device_to_device_where_both_chose_it(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    bo.goes_straight()
    cy = visit()
    cy.goto(bo.link("cy"))
    part = take(cy, "direct")
    expect(part).to_contain_text("straight")
    is_here(part)
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")
    # One who did not choose it gets it through the relay.
    di = visit()
    di.goto(bo.link("di"))
    is_here(take(di))


@pytest.mark.parametrize("way", ["relay", "direct"])
def test_a_firefox_gets_it_from_a_chromium(bo: Bo, tmp_path: Path, way: str) -> None:
    assert Path(FIREFOX).exists(), "this test needs firefox-esr: tests/tools.sh says how to get it"
    bo.passes_on()
    bo.goes_straight()
    with firefox(tmp_path) as cy:
        cy.goto(bo.link("cy"))
        if not only_loopback():
            cy.run(f"{{ {waits_longer(DIRECT_MS, 5 * DIRECT_MS)} }}")
        part = "[data-getting][data-ticket*='/les-digues/']"
        if way == "direct":
            cy.press(f"{part} summary")
        cy.press(f"{part} [data-do={way}]")
        cy.wait_for(f"!document.querySelector(`{part} [data-show=whole]`).hidden")
        shown = cy.run(
            f"[...document.querySelectorAll(`{part} [data-way]`)].find(e => !e.hidden).dataset.way"
        )
    # Firefox finds no straight way over loopback alone; then the relay has taken over.
    assert shown == ("relay" if only_loopback() else way)
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")


def test_where_there_is_no_straight_way_the_relay_takes_over(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    bo.goes_straight()
    cy = visit()
    cy.add_init_script(NO_WAY_STRAIGHT)
    cy.goto(bo.link("cy"))
    begun = time.monotonic()
    is_here(take(cy, "direct"))
    assert time.monotonic() - begun > DIRECT_MS / 1_000
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")


def test_without_web_crypto_it_is_signed_all_the_same(bo: Bo, visit: Visit) -> None:
    bo.page.add_init_script(WITHOUT_WEB_CRYPTO)
    bo.passes_on()
    bo.goes_straight()
    cy = visit()
    cy.add_init_script(WITHOUT_WEB_CRYPTO)
    cy.goto(bo.link("cy"))
    is_here(take(cy, "direct"))
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")


def test_in_an_apps_browser_that_keeps_nothing_it_works_too(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    cy = visit()
    cy.add_init_script(AS_IN_AN_APP)
    cy.goto(bo.link("cy"))
    expect(getting(cy).locator("[data-can-direct]")).to_be_hidden()
    is_here(take(cy))


def test_two_at_once_and_one_who_leaves_midway_and_comes_back(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    cy, di = visit(), visit()
    for page, host in ((di, "di"), (cy, "cy")):
        page.goto(bo.link(host))
    take(di)
    with reloading_midway(cy):
        take(cy)
    expect(bo.page.get_by_text("They left before the end").locator("visible=true")).to_be_visible()
    is_here(getting(di))
    is_here(take(cy))
    whole = bo.page.locator("[data-done-words]").locator("visible=true")
    expect(whole).to_have_count(2)
    # Who has it whole gets it from their own browser the next time.
    cy.reload()
    is_here(take(cy))
    expect(bo.page.locator("#counted-list .story")).to_have_count(2)


def test_bos_reload_fetches_nothing_again_and_goes_on(bo: Bo, visit: Visit) -> None:
    asked: list[str] = []
    bo.page.on("request", lambda request: asked.append(request.url))
    bo.passes_on()
    assert sum(url.endswith("/pass-on/copy") for url in asked) == 1
    cy = visit()
    cy.goto(bo.link("cy"))
    with reloading_midway(bo.page):
        part = take(cy)
    expect(bo.page.locator("[data-show=open]")).to_be_visible()
    is_here(part)
    assert sum(url.endswith("/pass-on/copy") for url in asked) == 1
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")


def test_a_network_that_is_gone_is_noticed_and_come_back_to(bo: Bo, visit: Visit) -> None:
    if only_loopback():
        pytest.skip("with nothing but loopback a browser is never told that it went offline")
    bo.passes_on()
    bo.page.context.set_offline(True)
    expect(bo.page.locator("[data-show=away]")).to_be_visible()
    bo.page.context.set_offline(False)
    expect(bo.page.locator("[data-show=open]")).to_be_visible(timeout=40_000)
    cy = visit()
    cy.goto(bo.link("cy"))
    part = take(cy)
    showed(part, UNDER_WAY)
    cy.context.set_offline(True)
    expect(part.locator("[data-show=looking]")).to_be_visible()
    cy.context.set_offline(False)
    expect(part.locator("[data-show=whole]")).to_be_visible(timeout=40_000)
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")


def test_one_person_at_both_ends_earns_nothing(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    # Signed in, it is their own link; signed out and at another network, it is still their own browser.
    other = bo.page.context.new_page()
    other.goto(bo.link(bo.name))
    expect(other.locator("[data-getting]")).to_have_count(0)
    browser = bo.page.evaluate("localStorage.getItem('vteam-browser')")
    again = visit()
    again.add_init_script(f"localStorage.setItem('vteam-browser', '{browser}')")
    again.goto(bo.link("elsewhere"))
    is_here(take(again))
    counted = bo.page.locator("#counted-list")
    expect(counted).to_contain_text("your own")
    expect(counted).not_to_contain_text("+500")


def test_bo_is_away_and_is_asked_where_they_allow_it(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    cy = visit()
    cy.goto(bo.link("cy"))
    bo.page.get_by_role("button", name="People may ask me").click()
    expect(bo.page.get_by_role("button", name="Nobody may ask me any more")).to_be_visible()
    bo.page.goto(bo.address(f"{CAMPAIGN}/home"))
    cy.reload()
    part = take(cy)
    expect(part).to_contain_text("is not passing on “Les digues” right now")
    part.get_by_role("button", name=f"Ask {bo.name} for it").click()
    cy.wait_for_url("**/asked/*")
    expect(cy.locator("main")).to_contain_text("at the next visit")
    assert cy.context.cookies() == []
    bo.page.reload()
    bo.page.get_by_role("link", name="Somebody asked you for “Les digues”").click()
    expect(bo.page.locator("main")).to_contain_text("They can read that you are here now")
    cy.reload()
    expect(cy.locator("main")).to_contain_text("Try it now")
    cy.get_by_role("link", name=f"To {bo.name}’s page").click()
    is_here(take(cy))


def test_who_waits_gets_it_when_bos_page_opens(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    link = bo.link("cy")
    bo.page.get_by_role("button", name="Stop", exact=True).click()
    expect(bo.page.locator("[data-show=stopped]")).to_be_visible()
    cy = visit()
    cy.goto(link)
    part = take(cy)
    expect(part).to_contain_text("is not passing on “Les digues” right now")
    bo.page.get_by_role("button", name="Pass it on again").click()
    is_here(part)


def test_the_artist_takes_it_back_midway_and_both_pages_say_so(bo: Bo, _agreed: Page, visit: Visit) -> None:
    bo.passes_on("phare-eteint")
    cy, di = visit(), visit(language="fr-FR")
    cy.goto(bo.link("cy"))
    is_here(take(cy, title="phare-eteint"))
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")
    di.goto(bo.link("di"))
    part = take(di, title="phare-eteint")
    showed(part, "crossing")
    take_back(_agreed, "pass-on", "Phare éteint")
    expect(bo.page.locator("[data-show=withdrawn]")).to_be_visible()
    ended = part.locator("[data-show=withdrawn], [data-show=whole]").locator("visible=true")
    expect(ended).to_be_visible()
    expect(bo.page.locator("#counted-list")).to_contain_text("+500")
    answer = bo.page.goto(bo.address(f"{CAMPAIGN}/titles/phare-eteint/pass-on"))
    assert answer is not None
    assert answer.url.endswith("/permission")
    assert bo.points() >= 500
    agree(_agreed, "pass-on")


def test_without_a_script_the_page_reads_well_and_offers_nothing_it_cannot_do(bo: Bo, visit: Visit) -> None:
    bo.passes_on()
    cy = visit(java_script_enabled=False)
    cy.goto(bo.link("cy"))
    expect(cy.locator("[data-getting]").first).to_be_hidden()
    expect(cy.locator("audio").first).to_be_visible()


def test_one_person_plays_it_all_on_the_demos_stage(house: Installation, _agreed: Page, visit: Visit) -> None:
    page = visit(phone=False)
    page.goto(house.address("/demo"))
    assert page.url.startswith("http://demo.localhost:")
    bo, cy, artist = (page.frame_locator("iframe").nth(number) for number in range(3))
    expect(bo.locator("[data-show=open]")).to_be_visible()
    title = bo.locator("h1").inner_text()
    part = cy.locator("[data-getting]").first
    part.locator("[data-do=relay]").click()
    expect(part.locator("[data-show=whole]")).to_be_visible()
    expect(bo.locator("#counted-list")).to_contain_text("+500")
    way = artist.locator("section.card").filter(has=page.get_by_role("heading", name=title, exact=True))
    back = way.locator("details:has([name=way][value=pass-on]):has([name=act][value=withdrawn])")
    back.locator("summary").click()
    back.locator("button").click()
    expect(bo.locator("[data-show=withdrawn]")).to_be_visible()
    expect(part.locator("[data-taken-back]")).to_be_visible()
    expect(bo.locator("#counted-list")).to_contain_text("+500")
    # For the other stories she changes her mind.
    _agreed.reload()
    agree(_agreed, "pass-on")


def test_the_books_hold_after_all_of_it(house: Installation) -> None:
    verified, replayed = house.command("verify"), house.command("replay")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
