"""Setting kiosks up and taking them away; servers that are set up wrongly; restarts; heartbeats."""

import json
import sqlite3
import time
from pathlib import Path

import pytest

from tests.worlds.luanti.conftest import set_up
from tests.worlds.luanti.door import LINE, NEUTRAL, WELCOME, standing
from tests.worlds.luanti.player import Player, Pos
from tests.worlds.luanti.server import KIOSK, ROOM, Server, running

FAR = Pos(900, 40, 900)


def kept(server: Server) -> dict[str, str]:
    """What the stopped server's world holds in the mod's storage."""
    with sqlite3.connect(server.folder / "world/mod_storage.sqlite") as storage:
        rows = storage.execute("SELECT key, value FROM entries WHERE modname = 'vteam'").fetchall()
    storage.close()
    return {bytes(key).decode(): bytes(value).decode() for key, value in rows}


def test_only_its_owner_sets_a_kiosk_up_and_only_its_owner_digs_it(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address) as server:
        ana, bo = server.join("ana"), server.join("bo", language="fr_CA")
        ana.place(0, KIOSK)
        bo.wait(lambda: KIOSK in bo.nodes)
        assert bo.nodes[KIOSK]["infotext"] == "touch me: vTeam"
        bo.touch(KIOSK)
        waiting = bo.form("Cette borne n'est pas encore installée. ana, à qui elle appartient")
        bo.fields(waiting.name, enrol="Set up", code=door.code())
        bo.dig(KIOSK)

        ana.touch(KIOSK)
        ana.press(ana.form("Kiosks I host"), "Set up", code="wrong")
        ana.press(ana.form("This code is wrong"), "Set up", code=" ")
        ana.press(ana.form("Type the code first"), "Set up", code=door.code().upper())
        assert ana.form("This kiosk is now").texts == ["vTeam", "This kiosk is now Lune Noire's."]
        bo.touch(KIOSK)
        bo.form("1,250 points")
        assert [each.told["code"] for each in door.asked("enrol")] == ["wrong", "K01W 7TQ2"]

        bo.dig(KIOSK)
        bo.touch(KIOSK)
        bo.form("1,250 points")
        ana.dig(KIOSK)
        ana.wait(lambda: "vteam:kiosk 2" in ana.inventory)
        ana.place(0, KIOSK)
        ana.wait(lambda: "vteam:kiosk" in ana.inventory)
        ana.touch(KIOSK)
        ana.form("Kiosks I host")
        server.stop()
        assert [name for name, value in kept(server).items() if name.startswith("kiosk:") and value] == []


def test_a_kiosk_that_was_dug_before_the_answer_came_takes_the_same_code_where_it_is_placed_again(
    tmp_path: Path,
) -> None:
    said = {
        "": ("Set up", "could not be set up: it is not there any more"),
        "fr": ("Installer", "elle n'est plus là"),
    }
    with standing() as door, running(tmp_path, vteam_address=door.address, vteam_timeout="20") as server:
        for language, (button, words) in said.items():
            ana, code = server.join(language=language), door.code()

            def place(ana: Player = ana) -> None:
                ana.place(0, KIOSK)
                ana.wait(lambda: "vteam:kiosk" in ana.inventory)
                ana.touch(KIOSK)

            def dig(ana: Player = ana) -> None:
                ana.dig(KIOSK)
                ana.wait(lambda: "vteam:kiosk 2" in ana.inventory)

            place()
            with door.holding_back():
                ana.press(ana.newest(), button, code=code)
                dig()
            form = ana.form(words)
            assert form.fields == {}
            ana.close(form)
            place()
            ana.press(ana.newest(), button, code=code)
            ana.close(ana.form("This kiosk is now"))
            dig()
        assert "stack traceback" not in server.log


def test_a_kiosk_is_still_set_up_after_a_restart(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address) as server:
        set_up(server, door.code())
        server.stop()
        storage = kept(server)
        (secret,) = door.known.secrets.values()
        assert json.loads(storage["kiosk:0,1,0"])["secret"] == secret
        server.start()
        bo = server.join()
        for place in (KIOSK, ROOM):
            bo.touch(place)
            bo.form("1,250 points")
        assert [each.told.get("at") for each in door.asked("touch")] == [None, "room"]
        assert {each.refusal for each in door.requests} == {""}
        assert bo.nodes[KIOSK]["infotext"] == LINE
        assert secret not in (server.folder / "world/map.sqlite").read_bytes().decode("latin-1")


def test_a_server_that_does_not_let_the_mod_out_says_which_line_is_missing(tmp_path: Path) -> None:
    settings = {"secure.http_mods": "other", "vteam_address": "https://vteam.example"}
    with running(tmp_path, **settings) as server:
        line = server.logged("secure.http_mods")
        assert "ERROR" in line
        assert line.endswith("Put this line into minetest.conf and restart: secure.http_mods = other, vteam")
        ana, cy = server.join(), server.join(language="fr")
        ana.place(0, KIOSK)
        ana.wait(lambda: KIOSK in ana.nodes)
        heard = len(ana.chats)
        ana.touch(KIOSK)
        ana.form("must add vteam to secure.http_mods in minetest.conf")
        cy.touch(KIOSK)
        cy.form("doit ajouter vteam à secure.http_mods")
        assert len(ana.chats) == heard


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, "vteam_address is not set"),
        (
            {"vteam_address": "vteam.example"},
            'must look like https://vteam.example, with no path, not "vteam.example"',
        ),
        ({"vteam_address": "https://vteam.example/world"}, "with no path"),
    ],
    ids=["none", "no scheme", "a path"],
)
def test_a_wrong_address_is_told_to_the_log_and_to_whoever_touches(
    tmp_path: Path, settings: dict[str, str], complaint: str
) -> None:
    with running(tmp_path, **settings, vteam_timeout="soon") as server:
        assert "ERROR" in server.logged(complaint)
        assert (
            'vteam_timeout must be a whole number from 1 to 30, not "soon": 6 is used instead' in server.log
        )
        ana = server.join()
        ana.place(0, KIOSK)
        ana.wait(lambda: KIOSK in ana.nodes)
        ana.touch(KIOSK)
        ana.form("must set vteam_address in minetest.conf")


