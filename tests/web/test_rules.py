"""The page with the rules of the contest, and every version of it."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from tests.cast import AT
from tests.web.prizestage import (
    RECORD,
    text,
)
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.services import apply_campaign
from vteam.demo.opening import demo_folder, open_demo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("after_the_season")]


def test_the_rules_follow_from_the_file_and_every_version_of_them_stays() -> None:
    with time_machine.travel(AT):
        campaign = open_demo()
        applied = campaign.file.model_copy(
            update={
                "prizes": (*campaign.file.prizes, PrizeEntry.model_validate({**RECORD, "key": "another"}))
            }
        )
        apply_campaign(file=applied, folder=demo_folder(), at=AT + dt.timedelta(days=1))
    client = Client(headers={"Host": "localhost", "Accept-Language": "en"})
    page = text(client.get("/maree-haute/rules"))
    assert "Only in: Belgium, France." in page
    assert "La Criée, Port-Lierre · 2 places · may be given on" in page
    assert "about 30 €" in page
    assert "Petit Large, 3 rue du Port" in page
    assert "one button on the page of the prizes takes part" in page
    assert "Version 2, in force since" in page
    before = text(client.get("/maree-haute/rules?version=1"))
    assert "Only in:" not in before
    assert "Version 1, in force since" in before
    for wrong in ("3", "0", "x", "1" * 30):
        assert client.get(f"/maree-haute/rules?version={wrong}").status_code == 404
    french = text(client.get("/fr/maree-haute/rules"))
    assert "Seulement dans ces pays" in french
    assert "Belgique, France" in french
