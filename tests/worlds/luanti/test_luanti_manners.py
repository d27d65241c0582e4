"""What the kiosk never does, read in its text and its instructions: no word to whoever did not touch it, no noise,
nothing that moves.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.worlds.luanti.server import MOD

CODE = {path.name: re.sub(r"--[^\n]*", "", path.read_text()) for path in MOD.glob("*.lua")}
# Everything the mod may use of Lua and of the engine: whatever is not here it does not do.
LUA = {
    "_G", "assert", "ipairs", "loadfile", "math.abs", "math.ceil", "math.floor", "math.max", "math.min",
    "math.random", "os.time", "pairs", "pcall", "rawget", "string.byte", "string.char", "table.concat", "tonumber",
    "tostring", "type", ":byte", ":format", ":gmatch", ":gsub", ":lower", ":match", ":rep", ":sub",
}  # fmt: skip
# Reads the world, the settings and what is known of one player.
LOOKING = {
    "minetest.check_player_privs", "minetest.get_current_modname", "minetest.get_meta", "minetest.get_modpath",
    "minetest.get_node", "minetest.get_node_or_nil", "minetest.get_player_by_name",
    "minetest.get_player_information", "minetest.get_translator", "minetest.parse_json", "minetest.pos_to_string",
    "minetest.registered_nodes", "minetest.settings", "minetest.write_json", "vector.distance", ":get", ":get_int",
    ":get_inventory", ":get_meta", ":get_player_control", ":get_player_name", ":get_pos", ":get_string", ":is_player",
    ":room_for_item", ":to_table",
}  # fmt: skip
# Is called when a player places, touches, digs, types into a form or a command, uses a flyer, or leaves.
LISTENING = {
    "minetest.register_chatcommand", "minetest.register_craft", "minetest.register_craftitem",
    "minetest.register_lbm", "minetest.register_node", "minetest.register_on_leaveplayer",
    "minetest.register_on_player_receive_fields",
}  # fmt: skip
# A form for one player; a flyer into the inventory of whoever took it; a kiosk where an operator's command says; what
# nodes, flyers and the mod's storage keep; the log; the platform, and the time until the next heartbeat.
DOING = {
    "minetest.show_formspec", "ItemStack", ":add_item", "minetest.emerge_area", "minetest.set_node",
    "minetest.get_mod_storage", ":set_int", ":set_string", "minetest.log", "minetest.request_http_api",
    "minetest.after",
}  # fmt: skip
HANDLERS = {"on_blast", "on_destruct", "on_place", "on_rightclick", "on_secondary_use", "on_use"}
TAKEN = re.compile(r'GETGLOBAL\s+(\d+) -\d+\s+; (\w+)\n(?:.*GETTABLE\s+\1 \1 -\d+\s+; "(\w+)"\n)?')


def listing_of(path: Path) -> str:
    """The file's instructions, as Lua 5.1 compiles them."""
    return subprocess.run(["luac5.1", "-l", "-p", path], capture_output=True, text=True, check=True).stdout


def used_in(listing: str) -> set[str]:
    """Each global that is read, with the part taken of it ("os.time"), and each method that is called (":get")."""
    taken = {f"{name}.{part}" if part else name for _, name, part in TAKEN.findall(listing)}
    return taken | {f":{name}" for name in re.findall(r'SELF\s.*; "(\w+)"', listing)}


def test_it_uses_nothing_that_shouts_moves_senses_or_shines() -> None:
    listings = {path.name: listing_of(path) for path in MOD.glob("*.lua")}
    assert set().union(*map(used_in, listings.values())) == LUA | LOOKING | LISTENING | DOING
    assert not [name for name, listing in listings.items() if "SETGLOBAL" in listing]
    # An object's own function is called in no other way than with a colon.
    assert not re.search(r"\b(\w+)\.\w+\(\1 *[,)]", "".join(CODE.values()))
    # Whoever has all globals in hand could take any of them.
    assert [(name, re.findall(r".*\b_G\b.*", text)) for name, text in CODE.items() if "_G" in text] == [
        ("sha256.lua", ['return {hasher = hasher, sum = hasher(rawget(_G, "bit"))}'])
    ]


def test_what_its_things_answer_to_are_the_hands_of_a_player() -> None:
    assert set(re.findall(r"\b(on_\w+) =", "".join(CODE.values()))) == HANDLERS


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ('minetest . chat_send_all("x")', {"minetest.chat_send_all"}),
        ('os["execute"]("x")', {"os.execute"}),
        ("player:hud_add({})", {"player", ":hud_add"}),
        ('local m = minetest m.log("x") m.sound_play("x")', {"minetest"}),
        ('minetest["sound" .. "_play"]("x")', {"minetest"}),
        ('local s = "minetest.log" -- minetest.after', set()),
    ],
)
def test_a_use_is_seen_however_it_is_written(tmp_path: Path, code: str, used: set[str]) -> None:
    path = tmp_path / "some.lua"
    path.write_text(code)
    assert used_in(listing_of(path)) == used


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
    assert set(re.findall(r"\bhttp\.(\w+)", "".join(CODE.values()))) == {"fetch"}
    stored = re.findall(r'set_string\("(\w+)"', "".join(CODE.values()))
    assert sorted(set(stored)) == ["address", "description", "infotext", "mark", "note", "owner", "title"]
    for name, text in CODE.items():
        assert not re.search(r"log\([^)]*(secret|address|code)\b", text), name
