"""What holds in single countries, in the browser: on the page of the rules, and where a winner says which is theirs."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from tests.cast import AT
from tests.web.prizestage import POSTER, RECORD, Stage, text
from vteam.campaigns.file import RulesEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.services import apply_campaign
from vteam.demo.opening import demo_folder, open_demo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("after_the_season")]


CONDITIONS = [
    {"country": "BE", "text": {"en": "A notary watches.", "fr": "Un notaire veille."}},
    {"country": "CH", "text": {"en": "Customs are on us.", "fr": "La douane est pour nous."}},
    {"country": "DE", "text": {"en": "From 18 on.", "fr": "À partir de 18 ans."}},
]


def with_conditions(campaign: Campaign) -> None:
    rules = RulesEntry.model_validate({"answers": "Petit Large", "conditions": CONDITIONS})
    campaign.document = campaign.file.model_copy(update={"rules": rules}).canonical()
    campaign.save(update_fields=["document"])


def test_a_winner_reads_what_holds_in_the_countries_their_prize_can_be_won_in() -> None:
    stage = Stage(RECORD, POSTER)
    with_conditions(stage.campaign)
    stage.settle()
    page = text(stage.client(stage.bo).get(stage.won(stage.bo)))
    assert "<summary>Belgium</summary>" in page
    assert "A notary watches." in page
    assert "Switzerland</summary>" not in page, "the record cannot be won there"
    nothing_asked = text(stage.client(stage.bo).get(stage.won(stage.bo, "poster")))
    assert "In these countries something more holds" not in nothing_asked
    assert not any(name in nothing_asked for name in ("Belgium", "Switzerland", "Germany"))


def test_the_rules_tell_country_by_country_what_holds_there() -> None:
    with time_machine.travel(AT):
        campaign = open_demo()
        rules = RulesEntry.model_validate({"answers": "Petit Large", "conditions": CONDITIONS})
        applied = campaign.file.model_copy(update={"rules": rules})
        apply_campaign(file=applied, folder=demo_folder(), at=AT + dt.timedelta(days=1))
    client = Client(headers={"Host": "localhost", "Accept-Language": "en"})
    page = text(client.get("/maree-haute/rules"))
    names = [page.index(f"<h3>{name}</h3>") for name in ("Belgium", "Germany", "Switzerland")]
    assert names == sorted(names)
    french = text(client.get("/fr/maree-haute/rules"))
    names = [french.index(f"<h3>{name}</h3>") for name in ("Allemagne", "Belgique", "Suisse")]
    assert names == sorted(names)
    assert "Un notaire veille." in french
    assert "A notary watches." not in text(client.get("/maree-haute/rules?version=1"))
