"""An organiser's and a fan's pages of kiosks: who may, what is shown once, what can be undone."""

import datetime as dt
import html
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.services.worlds import NADIA, enrolled, put, type_code
from tests.web import worldstage
from tests.web.worldstage import HOSTED, SPOT, WORLDS, code_in, enrol, signed_in, text_of
from vteam import clock
from vteam.campaigns.models import Campaign, Organiser
from vteam.channels.worlds.lines import is_here
from vteam.channels.worlds.models import Avatar, Kiosk, World
from vteam.jobs.moving import InboxTable, Mover
from vteam.ledger.queries import points_of
from vteam.people.models import Fan

pytestmark = pytest.mark.django_db


# An organiser's -----------------------------------------------------------------------------------------------------
def test_an_organiser_puts_a_kiosk_up_and_sees_its_code_once(demo: Campaign, ana: Client) -> None:
    made = ana.post(WORLDS, SPOT, follow=True)
    code = code_in(made)
    assert "secure.http_mods = vteam" in made.content.decode()
    assert code not in ana.get(WORLDS).content.decode()
    assert "waits for its code" in text_of(ana.get(WORLDS))
    assert enrol(code) == 200
    assert "alive" in text_of(ana.get(WORLDS))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"grid": ""}, "Which grid or server"),
        ({"place": " "}, "Where does it stand?"),
        ({"place": "x" * 61}, "too long"),
        ({"room": "x" * 121}, "too long"),
        ({"world": "elsewhere"}, "Choose one of these worlds."),
        ({"language": "tlh"}, "Choose English or French."),
        ({"acts_per_day": "many"}, "Write a whole number from 0 to 100,000."),
    ],
)
def test_what_is_missing_is_told_and_what_was_typed_stays(
    demo: Campaign, ana: Client, wrong: dict[str, str], words: str
) -> None:
    typed = SPOT | {"room": "The cellar", "acts_per_day": "7"} | wrong
    answer = ana.post(WORLDS, typed)
    assert answer.status_code == 422
    assert words in text_of(answer)
    page = html.unescape(answer.content.decode())
    for name in ("grid", "place", "room", "acts_per_day"):
        assert f'name="{name}" value="{typed[name]}"' in page, name
    if "world" not in wrong:
        assert '<option value="luanti" selected>' in page
    assert not Kiosk.objects.exists()


@pytest.mark.parametrize(
    ("world", "typed", "acts"),
    [
        ("luanti", "", 1_000),
        ("secondlife", "", 1_000),
        ("opensimulator", "", 200),
        ("other", "", 200),
        ("luanti", "7", 7),
        ("other", "0", 0),
    ],
)
def test_a_code_names_how_far_its_object_is_trusted(
    demo: Campaign, ana: Client, world: str, typed: str, acts: int
) -> None:
    assert ana.post(WORLDS, SPOT | {"world": world, "acts_per_day": typed}).status_code == 302
    assert Kiosk.objects.get().acts_per_day == acts


def test_a_fan_does_not_say_how_far_their_kiosk_is_trusted(demo: Campaign, bos: Client) -> None:
    assert 'name="acts_per_day"' not in bos.get(HOSTED).content.decode()
    bos.post(HOSTED, SPOT | {"acts_per_day": "5000"})
    assert Kiosk.objects.get().acts_per_day == 20


def test_a_concert_is_announced_no_longer_than_its_mission_is_open(demo: Campaign, ana: Client) -> None:
    kiosk, _ = enrolled(demo)
    there = next(entry for entry in demo.file.missions if entry.key == "there")
    closes = demo.file.mission_closes_at(there)
    with time_machine.travel(closes - dt.timedelta(minutes=10)):
        ana.force_login(Organiser.objects.get().person)
        ana.post(f"{WORLDS}/{kiosk.pk}", {"act": "announce", "mission": "there"})
    kiosk.refresh_from_db()
    assert kiosk.here_until == closes


