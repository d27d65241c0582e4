"""Prizes in the browser: what there is, claiming it, a parent's link, giving it, and the draw everybody can check."""

import datetime as dt
import json
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.cast import AT, join
from tests.rules.test_beacons import ROUNDS
from tests.services.winners import SETTLED, earn, offered, open_with, places, prize, settle
from vteam import clock
from vteam.campaigns.file import PrizeEntry
from vteam.campaigns.files import store
from vteam.campaigns.models import Campaign, Organiser
from vteam.campaigns.organisers import invite, take_invitation
from vteam.campaigns.services import apply_campaign
from vteam.demo.opening import demo_folder, open_demo
from vteam.people.models import Fan
from vteam.prizes.claims import details_of
from vteam.prizes.models import Draw, Offer, Sender
from vteam.prizes.offers import offer_due
from vteam.prizes.rounds import Failed, try_failed
from vteam.rules.beacons import QUICKNET
from vteam.rules.drawrecords import checked, commitment_to
from vteam.rules.prizes import State

pytestmark = pytest.mark.django_db(transaction=True)
SAME = {"Sec-Fetch-Site": "same-origin"}
RECORD = prize(needs="address", countries=["FR", "BE"], value="about 30 €")
POSTER = prize(key="poster", kind="milestone", first=None, milestone=500, how_many=3)
STICKER = prize(key="sticker", kind="first-come", first=None, how_many=1, name="A sticker")
SOUNDCHECK = prize(key="soundcheck", kind="draw", first=None, how_many=1, name="The soundcheck")
TOLD = {
    "name": "Bo Le Goff",
    "street": "3 rue du Port",
    "more": "",
    "postcode": "29680",
    "town": "Roscoff",
    "country": "FR",
}
AT_HOME = "/maree-haute/organise/prizes"


class Stage:
    """A campaign whose result is final, Bo who has won, Ana who organises it."""

    def __init__(self, *prizes: dict[str, Any]) -> None:
        self.campaign: Campaign = open_with(*prizes)
        self.bo: Fan = join(self.campaign.pk, "Bo")
        self.cy: Fan = join(self.campaign.pk, "Cy")
        self.ana: Fan = join(self.campaign.pk, "Ana")
        secret = invite(campaign=self.campaign, name="Ana", at=AT)
        assert secret is not None
        take_invitation(secret=secret, person=self.ana.person)
        earn(self.campaign, self.bo, 2)
        earn(self.campaign, self.cy)

    def settle(self) -> None:
        settle(self.campaign)
        offer_due(at=SETTLED)

    def client(self, fan: Fan | None = None) -> Client:
        found = Client(headers={"Host": "localhost", "Accept-Language": "en", **SAME})
        if fan is not None:
            found.force_login(fan.person)
        return found

    def offer(self, fan: Fan, key: str = "record") -> Offer:
        return Offer.objects.get(fan=fan, prize=key)

    def won(self, fan: Fan, key: str = "record") -> str:
        return f"/maree-haute/prizes/won/{self.offer(fan, key).pk}"


@pytest.fixture(autouse=True)
def _after_the_season() -> Any:
    with time_machine.travel(SETTLED + dt.timedelta(hours=1), tick=True):
        yield


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


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


SECRETS = {"Ana": "a1" * 32, "Cy": "c7" * 32}


def announce(stage: Stage, **of: Any) -> Any:
    lines = "\n".join(f"{name} {commitment_to(name, secret)}" for name, secret in SECRETS.items())
    form = {"act": "announce", "source": "commitments", "hours": 2, "commitments": lines, "at_least": ""}
    return stage.client(stage.ana).post(f"{AT_HOME}/soundcheck/draw", {**form, **of})


