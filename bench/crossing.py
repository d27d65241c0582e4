"""A title that crosses from one page to another, and plainly from the site: seconds, in a real browser.

A fan's page stays open; each listener is a phone with a browser of its own (a context), that nobody used before. A
listener's time begins with the press of "get it" and ends when the page says that all of it is here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.tools import Misleading, browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
WAIT_MS_MAX = 10_000
CROSSING_MS_MAX = 30_000
# Pressed and watched in one go, by the page's own clock: no word of ours to the browser comes between.
TAKE = """([title, way, most]) => new Promise((here, broken) => {
    const part = document.querySelector(`[data-getting][data-ticket*="/${title}/"]`);
    const shown = () => [...part.querySelectorAll("[data-show]")].find((one) => !one.hidden)?.dataset.show;
    const begun = performance.now();
    new MutationObserver(() => {
        if (shown() === "whole") here((performance.now() - begun) / 1000);
        if (shown() === "trouble" || shown() === "withdrawn") broken(new Error(shown()));
    }).observe(part, { attributes: true, attributeFilter: ["hidden"], subtree: true });
    setTimeout(() => broken(new Error(`after ${most} ms: ${shown()}`)), most);
    part.querySelector(`[data-do=${way}]`).click();
})"""
FETCH = """async (address) => {
    const begun = performance.now();
    const answer = await fetch(address, { cache: "no-store" });
    const bytes = await answer.arrayBuffer();
    return [answer.status, bytes.byteLength, (performance.now() - begun) / 1000];
}"""


class Crossings:
    """One title of one fan, as it reaches others. `site`: the site's port; `heard`: bytes of the plain download."""

    def __init__(self, chromium: "Browser", *, site: int, slug: str, title: str) -> None:
        self._chromium, self._site, self._slug, self._title = chromium, site, slug, title
        self._link = ""
        self.heard = 0

    def opens(self, cookie: tuple[str, str]) -> None:
        """The signed-in fan opens the page the title leaves from, and lets it go straight too."""
        name, value = cookie
        page = self._phone()
        page.context.add_cookies([{"name": name, "value": value, "url": self._address("bo", "/")}])
        page.goto(self._address("bo", f"/{self._slug}/titles/{self._title}/pass-on"))
        self._is_open(page)
        page.locator("[data-direct]").check(force=True)
        page.locator("[data-show=loading]").wait_for(state="hidden")
        self._is_open(page)
        self._link = (
            page.locator(".passing__link").inner_text().strip().replace("bo.localhost", "cy.localhost")
        )

    def relayed(self) -> float:
        """Through the relay, into a fresh browser."""
        return self._taken("relay")

    def direct(self) -> float:
        """Straight, into a fresh browser."""
        return self._taken("direct")

    def plain(self) -> float:
        """The title's audio from the site, fetched by a page of a fresh browser to its last byte."""
        with self._listener() as page:
            status, self.heard, seconds = page.evaluate(
                FETCH, f"/{self._slug}/titles/{self._title}/listen.mp3"
            )
        if status != 200:
            raise Misleading(f"The title was answered {status}.")
        return float(seconds)

    def _taken(self, way: str) -> float:
        with self._listener() as page:
            return float(page.evaluate(TAKE, [self._title, way, CROSSING_MS_MAX]))

    @contextmanager
    def _listener(self) -> Iterator["Page"]:
        """A stranger who opened the fan's link."""
        page = self._phone()
        try:
            page.goto(self._link)
            page.locator(f"[data-getting][data-ticket*='/{self._title}/']").wait_for()
            yield page
        finally:
            page.context.close()

    def _phone(self) -> "Page":
        context: BrowserContext = self._chromium.new_context(locale="en-GB", **PHONE)
        context.set_default_timeout(WAIT_MS_MAX)
        return context.new_page()

    def _address(self, host: str, path: str) -> str:
        """In a demo folder each host name is a network of its own."""
        return f"http://{host}.localhost:{self._site}{path}"

    @staticmethod
    def _is_open(page: "Page") -> None:
        page.locator("[data-show=open]").wait_for()


@contextmanager
def crossings(*, site: int, slug: str, title: str) -> Iterator[Crossings]:
    """A browser while the block runs; CannotStart where there is none, Misleading when a page does not do its part."""
    program = browser()
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        try:
            yield Crossings(chromium, site=site, slug=slug, title=title)
        except Error as fault:
            raise Misleading(f"A page did not do what it should: {fault.message}") from fault
        finally:
            chromium.close()
