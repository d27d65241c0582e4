"""A season ends while everybody looks on: Bo has won, claims it on his phone, Ana sends it, and it comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.stories.conftest import Installation, Visit, running
from tests.stories.people import CAMPAIGN, apply, bo_is_first, ends_soon, open_what_was_won, organiser_comes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory, database="prizes") as found:
        yield found


@pytest.mark.browser
def test_bo_wins_a_record_claims_it_on_his_phone_and_ana_sends_it(place: Installation, visit: Visit) -> None:
    bo = bo_is_first(visit, place)

    # Without any mission one can take part in the draw; and in the ranking Bo is the first.
    bo.goto(place.address(f"{CAMPAIGN}/prizes", host="bo.localhost"))
    bo.get_by_role("button", name="Take part without missions").click()
    expect(bo.locator("main")).to_contain_text("You take part, without missions.")

    # The season ends by the server's clock; the result is final at once, and Bo reads what he has won.
    ana = organiser_comes(visit, place)
    apply(place, ends_soon((place.folder / "campaign.toml").read_text()))
    open_what_was_won(bo, place, "Marée haute on vinyl")
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
        ana.get_by_role("link", name="as a table").click()
    assert "Roscoff" in Path(table.value.path()).read_text(encoding="utf-8-sig")
    ana.locator("[name=note]").first.fill("by post, on Monday")
    ana.get_by_role("button", name="It is sent, or given").click()
    expect(ana.locator("main")).to_contain_text("sent")

    bo.reload()
    expect(bo.locator("h1")).to_have_text("It is on its way.")
    expect(bo.locator("main")).to_contain_text("by post, on Monday")
    bo.get_by_role("button", name="It has come").click()
    expect(bo.locator("h1")).to_have_text("It has come.")
