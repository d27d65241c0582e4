"""What people of the stories do on pages again and again."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.stories.conftest import Installation, Visit
from vteam import clock

CAMPAIGN = "/maree-haute"
SEASON_SECONDS = 25


def join(
    page: Page, installation: Installation, *, address: str, name: str, comes_to: str = "**/home"
) -> None:
    """From the form to the fan's home, or where they came from, with the code from the mailbox."""
    page.locator("[name=address]").fill(address)
    page.locator("[name=name]").fill(name)
    page.locator("[name=age][value=yes]").check(force=True)
    page.locator("main form button").last.click()
    page.locator("[name=code]").fill(installation.code_for(address))
    page.locator("main form button").last.click()
    page.wait_for_url(comes_to)


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


# The season's end ------------------------------------------------------------------------------------------------
def bo_is_first(visit: Visit, place: Installation) -> Page:
    """Bo joins, downloads a title the artist has agreed to, and is alone in the ranking: his phone."""
    agree(artist_comes(visit, place), "download")
    bo = visit()
    bo.goto(place.address(f"{CAMPAIGN}/join", host="bo.localhost"))
    join(bo, place, address="bo@example.org", name="Bo")
    bo.goto(place.address(f"{CAMPAIGN}/titles", host="bo.localhost"))
    with bo.expect_download():
        bo.locator("a[href*='les-digues/copy.mp3']").first.click()
    bo.goto(place.address(f"{CAMPAIGN}/home", host="bo.localhost"))
    expect(bo.locator("#points")).to_have_text("50")
    return bo


def organiser_comes(visit: Visit, place: Installation) -> Page:
    """Ana takes the link she was handed: her pages."""
    ana = visit(phone=False)
    invited = place.command("organiser", "invite", "maree-haute", "--name", "Ana")
    link = re.search(r"/organise/invitation/\S+", invited.stdout)
    assert link, invited.stdout + invited.stderr
    ana.goto(place.address(link[0], host="ana.localhost"))
    ana.locator("main a.pill, main form button").first.click()
    sign_in(ana, place, address="ana@example.org")
    ana.locator("main form button").first.click()
    ana.wait_for_url("**/organise")
    return ana


def ends_soon(text: str) -> str:
    """A campaign file whose season ends in a moment; its result is final at once."""
    now = clock.now().astimezone(ZoneInfo("Europe/Paris")).replace(tzinfo=None, microsecond=0)
    ends = now + dt.timedelta(seconds=SEASON_SECONDS)
    for key, moment in {"release": now, "ends": ends, "settled": ends}.items():
        text = re.sub(rf"(?m)^{key} *=.*$", f"{key} = {moment.isoformat()}", text, count=1)
    return text


def apply(place: Installation, text: str) -> None:
    """Ana applies her file, as she has written it now."""
    (place.folder / "campaign.toml").write_text(text)
    applied = place.command("campaign", "apply", "--yes", str(place.folder))
    assert applied.returncode == 0, applied.stdout + applied.stderr


def open_what_was_won(fan: Page, place: Installation, prize: str) -> None:
    """At one of their next visits a fan reads what they have won, and opens it."""
    won = fan.get_by_role("link", name=re.compile(f"You have won “{prize}"))
    for _ in range(60):
        fan.goto(place.address(f"{CAMPAIGN}/home", host="bo.localhost"))
        if won.count():
            break
        fan.wait_for_timeout(1_000)
    expect(fan.locator("main")).to_contain_text("this result is final")
    won.click()
