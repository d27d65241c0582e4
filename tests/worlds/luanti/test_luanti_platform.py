"""The kiosk and the platform's own door: Ana sets a kiosk up with a code from her campaign, and Bo uses it.

`platform` needs an `address` the game's server can reach and `code(world="luanti")`, a fresh code for a kiosk.
"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.services.worlds import outcomes
from tests.worlds.luanti.conftest import set_up
from tests.worlds.luanti.server import KIOSK, ROOM, running
from tests.worlds.platform import Platform
from vteam import clock
from vteam.campaigns.joining import account
from vteam.people.models import Fan
from vteam.people.services import become_fan
from vteam.rules.decisions import Outcome

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bo(platform: Platform) -> Fan:
    """A fan of the campaign."""
    person = account(address="bo@example.org", language="en", at=clock.now())
    return become_fan(
        person=person, campaign_id=platform.campaign.pk, name="Bo", share_id=None, at=clock.now()
    )[0]


@pytest.mark.django_db(transaction=True)
def test_bo_meets_the_campaign_in_luanti(platform: Platform, tmp_path: Path) -> None:
    with running(tmp_path, vteam_address=platform.address, vteam_heartbeat="2") as server:
        ana, bo = server.join("ana", language="fr"), server.join("bo")
        ana.place(0, KIOSK)
        ana.place(1, ROOM)
        ana.wait(lambda: KIOSK in ana.nodes and ROOM in ana.nodes)
        ana.touch(KIOSK)
        ana.press(ana.form("que j'accueille"), "Installer", code="0000 0000")
        refused = ana.newest()
        assert "code" in refused.fields
        assert refused.texts[1] != ana.forms[0].texts[1], "the platform's own words say why"
        ana.press(refused, "Installer", code=platform.code(world="luanti"))
        ana.close(ana.newest())
        ana.wait(lambda: ana.nodes[KIOSK]["infotext"] not in ("", "touch me: vTeam"))

        bo.touch(KIOSK)
        page = bo.page()
        first = [label for label in page.buttons if page.buttons[label].startswith("choice_")]
        assert first, page.texts
        assert "can't reach" not in page.text
        for label in first:
            bo.touch(KIOSK)
            page = bo.page()
            bo.press(page, label)
            answered = bo.page()
            assert "can't reach" not in answered.text
            assert len(answered.texts[1]) > 0
            bo.close(answered)

        bo.touch(ROOM)
        assert "can't reach" not in bo.page().text
        ana.touch(KIOSK)
        assert ana.page().texts[1] != page.texts[1], "Ana's is in French"
        assert "wrong" not in server.log
        server.stop()
        server.start()
        bo = server.join("bo")
        bo.touch(KIOSK)
        assert "can't reach" not in bo.page().text
        assert not [line for line in server.log.splitlines() if "WARNING" in line and "[vteam]" in line]


def test_bo_answers_links_the_avatar_and_finds_the_points_at_the_kiosk(
    platform: Platform, bo: Fan, tmp_path: Path
) -> None:
    with running(tmp_path, vteam_address=platform.address) as server:
        set_up(server, platform.code(world="luanti"), said="belongs to the campaign now")
        player = server.join("bo_in_luanti")
        player.touch(KIOSK)
        welcome = player.page()
        assert "points" not in welcome.text
        player.press(welcome, "Missions")
        missions = player.form("A question at the kiosk · 100 points")
        player.press(missions, "A question at the kiosk")
        question = player.form("Which of the three songs is about a lighthouse that has gone out?")
        player.press(question, "Phare éteint")
        right = player.form("That is the answer: 100 points. To keep that, press “Link me”")
        player.press(right, "Back")
        waits = player.form("1 thing you did here waits for you")
        player.press(waits, "Link me")
        address = player.form("It is for you alone").fields["address"]
        assert address.startswith(f"{platform.address}/world/link/")
        fans = Client()
        fans.force_login(bo.person)
        assert fans.post(urlsplit(address).path).status_code == 302
        assert outcomes(bo) == [Outcome.AWARDED]

        player.touch(KIOSK)
        own = player.form("Bo: 100 points, number 1 of 1.")
        assert "Not me?" in own.buttons
        assert "Link me" not in own.buttons
        player.press(own, "Missions")
        player.form("A question at the kiosk · done")
