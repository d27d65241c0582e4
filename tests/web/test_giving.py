"""Prizes as organisers see them: who gives them and alone reads addresses, the tables, taking one back."""

import pytest

from tests.cast import AT
from tests.services.winners import prize
from tests.web.prizestage import AT_HOME, RECORD, TOLD, Stage, text
from vteam.campaigns.models import Organiser
from vteam.campaigns.organisers import invite, take_invitation
from vteam.prizes.claims import details_of
from vteam.prizes.models import Sender
from vteam.rules.prizes import State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("after_the_season")]


def test_one_organiser_at_a_time_reads_addresses_and_the_others_see_who() -> None:
    stage = Stage(RECORD, prize(key="thanks"))
    stage.settle()
    stage.client(stage.bo).post(stage.won(stage.bo), {**TOLD, "age": "adult", "act": "claim"})
    secret = invite(campaign=stage.campaign, name="Di", at=AT)
    assert secret is not None
    take_invitation(secret=secret, person=stage.cy.person)
    ana, di, record = stage.client(stage.ana), stage.client(stage.cy), f"{AT_HOME}/record"
    assert "Nobody yet." in text(ana.get(record))
    for _ in range(2):
        assert ana.post(f"{record}/give")["Location"] == record
    assert "You do, since" in text(ana.get(record))
    assert ana.get(f"{record}/to-send.pdf").content.startswith(b"%PDF")
    page = text(di.get(record))
    assert "Ana does, since" in page
    assert "rue du Port" not in page
    for file in ("to-send.csv", "to-send.pdf"):
        assert di.get(f"{record}/{file}")["Location"] == record
    di.post(f"{record}/give")
    assert "rue du Port" in text(di.get(record))
    page = text(ana.get(record))
    assert "Di does, since" in page
    assert "rue du Port" not in page
    assert Sender.objects.count() == 2
    Organiser.objects.filter(name="Di").delete()
    assert "rue du Port" not in text(ana.get(record)), "who gave it before does not read it again by that"
    assert ana.post(f"{AT_HOME}/thanks/give").status_code == 404
    assert stage.client(stage.bo).post(f"{record}/give").status_code == 404


def test_a_cell_of_the_table_is_never_a_formula() -> None:
    stage = Stage(RECORD)
    stage.settle()
    evil = {**TOLD, "name": "=HYPERLINK(1)", "street": "@SUM(1)", "age": "adult", "act": "claim"}
    stage.client(stage.bo).post(stage.won(stage.bo), evil)
    stage.client(stage.ana).post(f"{AT_HOME}/record/give")
    split = {**evil, "name": "Cy", "street": "x;=HYPERLINK(1)", "town": "y\t+1"}
    stage.client(stage.cy).post(stage.won(stage.cy), split)
    assert details_of(stage.offer(stage.bo))["name"] == "=HYPERLINK(1)"
    table = stage.client(stage.ana).get(f"{AT_HOME}/record/to-send.csv").content.decode()
    assert "'=HYPERLINK(1)" in table
    assert "'@SUM(1)" in table
    assert ";" not in table
    assert "'x,=HYPERLINK(1)" in table


def test_ana_sees_how_every_prize_stands_and_takes_one_back() -> None:
    stage = Stage(RECORD, prize(key="maybe", confirmed=False))
    stage.settle()
    ana = stage.client(stage.ana)
    page = text(ana.get(AT_HOME))
    assert "2 offered" in page
    assert "not confirmed: nobody is offered it" in page
    its = stage.offer(stage.bo)
    ana.post(f"{AT_HOME}/record", {"offer": its.pk, "step": 0, "to": "withdrawn", "note": "two accounts"})
    assert "two accounts" in text(stage.client(stage.bo).get(stage.won(stage.bo)))
    assert ana.post(f"{AT_HOME}/record", {"offer": its.pk, "step": 1, "to": "claimed"}).status_code == 409
    assert ana.post(f"{AT_HOME}/record", {"offer": its.pk, "step": 1, "to": "nonsense"}).status_code == 409
    assert ana.post(f"{AT_HOME}/record", {"offer": its.pk, "step": 1, "to": "offered"}).status_code == 302
    assert stage.offer(stage.bo).state == State.OFFERED
    assert ana.get(f"{AT_HOME}/nothing").status_code == 404