def test_second_life_is_one_grid(demo: Campaign, ana: Client) -> None:
    assert ana.post(WORLDS, SPOT | {"world": "secondlife", "grid": ""}).status_code == 302
    assert Kiosk.objects.get().grid == "Second Life"


def test_there_can_be_so_many_kiosks(demo: Campaign, ana: Client, settings: Any) -> None:
    settings.KIOSKS_PER_CAMPAIGN = 1
    ana.post(WORLDS, SPOT)
    answer = ana.post(WORLDS, SPOT | {"place": "The pier"})
    assert (answer.status_code, Kiosk.objects.count()) == (409, 1)
    assert "You can have 1 kiosk, beside those of fans. Close it" in text_of(answer)
    assert 'value="The pier"' in answer.content.decode()
    settings.KIOSKS_PER_CAMPAIGN = 2
    ana.post(WORLDS, SPOT)
    assert "You can have 2 kiosks, beside those of fans. Close one" in text_of(ana.post(WORLDS, SPOT))


def test_fans_host_so_many_kiosks_together_whoever_opens_one_again(
    demo: Campaign, ana: Client, bo: Fan, settings: Any
) -> None:
    settings.KIOSKS_PER_CAMPAIGN = 1
    closed, _ = put(demo, fan=bo)
    ana.post(f"{WORLDS}/{closed.pk}", {"act": "revoke"})
    settings.KIOSKS_PER_FAN = 2
    put(demo, fan=bo)
    answer = ana.post(f"{WORLDS}/{closed.pk}", {"act": "restore"})
    assert answer.status_code == 409
    assert "Fans can host 1 kiosk altogether. Close one of theirs first." in text_of(answer)


def test_a_closed_kiosk_is_opened_again_while_there_is_room(
    demo: Campaign, ana: Client, settings: Any
) -> None:
    settings.KIOSKS_PER_CAMPAIGN = 1
    ana.post(WORLDS, SPOT)
    closed = f"{WORLDS}/{Kiosk.objects.get().pk}"
    ana.post(closed, {"act": "revoke"})
    assert ana.post(WORLDS, SPOT).status_code == 302
    answer = ana.post(closed, {"act": "restore"})
    assert (answer.status_code, Kiosk.objects.filter(revoked_at=None).count()) == (409, 1)
    assert "You can have 1 kiosk, beside those of fans. Close it" in text_of(answer)
    settings.KIOSKS_PER_CAMPAIGN = 2
    assert ana.post(closed, {"act": "restore"}).status_code == 302
    assert Kiosk.objects.filter(revoked_at=None).count() == 2


def test_the_page_says_what_was_done_and_by_whom_it_waits(demo: Campaign, ana: Client, bo: Fan) -> None:
    worldstage.set_up(demo, bo)
    page = text_of(ana.get(WORLDS))
    for words in (
        "Les digues (1)",
        "1 wrong answer",
        "1 waits for its avatar to be linked",
        "hosted by Bo",
        "A lighthouse of",
    ):
        assert words.replace(" :", ":") in page.replace(" :", ":"), words


def test_what_was_brought_is_accepted_with_a_word_and_once(demo: Campaign, ana: Client, bo: Fan) -> None:
    worldstage.set_up(demo, bo)
    (done,) = re.findall(r'name="done" value="(\d+)"', ana.get(WORLDS).content.decode())
    accepted = {"act": "accept", "done": done, "reason": "What a light!"}
    assert ana.post(WORLDS, accepted)["Location"] == f"{WORLDS}#brought"
    assert ana.post(WORLDS, accepted)["Location"] == f"{WORLDS}?overtaken#brought"
    assert "looked at already" in text_of(ana.get(f"{WORLDS}?overtaken"))
    Mover(InboxTable()).move()
    assert points_of(demo.pk, bo.pk) == (350, 0)
    bos = Client()
    bos.force_login(bo.person)
    assert "a person looked at it: What a light!" in text_of(bos.get("/maree-haute/points"))
    assert ana.post(WORLDS, accepted | {"done": "999999"}).status_code == 404


