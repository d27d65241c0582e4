"""Every client people have, seeding and downloading over an internet of the test's own: each download counts once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import mutagen.id3
import pytest

from tests.torrents import programs
from tests.torrents.installation import Given, Installation, installed
from tests.torrents.networks import Internet, internet
from tests.torrents.programs import Program

Start = Callable[..., Program]
DOWNLOADERS: dict[str, Start] = {
    "aria2": programs.aria2,
    "qbittorrent": programs.qbittorrent,
    "transmission": programs.transmission,
    "libtorrent": programs.libtorrent,
}
SEEDERS: dict[str, Start] = {"transmission": programs.transmission, "libtorrent": programs.libtorrent}


@pytest.fixture(scope="module")
def net() -> Iterator[Internet]:
    with internet() as found:
        yield found


@pytest.fixture(scope="module")
def vteam(net: Internet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(net, tmp_path_factory.mktemp("vteam")) as found:
        yield found


@pytest.fixture
def running() -> Iterator[list[Program]]:
    """Programs that end with the test."""
    found: list[Program] = []
    try:
        yield found
    finally:
        for program in found:
            program.stop()


def seeded(
    net: Internet, vteam: Installation, given: Given, folder: Path, running: list[Program], client: str = "libtorrent",
    upload: int = 400,
) -> Program:  # fmt: skip
    """The fan's client opens the file for their computer, fetches their copy from us and seeds it."""
    program = SEEDERS[client](net.host(), folder / f"seeder{given.fan}", given.mine, upload=upload)
    running.append(program)
    program.whole()
    vteam.eventually(
        lambda: any(each["seeders"] and not each["seeders"][0]["left"] for each in vteam.standing()),
        seconds=30,
    )
    return program


def assert_carries_the_fans_link(program: Program, seeder: Program) -> None:
    (got,) = program.folder.glob("*.mp3")
    (sent,) = seeder.folder.glob("*.mp3")
    assert got.read_bytes() == sent.read_bytes()
    (comment,) = mutagen.id3.ID3(got).getall("COMM")
    assert "/r/" in comment.text[0]


def test_every_client_downloads_from_a_file_and_from_a_magnet_and_each_counts_once(
    net: Internet, vteam: Installation, tmp_path: Path, running: list[Program]
) -> None:
    fans = vteam.fans(*(f"fan-of-{seeder}" for seeder in SEEDERS))
    swarms = []
    for seeder, given in zip(SEEDERS, fans, strict=True):
        fans_own = seeded(net, vteam, given, tmp_path, running, seeder, upload=1500)
        friends = [
            start(net.host(), tmp_path / f"{seeder}-{name}-{form}", what)
            for name, start in DOWNLOADERS.items()
            for form, what in (("file", given.friends), ("magnet", given.magnet))
        ]
        running += friends
        swarms.append((given, fans_own, friends))
    for given, fans_own, friends in swarms:
        for program in friends:
            program.whole(180)
            assert_carries_the_fans_link(program, fans_own)
        judged = vteam.wait_for(given.fan, 8, seconds=90)
        print("\n".join(vteam.evidence()), vteam.standing())  # shown where it fails
        assert [(each.doubt, each.outcome, each.points) for each in judged] == 8 * [(None, "awarded", 500)]
        assert len({each.listener for each in judged}) == 8
    kept = "".join(vteam.evidence() + [str(each) for each in vteam.standing()])
    assert not any(program.host.four in kept or program.host.six in kept for program in running)


ENCRYPTED_ONLY: dict[str, dict[str, object]] = {
    "aria2": {"options": ["--bt-force-encryption=true"]},
    "qbittorrent": {"encryption": 1},
    "transmission": {"encryption": 2},
    "libtorrent": {"in_enc_policy": 0, "out_enc_policy": 0},
}


def test_clients_that_speak_encrypted_alone_count_as_the_others(
    net: Internet, vteam: Installation, tmp_path: Path, running: list[Program]
) -> None:
    (given,) = vteam.fans("insists")
    fans_own = seeded(net, vteam, given, tmp_path, running, upload=800)
    friends = [
        DOWNLOADERS[name](net.host(), tmp_path / name, given.friends, **options)
        for name, options in ENCRYPTED_ONLY.items()
    ]
    running += friends
    for program in friends:
        program.whole(90)
        assert_carries_the_fans_link(program, fans_own)
    judged = vteam.wait_for(given.fan, len(friends), seconds=60)
    print("\n".join(vteam.evidence()[-len(friends) :]), vteam.standing())  # shown where it fails
    assert [(each.doubt, each.points) for each in judged] == len(friends) * [(None, 500)]