def test_a_draw_is_announced_done_and_checked_by_anybody() -> None:
    stage = Stage(SOUNDCHECK)
    with time_machine.travel(AT):
        assert "Take part without missions" in text(stage.client(stage.ana).get("/maree-haute/prizes"))
        stage.client(stage.ana).post("/maree-haute/prizes/soundcheck/enter")
        assert "You take part, without missions." in text(stage.client(stage.ana).get("/maree-haute/prizes"))
    assert announce(stage).status_code == 409
    assert "The result is not final yet" in text(announce(stage))
    stage.settle()
    assert announce(stage, commitments="Ana and nothing else").status_code == 422
    assert announce(stage).status_code == 302
    assert "cannot be announced twice" in text(announce(stage))
    page = text(stage.client(stage.cy).get("/maree-haute/prizes/soundcheck/draw"))
    hashed = re.search(r"[0-9a-f]{64}", page)
    assert hashed
    assert "<dd>3</dd>" in page
    assert "Your entry" in page
    assert "Your entry" not in text(stage.client().get("/maree-haute/prizes/soundcheck/draw"))
    frozen = stage.client().get("/maree-haute/prizes/soundcheck/draw.json")
    assert len(json.loads(b"".join(frozen.streaming_content))["entries"]) == 3  # type: ignore[attr-defined]
    door, ana = f"{AT_HOME}/soundcheck/draw", stage.client(stage.ana)
    wrong = ana.post(door, {"act": "draw", "came": f"Ana {'b0' * 32}"})
    assert "That is not what was announced." in text(wrong)
    few = ana.post(door, {"act": "draw", "came": f"Ana {SECRETS['Ana']}"})
    assert "It is kept." in text(few)
    assert "Has revealed already: Ana" in text(stage.client().get("/maree-haute/prizes/soundcheck/draw"))
    came = "\n".join(f"{name} {secret}" for name, secret in SECRETS.items())
    assert ana.post(door, {"act": "draw", "came": came}).status_code == 302
    assert "cannot be drawn twice" in text(ana.post(door, {"act": "draw", "came": came}))
    answer = stage.client().get("/maree-haute/prizes/soundcheck/draw.json")
    found = checked(json.loads(b"".join(answer.streaming_content)), announced=hashed[0])  # type: ignore[attr-defined]
    assert found.faults == ()
    offer_due(at=clock.now())
    assert len(offered(stage.campaign, "soundcheck")) == 1
    page = stage.client().get("/draw.html")
    assert page["Content-Disposition"].startswith("attachment")


def test_a_beacon_is_named_by_its_round_and_its_own_answer_draws() -> None:
    """The recorded round is of 2023: for this test its season is."""
    stage = Stage(SOUNDCHECK)
    stage.settle()
    round_ = 657_413
    before = dt.datetime.fromtimestamp(QUICKNET.time_of(round_) - 7_200, dt.UTC)
    with time_machine.travel(before, tick=False):
        assert announce(stage, source="beacon", hours=2).status_code == 302
    door, ana = f"{AT_HOME}/soundcheck", stage.client(stage.ana)
    assert f"/{QUICKNET.chain}/public/{round_}" in text(ana.get(door))
    refused = ana.post(door + "/draw", {"act": "draw", "came": ROUNDS[1000][0]})
    assert "That is not what was announced." in text(refused)
    answer = json.dumps({"round": round_, "signature": ROUNDS[round_][0], "randomness": ROUNDS[round_][1]})
    assert ana.post(door + "/draw", {"act": "draw", "came": answer}).status_code == 302
    assert f"round {round_} of drand" in text(stage.client().get("/maree-haute/prizes/soundcheck/draw"))


def test_ana_reads_when_a_round_is_fetched_by_itself_and_that_it_could_not_be(settings: Any) -> None:
    stage = Stage(SOUNDCHECK)
    stage.settle()
    round_ = 657_413
    before = dt.datetime.fromtimestamp(QUICKNET.time_of(round_) - 7_200, dt.UTC)
    ana = stage.client(stage.ana)
    with time_machine.travel(before, tick=False):
        announce(stage, source="beacon", hours=2)
        assert "fetched by itself" not in text(ana.get(f"{AT_HOME}/soundcheck")), "no server is named"
        settings.BEACON = "https://ana:s3cret@drand.example"
        page = text(ana.get(f"{AT_HOME}/soundcheck"))
    assert "It is fetched by itself as soon as it is there, on 15 September, 13:00" in page
    assert "drand.example" not in page
    try_failed(draw=Draw.objects.get(), why=Failed.SLOW, at=SETTLED)
    page = text(ana.get(f"{AT_HOME}/soundcheck"))
    assert "It could not be fetched since 00:00 (the server is too slow): paste it." in page
    assert "asked for again from 00:01 on" in page
    assert 'name="came"' in page


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


def test_a_prize_for_adults_is_for_adults() -> None:
    stage = Stage(prize(minimum_age=21))
    stage.settle()
    bo = stage.client(stage.bo)
    page = text(bo.get(stage.won(stage.bo)))
    assert "I am 21 or over" in page
    assert "a parent has to agree" not in page
    assert bo.post(stage.won(stage.bo), {"age": "minor", "act": "claim"}).status_code == 422


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


def test_a_winner_finds_it_at_their_next_visit_without_any_permission() -> None:
    stage = Stage(prize())
    assert "You have won" not in text(stage.client(stage.bo).get("/maree-haute/home"))
    stage.settle()
    assert "You have won “A record”: claim it by" in text(stage.client(stage.bo).get("/maree-haute/home"))
    stage.client(stage.bo).post(stage.won(stage.bo), {"age": "adult", "act": "claim"})
    assert "You have won" not in text(stage.client(stage.bo).get("/maree-haute/home"))


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
