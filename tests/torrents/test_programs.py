"""The clients the other tests use, beside nothing of ours: Debian's opentracker, a seeder, and every downloader."""

import hashlib
import random
from pathlib import Path

import pytest

from tests.torrents import programs
from tests.torrents.networks import Host, Internet, running_in
from tests.torrents.programs import Program
from tests.torrents.test_clients import DOWNLOADERS, SEEDERS
from vteam.channels.swarm.torrents.metainfo import (
    Template,
    hashes_of,
    info_hash_of,
    info_of,
    torrent_file,
)

PIECE = 65_536
SIZE = 23 * PIECE + 4_321
NAME = "Lune Noire - Les digues.mp3"


def copies(tracker: Host, folder: Path, name: str) -> tuple[bytes, bytes, Path]:
    """A fan's copy: its bytes, its torrent's hash, and the .torrent that names a tracker."""
    content = random.Random(name).randbytes(SIZE)
    template = Template(id=1, name=NAME, size=SIZE, piece_bytes=PIECE, body=hashes_of(content[PIECE:], PIECE))
    first = hashes_of(content[:PIECE], PIECE)
    path = folder / f"{name}.torrent"
    path.write_bytes(torrent_file(info_of(template, first), announce=f"http://{tracker.four}:6969/announce"))
    return content, info_hash_of(template, first), path


def test_every_client_gets_a_file_from_every_seeder_whole(
    net: Internet, tmp_path: Path, running: list[Program]
) -> None:
    tracker = net.host()
    made = {name: copies(tracker, tmp_path, name) for name in SEEDERS}
    running.append(programs.opentracker(tracker, tmp_path / "tracker", [each[1] for each in made.values()]))
    friends = {}
    for seeder, (content, _, torrent) in made.items():
        folder = tmp_path / f"seeder-{seeder}"
        folder.mkdir()
        (folder / NAME).write_bytes(content)
        running.append(SEEDERS[seeder](net.host(), folder, str(torrent), upload=1500).whole(30))
        for name, start in DOWNLOADERS.items():
            friends[seeder, name] = start(net.host(), tmp_path / f"{name}-of-{seeder}", str(torrent))
    running += friends.values()
    for (seeder, _), friend in friends.items():
        got = (friend.whole(90).folder / NAME).read_bytes()
        assert hashlib.sha256(got).digest() == hashlib.sha256(made[seeder][0]).digest()


def test_a_download_that_does_not_come_fails_in_time_with_what_the_client_said(
    net: Internet, tmp_path: Path, running: list[Program]
) -> None:
    nobody = net.host()
    *_, torrent = copies(nobody, tmp_path, "alone")
    friend = programs.aria2(net.host(), tmp_path / "friend", str(torrent))
    running.append(friend)
    with pytest.raises(AssertionError, match=r"friend\.log:"):
        friend.whole(3)


@pytest.mark.parametrize("name", DOWNLOADERS)
def test_a_client_that_is_stopped_leaves_nothing_running(net: Internet, tmp_path: Path, name: str) -> None:
    host = net.host()
    *_, torrent = copies(host, tmp_path, name)
    client = DOWNLOADERS[name](host, tmp_path / "client", str(torrent))
    assert client.process.poll() is None
    client.stop()
    assert running_in(host.name) == []