def test_a_platform_that_is_down_is_told_to_whoever_touches_and_once_to_the_log(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address, vteam_timeout="2") as server:
        ana = set_up(server, door.code())
        server.stop()
        server.settings["vteam_address"] = "http://127.0.0.1:9"
        server.start()
        ana, cy = server.join("ana"), server.join()
        for _ in range(3):
            ana.touch(KIOSK)
            ana.close(ana.form("can't reach the vTeam"))
        server.logged("cannot be reached (/world/v1/")
        assert server.log.count("cannot be reached") == 1
        assert cy.forms == []


def test_a_platform_that_does_not_answer_in_time_is_told(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address, vteam_timeout="2") as server:
        set_up(server, door.code())
        bo = server.join()
        with door.holding_back():
            bo.touch(KIOSK)
            bo.form("can't reach the vTeam", 15)
        bo.touch(KIOSK)
        bo.form("1,250 points")


def test_heartbeats_come_from_where_nobody_is_and_bring_the_line(tmp_path: Path) -> None:
    with standing() as door:
        settings = {"vteam_heartbeat": "2", "default_privs": "interact,shout,server,teleport"}
        with running(tmp_path, vteam_address=door.address, **settings) as server:
            ana = server.join("ana")
            ana.say(f"/vteam_kiosk {FAR.x} {FAR.y} {FAR.z}")
            server.logged(f"placed a kiosk at ({FAR.x},{FAR.y},{FAR.z}): true, and its room: true")
            ana.say(f"/vteam_kiosk {FAR.x} {FAR.y} {FAR.z}")
            server.logged(f"placed a kiosk at ({FAR.x},{FAR.y},{FAR.z}): false, and its room: false")
            ana.say("/vteam_kiosk here")
            ana.wait(lambda: any("three whole numbers" in each for each in ana.chats))
            ana.say(f"/teleport {FAR.x},{FAR.y},{FAR.z - 2}")
            ana.wait(lambda: FAR in ana.nodes)
            ana.touch(FAR)
            ana.press(ana.form("Kiosks I host"), "Set up", code=door.code())
            ana.form("This kiosk is now")
            door.answer = lambda path, told: WELCOME | {"line": "touch me: Lune Noire plays here now"}
            beat = door.wait("heartbeat")
            assert beat.told == {"room": f"({FAR.x + 2}, {FAR.y}, {FAR.z})"}
            assert beat.refusal == ""
            ana.wait(lambda: ana.nodes[FAR]["infotext"] == "touch me: Lune Noire plays here now")

            server.stop()
            door.requests.clear()
            door.answer = lambda path, told: WELCOME | {"line": "touch me: see you in spring"}
            server.start()
            door.wait("heartbeat")
            ana = server.join("ana")
            ana.say(f"/teleport {FAR.x},{FAR.y},{FAR.z - 2}")
            ana.wait(lambda: FAR in ana.nodes and ana.nodes[FAR]["infotext"] == "touch me: see you in spring")


def test_a_heartbeat_that_is_refused_takes_back_what_was_announced(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address, vteam_heartbeat="2") as server:
        announced = "touch me: Lune Noire plays here now"
        door.answer = lambda path, told: WELCOME | {"line": announced}
        ana = set_up(server, door.code())
        closed = (403, b'{"text": "This kiosk is closed.", "why": "revoked"}')
        for instead, line in ((None, announced), (closed, NEUTRAL), (None, announced)):
            door.instead = instead
            ana.wait(lambda line=line: ana.nodes[KIOSK]["infotext"] == line)
        server.stop()
        door.instead = closed
        server.start()
        ana = server.join("ana")
        ana.wait(lambda: ana.nodes[KIOSK]["infotext"] == NEUTRAL)


def test_a_kiosk_speaks_as_soon_as_it_is_set_up(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address, vteam_heartbeat="300") as server:
        set_up(server, door.code())
        door.wait("heartbeat")
        assert door.codes == {}, "its code is good for nobody any more"
        time.sleep(2.5)
        assert len(door.asked("heartbeat")) == 1


def test_a_kiosk_whose_node_another_mod_took_away_is_forgotten(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path, vteam_address=door.address, vteam_heartbeat="2") as server:
        ana = set_up(server, door.code())
        ana.say("/bulldoze")
        ana.wait(lambda: any("bulldozed" in each for each in ana.chats))
        time.sleep(6)
        server.stop()
        assert not kept(server).get("kiosk:0,1,0")
        assert "stack traceback" not in server.log
