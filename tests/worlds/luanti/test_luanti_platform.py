"""The kiosk and the platform's own door: Ana sets a kiosk up with a code from her campaign, and Bo uses it.

`platform` needs an `address` the game's server can reach and `code(world="luanti")`, a fresh code for a kiosk.
"""

from pathlib import Path

import pytest

from tests.worlds.luanti.server import KIOSK, ROOM, running
from tests.worlds.platform import Platform

pytestmark = pytest.mark.django_db(transaction=True)


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
