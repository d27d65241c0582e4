"""A resident meets the campaign where they are: a kiosk is put up and touched, and Bo says that it was him."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.services.worlds import NADIA, OPENSIMULATOR, signed
from tests.stories.conftest import Installation, Visit, running
from tests.stories.people import CAMPAIGN, join, organiser_comes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory, database="worlds") as found:
        yield found


@dataclass
class InWorld:
    """An object on somebody's land: it knows the address of the door, and what enrolling gave it."""

    base: str
    key: str = ""
    secret: str = ""

    def send(self, name: str, content: dict[str, str]) -> tuple[int, dict[str, Any]]:
        path, body = f"/world/v1/{name}", json.dumps(content)
        headers = OPENSIMULATOR | {"Content-Type": "application/json"}
        headers |= signed(self.key, self.secret, path, body) if self.key else {}
        request = urllib.request.Request(self.base + path, body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def choose(self, choice: str) -> dict[str, Any]:
        resident = {"avatar": NADIA, "name": "Nadia Resident", "language": "fr"}
        status, page = self.send("action", resident | {"choice": choice})
        assert status == 200, page
        return page


@pytest.mark.browser
def test_a_resident_answers_at_a_kiosk_and_bo_says_that_it_was_him(place: Installation, visit: Visit) -> None:
    # Ana puts a kiosk up; its code is shown to her once.
    ana = organiser_comes(visit, place)
    ana.get_by_role("link", name="Virtual worlds").click()
    ana.locator("[name=world]").select_option("opensimulator")
    ana.locator("[name=place]").fill("The Ska Club")
    ana.get_by_role("button", name="Get its code").click()
    expect(ana.locator(".field__wrong")).to_contain_text("Which grid or server is it on?")
    ana.locator("[name=grid]").fill("OSgrid")
    ana.get_by_role("button", name="Get its code").click()
    code = ana.locator(".door__code").inner_text()
    with ana.expect_download() as script:
        ana.get_by_role("link", name="The kiosk’s script").first.click()
    assert place.address("") in script.value.path().read_text()

    # Somebody types it into an object on their land; a resident touches it.
    kiosk = InWorld(place.address(""))
    status, given = kiosk.send("enrol", {"code": code})
    assert status == 200, given
    kiosk.key, kiosk.secret = given["key"], given["secret"]
    asked = kiosk.choose("mission:kitchen-quiz")
    assert asked["text"].startswith("Laquelle des trois chansons")
    answer = next(choice for choice, label in asked["choices"] if label == "Phare éteint")
    assert "C'est la réponse" in kiosk.choose(answer)["text"]
    address = kiosk.choose("link")["open"]["address"]

    # Bo opens the address on his phone: he is no fan yet, joins, and is back there.
    bo, theirs = visit(), re.sub(r"^http://[^/]+", "", address)
    bo.goto(place.address(theirs, host="bo.localhost"))
    expect(bo.locator("main")).to_contain_text("Nadia Resident, in OSgrid")
    expect(bo.locator("main")).to_contain_text("What they did there before counts too.")
    bo.get_by_role("link", name="Join", exact=True).click()
    join(bo, place, address="bo@example.org", name="Bo", comes_to="**/world/link/*")
    bo.get_by_role("button", name="Yes, that is me").click()
    expect(bo.locator("main")).to_contain_text("Nadia Resident")
    bo.goto(place.address(f"{CAMPAIGN}/home", host="bo.localhost"))
    expect(bo.locator("#points")).to_have_text("100")
    expect(bo.locator("main")).to_contain_text("You answered a question in a virtual world")
    bo.goto(place.address(theirs, host="bo.localhost"))
    expect(bo.locator("h1")).to_have_text("This address is no longer good.")

    # The kiosk greets him, and Ana sees what was done, and closes it.
    assert kiosk.choose("home")["text"].startswith("Bo\u00a0: 100 points")
    ana.goto(place.address(f"{CAMPAIGN}/organise/worlds", host="ana.localhost"))
    expect(ana.locator("main")).to_contain_text("1 by fans")
    ana.get_by_role("link", name="The Ska Club").click()
    ana.get_by_text("Close this kiosk").click()
    ana.get_by_role("button", name="Yes, close it").click()
    expect(ana.locator("main")).to_contain_text("This kiosk is closed")
    status, said = kiosk.send("touch", {"avatar": NADIA})
    assert (status, "kiosk is closed" in said["text"]) == (403, True)
