"""What the kiosk never does, read in its text: no word to whoever did not touch it, no noise, nothing that moves."""

import re

import pytest

from tests.worlds.luanti.server import MOD

CODE = {path.name: re.sub(r"--[^\n]*", "", path.read_text()) for path in MOD.glob("*.lua")}
FORBIDDEN = (
    "chat_send_all",
    "chat_send_player",
    "sound_play",
    "add_particle",
    "add_entity",
    "register_entity",
    "add_item",
    "hud_add",
    "hud_change",
    "register_globalstep",
    "register_on_joinplayer",
    "register_on_chat_message",
    "register_abm",
    "get_connected_players",
    "get_objects_inside_radius",
    "mod_channel",
    "dynamic_add_media",
    "send_join_message",
    "setfenv",
    "loadstring",
    "os.execute",
    "io.open",
)


@pytest.mark.parametrize("call", FORBIDDEN)
def test_it_never_calls(call: str) -> None:
    # A flyer goes into the inventory of whoever took it: the one thing called "add_item" that is allowed.
    text = "".join(CODE.values()).replace("inventory:add_item(", "")
    assert call not in text


def test_forms_are_shown_in_two_places_only_to_whoever_touched_or_reads_a_flyer() -> None:
    shown = {name: text.count("show_formspec") for name, text in CODE.items() if "show_formspec" in text}
    assert shown == {"visits.lua": 1, "flyers.lua": 1}


def test_what_repeats_itself_speaks_to_the_platform_and_to_no_player() -> None:
    assert [name for name, text in CODE.items() if "minetest.after" in text] == ["heartbeat.lua"]
    assert "player" not in CODE["heartbeat.lua"]
    assert "visits" not in CODE["heartbeat.lua"]


def test_nobody_else_gets_hold_of_the_network_and_secrets_never_stand_in_a_node() -> None:
    assert [name for name, text in CODE.items() if "request_http_api()" in text] == ["init.lua"]
    assert not re.search(
        r"^\s*(?!local )\w+ = (minetest\.request_http_api|http)\b", CODE["init.lua"], re.MULTILINE
    )
    stored = re.findall(r'set_string\("(\w+)"', "".join(CODE.values()))
    assert sorted(set(stored)) == ["address", "description", "infotext", "mark", "note", "owner", "title"]
    for name, text in CODE.items():
        assert not re.search(r"log\([^)]*(secret|address|code)\b", text), name
