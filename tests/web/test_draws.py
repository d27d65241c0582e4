"""Draws in the browser: announced, done, and checked by anybody."""

import datetime as dt
import json
import re
from typing import Any

import pytest
import time_machine

from tests.cast import AT
from tests.rules.test_beacons import ROUNDS
from tests.services.winners import SETTLED, offered
from tests.web.prizestage import (
    AT_HOME,
    SOUNDCHECK,
    Stage,
    text,
)
from vteam import clock
from vteam.prizes.models import Draw
from vteam.prizes.offers import offer_due
from vteam.prizes.rounds import Failed, try_failed
from vteam.rules.beacons import QUICKNET
from vteam.rules.drawrecords import checked, commitment_to

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("after_the_season")]


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
