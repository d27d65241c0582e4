"""A campaign, end to end: Ana opens it, the artist agrees, Bo joins, shares and climbs, Cy listens and joins."""

import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.stories.conftest import Installation, Visit
from tests.stories.people import CAMPAIGN, agree, artist_comes, join, take_back


def status_of(address: str, *, cookies: str = "") -> int:
    """The status of a plain request."""
    request = urllib.request.Request(address, headers={"Cookie": cookies})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


@pytest.mark.browser
def test_bo_joins_shares_and_climbs_above_cy_until_the_artist_takes_a_title_back(
    installation: Installation, visit: Visit, tmp_path: Path
) -> None:
    # Before the artist agrees nothing is offered.
    listen = installation.address(f"{CAMPAIGN}/titles/les-digues/listen.mp3")
    assert status_of(listen) == 404

    # The artist comes by the link Ana was given, signs in, and agrees to everything for every title.
    artist = artist_comes(visit, installation)
    agree(artist, "listen")
    agree(artist, "download")
    assert status_of(listen) == 200

    # Bo joins, without any cookie before he typed his address.
    bo = visit()
    bo.goto(installation.address(f"{CAMPAIGN}/", host="bo.localhost"))
    bo.goto(installation.address(f"{CAMPAIGN}/join", host="bo.localhost"))
    assert bo.context.cookies() == []
    join(bo, installation, address="bo@example.org", name="Bo")

    # He makes a link for the ska forum.
    bo.goto(installation.address(f"{CAMPAIGN}/links", host="bo.localhost"))
    bo.locator("[name=place]").fill("the ska forum")
    bo.locator("main form button").first.click()
    bo.wait_for_url("**/links/*")
    found = re.search(r"http://[^\s\"<]+/r/[a-z2-9]{10}", bo.content())
    assert found
    link = found[0]
    bo.goto(installation.address(f"{CAMPAIGN}/home", host="bo.localhost"))

    # Cy opens it on a phone, in French, hears a title and joins.
    cy = visit(language="fr-FR")
    cy.goto(link.replace("bo.localhost", "cy.localhost"))
    assert "/l/" in cy.url
    expect(cy.locator("html")).to_have_attribute("lang", "fr")
    expect(cy.locator("main")).to_contain_text("Publicité")
    expect(cy.locator("main")).to_contain_text("Bo")
    cy.wait_for_timeout(1_200)
    cy.locator("[data-player] button").first.click()
    cy.wait_for_function("() => [...document.querySelectorAll('audio')].some(a => a.currentTime > 0.2)")
    assert cy.context.cookies() == []

    # Bo's open page, which asks every second, says so.
    expect(bo.locator("main")).to_contain_text("the ska forum")
    cy.locator("a[href*='/join']").first.click()
    join(cy, installation, address="cy@example.org", name="Cy")
    expect(bo.locator("main")).to_contain_text("Cy joined because of you")

    # He downloads his own copy: his link is inside, and it counts.
    bo.goto(installation.address(f"{CAMPAIGN}/titles", host="bo.localhost"))
    with bo.expect_download() as download:
        bo.locator("a[href*='les-digues/copy.mp3']").first.click()
    copy = tmp_path / "copy.mp3"
    download.value.save_as(copy)
    assert download.value.suggested_filename == "Lune Noire - Les digues.mp3"
    assert re.search(rb"http://bo\.localhost:\d+/r/[a-z2-9]{10}", copy.read_bytes()[:65_536])
    bo.goto(installation.address(f"{CAMPAIGN}/home", host="bo.localhost"))
    expect(bo.locator("main")).to_contain_text("600")
    bo.goto(installation.address(f"{CAMPAIGN}/points", host="bo.localhost"))
    lines = bo.locator("main").inner_text()
    assert "You downloaded “Les digues”" in lines
    assert "Someone came from “the ska forum”" in lines
    assert "Cy joined because of you" in lines

    # He stands above Cy.
    bo.goto(installation.address(f"{CAMPAIGN}/ranking", host="bo.localhost"))
    ranking = bo.locator("main").inner_text()
    assert ranking.index("Bo") < ranking.index("Cy")

    # The artist takes the title back: at once the copy and the player answer 410, kindly; the points stay.
    take_back(artist, "download", "Les digues")
    response = bo.goto(installation.address(f"{CAMPAIGN}/titles/les-digues/copy.mp3", host="bo.localhost"))
    assert response is not None
    assert response.status == 410
    expect(bo.locator("main")).to_contain_text("stays yours")
    bo.goto(installation.address(f"{CAMPAIGN}/points", host="bo.localhost"))
    expect(bo.locator("main")).to_contain_text("600")

    # The books hold, and the journal gives them again.
    verified, replayed = installation.command("verify"), installation.command("replay")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
