"""A prize's supplier in the browser: the link Ana hands over, what they read, and what everybody reads then."""

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.cast import AT
from tests.services.winners import give, prize
from tests.web.prizestage import AT_HOME, SAME, Stage, text
from vteam.campaigns.services import apply_campaign
from vteam.demo.opening import demo_folder, open_demo
from vteam.prizes.models import SupplierWord
from vteam.prizes.offers import offer_due
from vteam.prizes.queries import prize_of
from vteam.prizes.suppliers import make_link

pytestmark = pytest.mark.django_db(transaction=True)
UNSURE = prize(confirmed=False, value="about 30 €", first=None, kind="milestone", milestone=500, how_many=3)


@pytest.fixture(autouse=True)
def _in_the_season() -> Any:
    with time_machine.travel(AT, tick=True):
        yield


def link(stage: Stage) -> str:
    """What Ana gets by pressing the button on the prize's page."""
    ana = stage.client(stage.ana)
    assert 'action="/maree-haute/organise/prizes/record/supplier"' in text(ana.get(f"{AT_HOME}/record"))
    found = re.search(r"/supplier/[\w-]+", text(ana.post(f"{AT_HOME}/record/supplier")))
    assert found
    return found[0]


def say(client: Client, address: str, said: str, **of: str) -> Any:
    seen = re.search(r'name="seen" value="(\w+)"', client.get(address).text)
    return client.post(
        address, {"said": said, "name": "La Cale", "seen": seen[1] if seen else "0" * 64, **of}
    )


def test_a_supplier_reads_what_they_are_asked_to_give_and_confirms_it() -> None:
    stage = Stage(UNSURE)
    address, visitor = link(stage), stage.client()
    page = text(visitor.get(address))
    for told in ("A record", "On vinyl.", "about 30 €", "Petit Large", "Marée haute", "Do you give this?"):
        assert told in page
    assert "from 16 November to 10 January" in page
    assert not SupplierWord.objects.exists(), "opening a link changes nothing"
    nameless = say(visitor, address, "yes", name=" ")
    assert nameless.status_code == 422
    assert "Write who says so" in text(nameless)
    assert say(visitor, address, "yes").status_code == 302
    assert "You give this. Thank you." in text(visitor.get(address))
    assert visitor.cookies == {}
    assert "confirmed by La Cale, 20 November" in text(visitor.get("/maree-haute/prizes"))
    ana = stage.client(stage.ana)
    assert "confirmed by La Cale, 20 November" in text(ana.get(AT_HOME))
    assert "Yes, we give this" in text(ana.get(f"{AT_HOME}/record/supplier"))
    assert offer_due(at=AT) == 2
    page = text(visitor.get(address))
    assert "cannot be taken back here" in page
    assert "We take it back" not in page
    assert say(visitor, address, "no").status_code in (409, 410)


def test_the_rules_say_who_confirmed_what_each_version_promised() -> None:
    campaign = open_demo()
    entry = prize_of(campaign, "soundcheck")
    assert entry is not None
    secret = make_link(campaign=campaign, prize=entry, at=AT)
    client = Client(headers={"Host": "localhost", "Accept-Language": "en", **SAME})
    assert "not certain yet" in text(client.get("/maree-haute/rules"))
    assert say(client, f"/supplier/{secret}", "yes").status_code == 302
    for public in ("rules", "prizes", ""):
        page = text(client.get(f"/maree-haute/{public}"))
        assert "confirmed by La Cale, 20 November" in page
        assert "not certain yet" not in page
    reworded = entry.model_copy(update={"supplied_by": "La Cale sèche"})
    prizes = tuple(reworded if each.key == entry.key else each for each in campaign.file.prizes)
    file = campaign.file.model_copy(update={"prizes": prizes})
    apply_campaign(file=file, folder=demo_folder(), at=AT + dt.timedelta(days=1))
    assert "for an earlier wording" in text(client.get("/maree-haute/rules"))
    assert "for an earlier wording" not in text(client.get("/maree-haute/rules?version=1"))


