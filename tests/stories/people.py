"""What people of the stories do on pages again and again."""

from playwright.sync_api import Page

from tests.stories.conftest import Installation, Visit

CAMPAIGN = "/maree-haute"


def join(page: Page, installation: Installation, *, address: str, name: str) -> None:
    """From the form to the fan's home, with the code from the mailbox."""
    page.locator("[name=address]").fill(address)
    page.locator("[name=name]").fill(name)
    page.locator("[name=age][value=yes]").check(force=True)
    page.locator("main form button").last.click()
    page.locator("[name=code]").fill(installation.code_for(address))
    page.locator("main form button").last.click()
    page.wait_for_url("**/home")


def sign_in(page: Page, installation: Installation, *, address: str) -> None:
    """With a code, wherever the page to come back to is."""
    page.locator("[name=address]").fill(address)
    page.locator("main form button").last.click()
    page.locator("[name=code]").fill(installation.code_for(address))
    page.locator("main form button").last.click()
    page.wait_for_load_state()


def artist_comes(visit: Visit, installation: Installation) -> Page:
    """The artist takes the link Ana was given and signs in: her page."""
    artist = visit(phone=False)
    artist.goto(installation.address(installation.invitation(), host="mira.localhost"))
    artist.locator("main a.pill, main form button").first.click()
    sign_in(artist, installation, address="mira@example.org")
    artist.locator("main form button").first.click()
    artist.wait_for_url("**/holder/*")
    return artist


def agree(artist: Page, way: str) -> None:
    """She agrees to one way for every title."""
    buttons = artist.locator(f"form:has([name=way][value={way}]):has([name=act][value=agreed]) button")
    while buttons.count():
        buttons.first.click()
        artist.wait_for_load_state()


def take_back(artist: Page, way: str, title: str) -> None:
    """She takes one way of one title back."""
    card = artist.locator("section.card").filter(has=artist.get_by_role("heading", name=title, exact=True))
    part = card.locator(f"details:has([name=way][value={way}]):has([name=act][value=withdrawn])")
    part.locator("summary").click()
    part.locator("button").click()
    artist.wait_for_load_state()
