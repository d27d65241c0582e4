"""Prizes as fans see them: what there is, claiming it, a parent's link, downloading it, leaving it to others."""

import re

import pytest
import time_machine
from django.test import Client

from tests.cast import AT
from tests.services.winners import open_with, places, prize
from tests.web.prizestage import AT_HOME, POSTER, RECORD, STICKER, TOLD, Stage, text
from vteam import clock
from vteam.campaigns.files import store
from vteam.prizes.offers import offer_due
from vteam.rules.prizes import State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("after_the_season")]


def test_everybody_sees_what_there_is_and_how_much_is_left() -> None:
    stage = Stage(RECORD, POSTER, prize(key="maybe", confirmed=False))
    with time_machine.travel(AT):
        page = text(stage.client().get("/maree-haute/prizes"))
    assert "about 30 €" in page
    assert "3 left" in page
    assert "not certain yet" in page
    assert "The season is over" not in page
    stage.settle()
    assert "this result is final" in text(stage.client().get("/maree-haute/prizes"))
    assert "There is nothing to win" in text(Stage_without().get("/maree-basse/prizes"))


def Stage_without() -> Client:
    open_with(slug="maree-basse")
    return Client(headers={"Host": "localhost", "Accept-Language": "en"})


def test_a_winner_claims_what_they_won_and_ana_sends_it() -> None:
    stage = Stage(RECORD)
    stage.settle()
    bo, ana = stage.client(stage.bo), stage.client(stage.ana)
    assert "You have won it: claim it" in text(bo.get("/maree-haute/prizes"))
    page = text(bo.get(stage.won(stage.bo)))
    assert "You have won." in page
    assert "France" in page
    assert "Germany" not in page
    lacking = bo.post(stage.won(stage.bo), {**TOLD, "town": "", "age": "", "country": "DE", "act": "claim"})
    assert lacking.status_code == 422
    for said in (
        "Without it we cannot give it to you.",
        "Say how old you are.",
        "It cannot be won there.",
    ):
        assert said in text(lacking)
    assert 'value="3 rue du Port"' in text(lacking), "what was typed stays"
    assert (
        bo.post(
            stage.won(stage.bo), {**TOLD, "age": "adult", "shows_name": "yes", "act": "claim"}
        ).status_code
        == 302
    )
    assert "It is yours." in text(bo.get(stage.won(stage.bo)))
    assert "Won by Bo" in text(stage.client().get("/maree-haute/prizes"))
    # Ana's side
    assert "3 rue du Port" not in text(ana.get(f"{AT_HOME}/record")), "she has not taken it on"
    ana.post(f"{AT_HOME}/record/give")
    page = text(ana.get(f"{AT_HOME}/record"))
    assert "3 rue du Port" in page
    table = ana.get(f"{AT_HOME}/record/to-send.csv").content.decode()
    assert "1,Bo,Bo Le Goff,3 rue du Port,,29680,Roscoff,FR" in table
    its = stage.offer(stage.bo)
    sent = {"offer": its.pk, "step": its.step, "to": "sent", "note": "by post"}
    assert ana.post(f"{AT_HOME}/record", sent).status_code == 302
    assert ana.post(f"{AT_HOME}/record", sent).status_code == 409, "it was sent once"
    page = text(bo.get(stage.won(stage.bo)))
    assert "It is on its way." in page
    assert "by post" in page
    bo.post(stage.won(stage.bo), {"act": "received"})
    assert stage.offer(stage.bo).state == State.RECEIVED
    bo.post(stage.won(stage.bo), {"act": "not-received"})
    assert stage.offer(stage.bo).state == State.SENT


WALLPAPER = prize(
    key="wallpaper", kind="milestone", first=None, milestone=500, file="wallpaper.png", name="A wallpaper"
)


def test_a_file_is_downloaded_by_who_has_won_it_and_nobody_else() -> None:
    stage = Stage(WALLPAPER)
    content = b"\x89PNG and more"
    stage.campaign.gifts = {"wallpaper": [store(content), len(content)]}
    stage.campaign.save(update_fields=["gifts"])
    stage.settle()
    bo, page = stage.client(stage.bo), stage.won(stage.bo, "wallpaper")
    assert bo.get(f"{page}/file").status_code == 404, "not claimed yet"
    bo.post(page, {"age": "adult", "act": "claim"})
    assert "Download it (13 bytes)" in text(bo.get(page))
    asked = bo.head(f"{page}/file")
    asked.close()
    assert asked.status_code == 200
    assert stage.offer(stage.bo, "wallpaper").state == State.CLAIMED, "asking about it takes nothing"
    for _ in range(2):
        answer = bo.get(f"{page}/file")
        assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
        assert answer["Content-Disposition"] == 'attachment; filename="wallpaper.png"'
        assert answer["Content-Type"] == "application/octet-stream"
        assert stage.offer(stage.bo, "wallpaper").state == State.RECEIVED
    assert "It is yours." in text(bo.get(page))
    assert bo.post(page, {"act": "not-received"}).status_code == 404
    assert stage.client(stage.cy).get(f"{page}/file").status_code == 404
    assert stage.client().get(f"{page}/file").status_code == 302
    assert 'value="sent"' not in text(stage.client(stage.ana).get(f"{AT_HOME}/wallpaper"))


def test_nobody_says_that_something_has_come_which_was_not_sent() -> None:
    stage = Stage(prize())
    stage.settle()
    bo = stage.client(stage.bo)
    bo.post(stage.won(stage.bo), {"age": "adult", "act": "claim"})
    assert bo.post(stage.won(stage.bo), {"act": "received"}).status_code == 404
    assert stage.offer(stage.bo).state == State.CLAIMED


