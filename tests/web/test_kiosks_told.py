"""What the pages of kiosks say: how each stands, since when, and what it caused."""

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.services.worlds import REMI, enrolled, put
from tests.web import worldstage
from tests.web.worldstage import HOSTED, WORLDS, Stage, text_of
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.models import Kiosk, WorldAct
from vteam.people.models import Fan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
DAY = dt.timedelta(days=1)


@pytest.fixture
def stage(at_noon: None, demo: Campaign, bo: Fan) -> Stage:
    """Of the five acts at the first kiosk, two are of the day before, and one of nine days before."""
    stage = worldstage.set_up(demo, bo)
    acts = WorldAct.objects.filter(kiosk=stage.kiosk).order_by("pk")
    assert len(acts) == 5
    for act, days in zip(acts, (0, 0, 1, 1, 9), strict=True):
        WorldAct.objects.filter(pk=act.pk).update(at=act.at - days * DAY)
    return stage


def listed(answer: Any, place: str) -> str:
    """What a list says of the kiosk at a place."""
    rows = re.findall(r'<li class="story.*?</li>', answer.content.decode(), re.DOTALL)
    (row,) = (row for row in rows if f">{place}</a>" in row)
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip()


def named(stage: Stage, **places: str) -> None:
    for name, place in places.items():
        Kiosk.objects.filter(pk=getattr(stage, name).pk).update(place=place)


def by_day(answer: Any) -> list[int]:
    """What a kiosk caused, today first."""
    section = answer.content.decode().partition('id="acts"')[2].partition("</section>")[0]
    return [int(n) for n in re.findall(r'class="story__points[^>]*>([0-9]+)<', section)]


def test_the_list_says_how_each_kiosk_stands(demo: Campaign, ana: Client, stage: Stage) -> None:
    named(stage, kiosk="The quay", hosted="The pier", closed="The mill")
    late, _ = put(demo)
    Kiosk.objects.filter(pk=late.pk).update(place="The fort", code_until=clock.now())
    page = ana.get(WORLDS)
    assert listed(page, "The quay").startswith("The quay alive OSgrid")
    assert listed(page, "The pier").startswith("The pier silent OSgrid")
    assert listed(page, "The mill").startswith("The mill closed OSgrid")
    assert listed(page, "The fort").startswith("The fort its code is too old OSgrid")
    assert listed(page, "Shermerville NW (103, 32, 28)").startswith(
        "Shermerville NW (103, 32, 28) waits for its code Second Life"
    )


def test_a_silent_kiosk_says_since_when(demo: Campaign, ana: Client, bos: Client, stage: Stage) -> None:
    named(stage, kiosk="The quay", hosted="The pier")
    then = clock.now() - dt.timedelta(hours=3)
    said = f"silent since {then.astimezone(ZoneInfo(demo.file.season.time_zone)):%H:%M}"
    page = ana.get(WORLDS)
    assert said in listed(page, "The pier")
    assert "hosted by Bo" in listed(page, "The pier")
    assert "since" not in listed(page, "The quay")
    assert said in listed(bos.get(HOSTED), "The pier")
    assert "silent" in text_of(ana.get(f"{WORLDS}/{stage.hosted.pk}"))
    assert "Last heard of" in text_of(ana.get(f"{WORLDS}/{stage.hosted.pk}"))


def test_a_kiosk_is_alive_for_three_heartbeats(ana: Client, stage: Stage) -> None:
    named(stage, kiosk="The quay")
    for seconds, state in ((14 * 60, "alive"), (15 * 60, "silent")):
        Kiosk.objects.filter(pk=stage.kiosk.pk).update(seen_at=clock.now() - dt.timedelta(seconds=seconds))
        assert listed(ana.get(WORLDS), "The quay").startswith(f"The quay {state}")
        assert f" {state} " in text_of(ana.get(f"{WORLDS}/{stage.kiosk.pk}"))


def test_the_list_says_what_each_caused_today(ana: Client, stage: Stage) -> None:
    named(stage, kiosk="The quay", hosted="The pier")
    assert listed(ana.get(WORLDS), "The quay").endswith(" 2 today")
    assert listed(ana.get(WORLDS), "The pier").endswith(" 0 today")


def test_a_kiosks_page_says_what_it_caused_day_by_day(demo: Campaign, ana: Client, stage: Stage) -> None:
    page = ana.get(f"{WORLDS}/{stage.kiosk.pk}")
    assert "What it caused" in text_of(page)
    assert by_day(page) == [2, 2, 0, 0, 0, 0, 0]
    assert by_day(ana.get(f"{WORLDS}/{stage.hosted.pk}")) == [0] * 7
    waiting, _ = put(demo)
    assert "What it caused" not in text_of(ana.get(f"{WORLDS}/{waiting.pk}"))


def test_a_fan_reads_what_their_kiosk_caused_in_seven_days(
    demo: Campaign, bos: Client, bo: Fan, stage: Stage
) -> None:
    named(stage, hosted="The pier")
    assert "0 acts in seven days" in listed(bos.get(HOSTED), "The pier")
    hosted, there = enrolled(demo, fan=bo)
    Kiosk.objects.filter(pk=hosted.pk).update(place="The mill")
    there.choose("answer:kitchen-quiz:1", REMI)
    assert "1 act in seven days" in listed(bos.get(HOSTED), "The mill")
    assert "1 act in seven days" in text_of(bos.get(f"{HOSTED}/{hosted.pk}"))
    WorldAct.objects.filter(kiosk=hosted).update(at=clock.now() - 6 * DAY)
    assert "1 act in seven days" in listed(bos.get(HOSTED), "The mill")
    WorldAct.objects.filter(kiosk=hosted).update(at=clock.now() - 7 * DAY)
    assert "0 acts in seven days" in listed(bos.get(HOSTED), "The mill")


def test_the_page_says_for_each_mission_what_residents_did(ana: Client, stage: Stage) -> None:
    section = ana.get(WORLDS).content.decode().partition('id="done"')[2].partition("</section>")[0]
    rows = re.findall("<li.*?</li>", section, re.DOTALL)
    assert [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in rows] == [
        "A question at the kiosk Les digues (1) · Phare éteint (0) · Sel (0)"
        " 1 waits for its avatar to be linked · 1 wrong answer 1 by fans",
        "What do we open with? Les digues (0) · Phare éteint (1) · Sel (0)"
        " 1 waits for its avatar to be linked 1 by fans",
        "Be there when we play 0 by fans",
        "Bring what you built 1 by fans",
    ]
