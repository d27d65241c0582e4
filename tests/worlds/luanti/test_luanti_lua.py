"""The mod's pure Lua, by Lua 5.1 and by LuaJIT: hashing, signing, escaping, pages and forms."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.worlds.luanti.server import MOD

LENGTHS = [*range(55, 66), 119, 120, 127, 128, 1000]


LUAS = {"lua5.1": "Lua 5.1", "luajit": "LuaJIT 2.1", "luajit -joff": "LuaJIT"}


@pytest.mark.parametrize("lua", LUAS)
def test_the_pure_files_do_what_they_say(tmp_path: Path, lua: str) -> None:
    cases = [(bytes(range(256)) * 4)[:length] for length in LENGTHS]
    cases += [b"\0", b"\0" * 64, "é€🎸 La marée haute".encode()]
    vectors = tmp_path / "vectors"
    vectors.write_text("".join(f"{each.hex()} {hashlib.sha256(each).hexdigest()}\n" for each in cases))
    ran = subprocess.run(
        [*lua.split(), Path(__file__).with_name("pure_test.lua"), MOD, "million", vectors],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"well {LUAS[lua]}")


@pytest.mark.parametrize("path", sorted(MOD.glob("*.lua")), ids=lambda path: path.name)
def test_every_file_is_plain_lua_5_1(path: Path) -> None:
    ran = subprocess.run(["luac5.1", "-p", path], capture_output=True, text=True, check=False)
    assert ran.stderr == ""


def test_the_boards_shape_and_all_pictures_are_those_the_mod_names() -> None:
    code = "".join(path.read_text() for path in MOD.glob("*.lua"))
    for path in MOD.glob("textures/*.png"):
        name = path.stem.removeprefix("vteam_").removesuffix("_lit")
        assert path.name in code or f'"{name}"' in code, path
    assert [path.name for path in MOD.glob("models/*")] == ["vteam_kiosk.obj"]