def test_pages_tell_a_suppliers_word_from_the_organisers() -> None:
    stage = Stage(prize(), prize(key="maybe", confirmed=False))
    page = text(stage.client().get("/maree-haute/prizes"))
    assert "confirmed by the organiser" in page
    assert "not certain yet" in page
    address, visitor = link(stage), stage.client()
    assert say(visitor, address, "no").status_code == 302
    assert "You do not give this." in text(visitor.get(address))
    assert "confirmed by" not in text(visitor.get("/maree-haute/prizes"))
    ana = stage.client(stage.ana)
    assert "whatever you say yourselves" in text(ana.get(f"{AT_HOME}/record"))
    assert "its supplier says no" in text(ana.get(AT_HOME))


def test_an_earlier_wording_is_told_and_asked_about_again() -> None:
    stage = Stage(UNSURE)
    address, visitor = link(stage), stage.client()
    say(visitor, address, "yes")
    give(stage.campaign, {**UNSURE, "value": "about 40 €"})
    page = text(visitor.get("/maree-haute/prizes"))
    assert "not certain yet" in page
    assert "confirmed by La Cale on 20 November, for an earlier wording" in page
    assert "ask them again" in text(stage.client(stage.ana).get(f"{AT_HOME}/record"))
    assert "that is no longer good" in text(visitor.get(address))
    stale = visitor.post(
        address, {"said": "yes", "name": "La Cale", "seen": SupplierWord.objects.get().sha256}
    )
    assert stale.status_code == 409
    assert "worded differently meanwhile" in text(stale)
    assert say(visitor, address, "yes").status_code == 302


def test_a_yes_is_taken_back_by_the_same_link() -> None:
    stage = Stage(UNSURE)
    address, visitor = link(stage), stage.client()
    say(visitor, address, "yes")
    link(stage)
    assert "We take it back" in text(visitor.get(address)), "though Ana made another link"
    assert say(visitor, address, "no").status_code == 302
    assert "its supplier does not give it" in text(visitor.get("/maree-haute/prizes"))


def test_whoever_organises_does_not_speak_for_a_supplier() -> None:
    stage = Stage(UNSURE)
    address, ana = link(stage), stage.client(stage.ana)
    page = text(ana.get(address))
    assert "You organise this campaign" in page
    assert "Yes, we give this" not in page
    assert say(ana, address, "yes").status_code == 200
    assert not SupplierWord.objects.exists()


def test_only_organisers_make_links_and_a_replaced_one_is_gone() -> None:
    stage = Stage(UNSURE)
    for client in (stage.client(), stage.client(stage.bo)):
        assert client.post(f"{AT_HOME}/record/supplier").status_code in (302, 404)
    assert stage.client(stage.ana).post(f"{AT_HOME}/nothing/supplier").status_code == 404
    first, second = link(stage), link(stage)
    assert stage.client().get(first).status_code == 410
    assert stage.client().post(first, {"said": "yes", "name": "x", "seen": "x"}).status_code == 410
    answer = stage.client().get(second)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    assert "can be answered until 20 December" in text(
        stage.client(stage.ana).get(f"{AT_HOME}/record/supplier")
    )


def test_a_link_has_no_language_and_is_read_in_the_readers() -> None:
    stage = Stage(UNSURE)
    made = stage.client(stage.ana).post(f"/fr{AT_HOME}/record/supplier").text
    address = re.search(r'href="(/supplier/[\w-]+)">http://localhost/supplier/', made)
    assert address
    for language in ("en", "fr"):
        page = stage.client().get(address[1], headers={"Accept-Language": language})
        assert f'<html lang="{language}">' in page.text


def test_what_they_say_wrongly_is_refused() -> None:
    stage = Stage(UNSURE)
    address, visitor = link(stage), stage.client()
    assert say(visitor, address, "perhaps").status_code == 422
    long = say(visitor, address, "yes", name="x" * 81)
    assert "too long" in text(long)
    shown = say(visitor, address, "yes", name="<b>La\nCale</b>")
    assert shown.status_code == 302
    assert "confirmed by &lt;b&gt;La Cale&lt;/b&gt;" in text(visitor.get("/maree-haute/prizes"))
