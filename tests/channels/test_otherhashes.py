"""Hashes for other networks agree with Debian's rhash."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from vteam.channels.swarm.otherhashes import library, others_in
from vteam.channels.swarm.torrents.metainfo import Others, Template, magnet

ED2K_PART = 9_728_000


@pytest.mark.parametrize(
    "size",
    [0, 1, 1023, 1024, 1025, 65_536, ED2K_PART - 1, ED2K_PART, ED2K_PART + 1, 2 * ED2K_PART, 25_000_000],
)
def test_they_are_those_of_rhash(size: int, tmp_path: Path) -> None:
    content = hashlib.shake_256(b"a song").digest(size)
    file = tmp_path / "song.mp3"
    file.write_bytes(content)
    fields = subprocess.run(
        ["rhash", "--printf", "%b{sha1} %b{tth} %x{ed2k}", file], capture_output=True, text=True, check=True
    ).stdout.split()
    rhash = library()
    assert rhash is not None
    found = others_in((content[at : at + 100_000] for at in range(0, size, 100_000)), rhash)
    assert [found.sha1.lower(), found.tiger.lower(), found.ed2k.lower()] == [each.lower() for each in fields]


def test_a_magnet_names_them_all_as_rhash_does(tmp_path: Path) -> None:
    content = hashlib.shake_256(b"a song").digest(300_000)
    file = tmp_path / "song.mp3"
    file.write_bytes(content)
    told = subprocess.run(
        ["rhash", "--magnet", "--sha1", "--tth", "--ed2k", file], capture_output=True, text=True, check=True
    ).stdout.strip()
    theirs = {part for part in told.partition("?")[2].split("&") if part.startswith("xt=")}
    rhash = library()
    assert rhash is not None
    template = Template(id=1, name="song.mp3", size=300_000, piece_bytes=65_536, body=b"")
    ours = magnet(b"\x12" * 20, template, announce="http://x/announce/k", others=others_in([content], rhash))
    parts = ours.partition("?")[2].split("&")
    assert parts[0] == "xt=urn:btih:" + "12" * 20
    assert {part.lower() for part in parts[1:4]} == {part.lower() for part in theirs}
    assert isinstance(others_in([b""], rhash), Others)