def test_what_was_refused_is_told_as_what_waited_and_never_counted(
    demo: Campaign, ana: Client, bo: Fan
) -> None:
    worldstage.set_up(demo, bo)
    (done,) = re.findall(r'name="done" value="(\d+)"', ana.get(WORLDS).content.decode())
    ana.post(WORLDS, {"act": "refuse", "done": done, "reason": "That is a lamp post"})
    Mover(InboxTable()).move()
    assert points_of(demo.pk, bo.pk) == (50, 0)
    bos = Client()
    bos.force_login(bo.person)
    told = text_of(bos.get("/maree-haute/points"))
    assert "a person looked at it: That is a lamp post" in told
    assert "waiting: (\u2212300)" in told.replace("\xa0", " ")
    assert "In brackets: points that wait" in told


def test_a_kiosks_trust_concert_code_and_end_are_its_organisers(demo: Campaign, ana: Client) -> None:
    kiosk, there = enrolled(demo)
    page = f"{WORLDS}/{kiosk.pk}"
    assert "128, 130, 25" in text_of(ana.get(page))
    assert ana.post(page, {"act": "trust", "acts_per_day": "many"}).status_code == 422
    ana.post(page, {"act": "trust", "acts_per_day": "0"})
    assert "Come back tomorrow" in there.choose("answer:kitchen-quiz:2")["text"]
    ana.post(page, {"act": "announce", "mission": "there"})
    kiosk.refresh_from_db()
    assert is_here(kiosk, at=clock.now())
    ana.post(page, {"act": "over"})
    assert there.page("touch")["line"] == "touch me: Lune Noire's vTeam"
    assert ana.post(page, {"act": "announce", "mission": "kitchen-quiz"}).status_code == 404
    code = code_in(ana.post(page, {"act": "code"}, follow=True))
    ana.post(page, {"act": "revoke"})
    assert there.send("touch", {"avatar": NADIA}).status_code == 403
    assert enrol(code) == 403
    assert ana.post(page, {"act": "code"}).status_code == 409
    ana.post(page, {"act": "restore"})
    assert there.send("touch", {"avatar": NADIA}).status_code == 200
    assert ana.post(page, {"act": "dance"}).status_code == 404


def test_kiosks_are_nobody_elses_business(demo: Campaign, bos: Client) -> None:
    kiosk, _ = enrolled(demo)
    for path in (WORLDS, f"{WORLDS}/{kiosk.pk}"):
        assert bos.get(path).status_code == 404
        assert bos.post(path, SPOT | {"act": "revoke"}).status_code == 404
        assert Client().get(path).status_code == 302
    kiosk.refresh_from_db()
    assert kiosk.revoked_at is None


def test_the_list_of_kiosks_comes_in_pages(demo: Campaign, ana: Client) -> None:
    for n in range(31):
        Kiosk.objects.create(
            campaign_id=demo.pk, world=World.OTHER, grid="g", place=f"place {n}", language="en",
            acts_per_day=1, vouched=True, made_at=clock.now(),
        )  # fmt: skip
    assert "place 30" in text_of(ana.get(WORLDS))
    assert "place 0" in text_of(ana.get(f"{WORLDS}?page=2"))
    assert ana.get(f"{WORLDS}?page=3").status_code == 404


# A fan's ------------------------------------------------------------------------------------------------------------
def test_a_fan_touches_nothing_of_somebody_else(demo: Campaign, bo: Fan) -> None:
    stage = worldstage.set_up(demo, bo)
    cy = signed_in("cy@example.org", fan_of=demo)
    for kiosk in (stage.hosted, stage.kiosk):
        assert cy.get(f"{HOSTED}/{kiosk.pk}").status_code == 404
        for act in ("revoke", "code", "reopen", "edit", "delete", "dance"):
            assert cy.post(f"{HOSTED}/{kiosk.pk}", {"act": act, "place": "Mine"}).status_code == 404
    for posted in (
        {"act": "unlink", "avatar": Avatar.objects.exclude(fan=None).get().pk},
        {"act": "unlink", "avatar": "x"},
        {"act": "dance"},
    ):
        assert cy.post(HOSTED, posted).status_code == 404
    assert "Nadia Resident" not in text_of(cy.get(HOSTED))
    stage.hosted.refresh_from_db()
    assert (stage.hosted.place, stage.hosted.revoked_at) == ("The Ska Club", None)