def test_nobody_but_its_winner_sees_a_claim_and_nobody_but_organisers_an_address() -> None:
    stage = Stage(RECORD)
    stage.settle()
    address = stage.won(stage.bo)
    assert stage.client(stage.cy).get(address).status_code == 404
    assert stage.client().get(address).status_code == 302
    for path in (AT_HOME, f"{AT_HOME}/record", f"{AT_HOME}/record/to-send.csv"):
        assert stage.client(stage.bo).get(path).status_code == 404
        assert stage.client().get(path).status_code == 302
    answer = stage.client(stage.bo).get(address)
    assert answer["Cache-Control"] == "private, no-store"


def test_a_minor_hands_a_parent_a_link_and_is_never_named() -> None:
    stage = Stage(prize())
    stage.settle()
    bo = stage.client(stage.bo)
    page = text(bo.post(stage.won(stage.bo), {"age": "minor", "shows_name": "yes", "act": "claim"}))
    link = re.search(r"/parent/[\w-]+", page)
    assert link
    assert stage.offer(stage.bo).state == State.OFFERED
    bo.post(link[0])
    assert stage.offer(stage.bo).state == State.OFFERED, "nobody is their own parent"
    parent = stage.client()
    assert "Bo has won something." in text(parent.get(link[0]))
    assert stage.offer(stage.bo).state == State.OFFERED, "opening a link changes nothing"
    assert "The prize is Bo’s." in text(parent.post(link[0]))
    assert stage.offer(stage.bo).state == State.CLAIMED
    assert parent.get(link[0]).status_code == 410
    assert "Won by" not in text(stage.client().get("/maree-haute/prizes"))
    assert parent.cookies == {}


def test_declining_is_undone_while_there_is_one_left() -> None:
    stage = Stage(prize())
    stage.settle()
    bo = stage.client(stage.bo)
    bo.post(stage.won(stage.bo), {"act": "decline"})
    assert "You left it to others." in text(bo.get(stage.won(stage.bo)))
    bo.post(stage.won(stage.bo), {"act": "back"})
    assert "You have won." in text(bo.get(stage.won(stage.bo)))
    assert bo.post(stage.won(stage.bo), {"act": "nonsense"}).status_code == 404


def test_what_was_offered_to_others_meanwhile_is_not_had_back() -> None:
    stage = Stage(prize(first=1))
    stage.settle()
    bo, ana = stage.client(stage.bo), stage.client(stage.ana)
    bo.post(stage.won(stage.bo), {"act": "decline"})
    assert "I would like it after all" in text(bo.get(stage.won(stage.bo)))
    offer_due(at=clock.now())
    page = text(bo.get(stage.won(stage.bo)))
    assert "It was offered to others: none is left." in page
    assert "I would like it after all" not in page
    assert 'value="offered"' not in text(ana.get(f"{AT_HOME}/record")), "nothing is left to offer again"


def test_where_and_when_a_concert_is_stands_everywhere_before_anything_is_claimed() -> None:
    stage = Stage(places(given_on=True))
    stage.settle()
    bo = stage.client(stage.bo)
    for page in ("/maree-haute/prizes", stage.won(stage.bo)):
        said = text(bo.get(page))
        assert "Saturday 13 February 2027" in said, page
        assert "La Cale sèche, Nantes" in said
        assert "2 places · may be given on" in said


def test_who_comes_first_takes_the_last_one() -> None:
    stage = Stage(STICKER)
    over = stage.client(stage.cy).post("/maree-haute/prizes/sticker/take")
    assert over["Location"] == "/maree-haute/prizes", "the season is over"
    with time_machine.travel(AT):
        assert "I take one" in text(stage.client(stage.bo).get("/maree-haute/prizes"))
        taken = stage.client(stage.cy).post("/maree-haute/prizes/sticker/take")
        late = stage.client(stage.bo).post("/maree-haute/prizes/sticker/take")
    assert taken["Location"] == stage.won(stage.cy, "sticker")
    assert late["Location"] == "/maree-haute/prizes"
    assert "I take one" not in text(stage.client(stage.bo).get("/maree-haute/prizes"))
    assert "0 left" in text(stage.client(stage.bo).get("/maree-haute/prizes"))
    assert stage.client().post("/maree-haute/prizes/sticker/take").status_code == 302
    assert stage.client(stage.bo).post("/maree-haute/prizes/nothing/take").status_code == 404


def test_a_prize_for_adults_is_for_adults() -> None:
    stage = Stage(prize(minimum_age=21))
    stage.settle()
    bo = stage.client(stage.bo)
    page = text(bo.get(stage.won(stage.bo)))
    assert "I am 21 or over" in page
    assert "a parent has to agree" not in page
    assert bo.post(stage.won(stage.bo), {"age": "minor", "act": "claim"}).status_code == 422


def test_a_winner_finds_it_at_their_next_visit_without_any_permission() -> None:
    stage = Stage(prize())
    assert "You have won" not in text(stage.client(stage.bo).get("/maree-haute/home"))
    stage.settle()
    assert "You have won “A record”: claim it by" in text(stage.client(stage.bo).get("/maree-haute/home"))
    stage.client(stage.bo).post(stage.won(stage.bo), {"age": "adult", "act": "claim"})
    assert "You have won" not in text(stage.client(stage.bo).get("/maree-haute/home"))
