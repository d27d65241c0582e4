"""A season ends while everybody looks on: Bo has won, claims it on his phone, Ana sends it, and it comes."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.stories.conftest import Installation, Visit, running
from tests.stories.people import CAMPAIGN, agree, artist_comes, join, sign_in
from vteam import clock

SEASON_SECONDS = 25


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory, database="prizes") as found:
        yield found


def end_soon(place: Installation) -> None:
    """Ana writes into her file that the season ends in a moment, and that the record is sent by post."""
    path, here = place.folder / "campaign.toml", ZoneInfo("Europe/Paris")
    text, now = path.read_text(), clock.now().astimezone(here).replace(tzinfo=None, microsecond=0)
    moments = {"release": now, "ends": now + dt.timedelta(seconds=SEASON_SECONDS)}
    moments["settled"] = moments["ends"]
    for key, moment in moments.items():
        text = re.sub(rf"(?m)^{key} *=.*$", f"{key} = {moment.isoformat()}", text, count=1)
    text = text.replace('key = "signed-record"\n', 'key = "signed-record"\nneeds = "address"\n')
    path.write_text(text)
    applied = place.command("campaign", "apply", "--yes", str(place.folder))
    assert applied.returncode == 0, applied.stdout + applied.stderr


@pytest.mark.browser
def test_bo_wins_a_record_claims_it_on_his_phone_and_ana_sends_it(place: Installation, visit: Visit) -> None:
    agree(artist_comes(visit, place), "download")
    bo = visit()
    bo.goto(place.address(f"{CAMPAIGN}/join", host="bo.localhost"))
    join(bo, place, address="bo@example.org", name="Bo")
    bo.goto(place.address(f"{CAMPAIGN}/titles", host="bo.localhost"))
    with bo.expect_download():
        bo.locator("a[href*='les-digues/copy.mp3']").first.click()
    bo.goto(place.address(f"{CAMPAIGN}/home", host="bo.localhost"))
    expect(bo.locator("#points")).to_have_text("50", timeout=15_000)

    # Without any mission one can take part in the draw; and in the ranking Bo is the first.
    bo.goto(place.address(f"{CAMPAIGN}/prizes", host="bo.localhost"))
    bo.get_by_role("button", name="Take part without missions").click()
    expect(bo.locator("main")).to_contain_text("You take part, without missions.")

    # Ana comes by the link she was handed.
    ana = visit(phone=False)
    invited = place.command("organiser", "invite", "maree-haute", "--name", "Ana")
    link = re.search(r"/organise/invitation/\S+", invited.stdout)
    assert link, invited.stdout + invited.stderr
    ana.goto(place.address(link[0], host="ana.localhost"))
    ana.locator("main a.pill, main form button").first.click()
    sign_in(ana, place, address="ana@example.org")
    ana.locator("main form button").first.click()
    ana.wait_for_url("**/organise")

    # The season ends by the server's clock; the result is final at once, and Bo reads what he has won.
    end_soon(place)
    home = place.address(f"{CAMPAIGN}/home", host="bo.localhost")
    for _ in range(60):
        bo.goto(home)
        if bo.get_by_role("link", name=re.compile("You have won “Marée haute on vinyl")).count():
            break
        bo.wait_for_timeout(1_000)
    expect(bo.locator("main")).to_contain_text("this result is final")
    bo.get_by_role("link", name=re.compile("You have won “Marée haute on vinyl")).click()
    expect(bo.locator("h1")).to_have_text("You have won.")
    told = {"name": "Bo Le Goff", "street": "3 rue du Port", "postcode": "29680", "town": "Roscoff"}
    for name, value in told.items():
        bo.locator(f"[name={name}]").fill(value)
    bo.locator("[name=country]").select_option("FR")
    bo.locator("[name=age][value=adult]").check(force=True)
    bo.get_by_role("button", name="Claim it").click()
    expect(bo.locator("h1")).to_have_text("It is yours.")

    # Ana finds the address, sends it, and says so.
    ana.get_by_role("link", name="Prizes", exact=True).first.click()
    ana.get_by_role("link", name="Marée haute on vinyl, signed").click()
    ana.get_by_role("button", name="I give it").click()
    expect(ana.locator("main address")).to_contain_text("3 rue du Port")
    with ana.expect_download() as table:
        ana.get_by_role("link", name="what is to be sent, as a table").click()
    assert "Roscoff" in Path(table.value.path()).read_text(encoding="utf-8-sig")
    ana.locator("[name=note]").first.fill("by post, on Monday")
    ana.get_by_role("button", name="It is sent, or given").click()
    expect(ana.locator("main")).to_contain_text("sent")

    bo.reload()
    expect(bo.locator("h1")).to_have_text("It is on its way.")
    expect(bo.locator("main")).to_contain_text("by post, on Monday")
    bo.get_by_role("button", name="It has come").click()
    expect(bo.locator("h1")).to_have_text("It has come.")