def test_a_fan_lets_an_avatar_go(demo: Campaign, bo: Fan, bos: Client) -> None:
    worldstage.set_up(demo, bo)
    assert "Nadia Resident" in text_of(bos.get(HOSTED))
    bos.post(HOSTED, {"act": "unlink", "avatar": Avatar.objects.exclude(fan=None).get().pk})
    assert "Nadia Resident" not in text_of(bos.get(HOSTED))


# Linking ------------------------------------------------------------------------------------------------------------
def test_opening_the_address_links_nobody_until_they_say_so(demo: Campaign, bo: Fan, bos: Client) -> None:
    free, _taken = worldstage.set_up(demo, bo).links
    assert "Is this you?" in text_of(bos.get(f"/world/link/{free}"))
    assert Avatar.objects.filter(fan=bo).count() == 1
    assert Client().post(f"/world/link/{free}").status_code == 200  # a stranger is asked to sign in
    assert Avatar.objects.filter(fan=bo).count() == 1
    linked = bos.post(f"/world/link/{free}", follow=True)
    assert linked.status_code == 200
    assert "is yours. What they did is on its way to your points." in text_of(linked)
    assert Avatar.objects.filter(fan=bo).count() == 2
    assert bos.get(f"/world/link/{free}").status_code == 410
    assert bos.post(f"/world/link/{free}").status_code == 410


def test_another_sites_page_links_nobody(demo: Campaign, bo: Fan, bos: Client) -> None:
    free, _ = worldstage.set_up(demo, bo).links
    answer = bos.post(f"/world/link/{free}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert Avatar.objects.filter(fan=bo).count() == 1


def test_the_address_is_known_to_no_cache_and_sets_no_cookie(demo: Campaign, bo: Fan) -> None:
    free, _ = worldstage.set_up(demo, bo).links
    answer = Client().get(f"/world/link/{free}")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert not answer.cookies


# What stands there --------------------------------------------------------------------------------------------------
def test_what_is_put_into_a_world_knows_our_address_and_no_secret(demo: Campaign) -> None:
    import io
    import zipfile

    for name in ("secondlife.lsl", "opensimulator.lsl"):
        script = Client().get(f"/maree-haute/kiosk/{name}").content.decode()
        assert "http://testserver" in script
        assert "Lune Noire" in script
    archive = zipfile.ZipFile(io.BytesIO(Client().get("/maree-haute/kiosk/vteam-luanti.zip").content))
    assert {"vteam/init.lua", "vteam/mod.conf", "vteam/sha256.lua"} <= set(archive.namelist())
    for name in ("luanti.lsl", "secondlife.zip", "secondlife", "..lsl"):
        assert Client().get(f"/maree-haute/kiosk/{name}").status_code == 404


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "touch me: Lune Noire's vTeam"), ("fr", "touche-moi\u00a0: la vTeam de Lune Noire")],
)
def test_the_script_says_its_line_as_the_platform_does_in_the_pages_language(
    demo: Campaign, ana: Client, language: str, line: str
) -> None:
    made = ana.post(f"/{language}{WORLDS}", SPOT | {"world": "secondlife"}, follow=True)
    found = re.search(r'href="([^"]+/secondlife\.lsl)"', made.content.decode())
    assert found
    assert f'string LINE = "{line}";' in Client().get(found[1]).content.decode()
    _, given = type_code(code_in(made), **{"X-SecondLife-Shard": "Production"})
    assert given["neutral"] == line
