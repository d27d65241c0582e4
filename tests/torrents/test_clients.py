"""Every client people have, seeding and downloading over an internet of the test's own: each download counts once."""

from collections.abc import Callable
from pathlib import Path

import mutagen.id3

from tests.torrents import programs
from tests.torrents.installation import Given, Installation
from tests.torrents.networks import Internet
from tests.torrents.programs import Program

Start = Callable[..., Program]
DOWNLOADERS: dict[str, Start] = {
    "aria2": programs.aria2,
    "qbittorrent": programs.qbittorrent,
    "transmission": programs.transmission,
    "libtorrent": programs.libtorrent,
}
SEEDERS: dict[str, Start] = {"transmission": programs.transmission, "libtorrent": programs.libtorrent}


def seeded(
    net: Internet, vteam: Installation, given: Given, folder: Path, running: list[Program], client: str = "libtorrent",
    upload: int = 400, **options: object,
) -> Program:  # fmt: skip
    """The fan's client opens the file for their computer, fetches their copy from us and seeds it."""
    program = SEEDERS[client](net.host(), folder / f"seeder{given.fan}", given.mine, upload=upload, **options)
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
        fans_own = seeded(net, vteam, given, tmp_path, running, seeder, upload=800)
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


ENCRYPTED_ALONE: dict[str, dict[str, object]] = {
    "aria2": {"options": ["--bt-force-encryption=true"]},
    "qbittorrent": {"encryption": 1},
    "transmission": {"encryption": 2},
    "libtorrent": {"in_enc_policy": 0, "out_enc_policy": 0},
}
IN_THE_CLEAR: dict[str, dict[str, object]] = {
    "aria2": {},
    "qbittorrent": {"encryption": 2},
    "transmission": {"encryption": 0},
    "libtorrent": {"in_enc_policy": 2, "out_enc_policy": 2},
}


def test_clients_that_insist_on_encryption_and_clients_without_count_as_the_others(
    net: Internet, vteam: Installation, tmp_path: Path, running: list[Program]
) -> None:
    """The fan's own client is set as those of their friends are."""
    kinds = {"transmission": ENCRYPTED_ALONE, "libtorrent": IN_THE_CLEAR}
    swarms = []
    for (seeder, options), given in zip(
        kinds.items(), vteam.fans(*(f"set-{name}" for name in kinds)), strict=True
    ):
        fans_own = seeded(net, vteam, given, tmp_path, running, seeder, 800, **options[seeder])
        friends = [
            start(net.host(), tmp_path / f"{seeder}-{name}", given.friends, **options[name])
            for name, start in DOWNLOADERS.items()
        ]
        running += friends
        swarms.append((given, fans_own, friends))
    for given, fans_own, friends in swarms:
        for program in friends:
            program.whole(120)
            assert_carries_the_fans_link(program, fans_own)
        judged = vteam.wait_for(given.fan, len(friends), seconds=60)
        print("\n".join(vteam.evidence()), vteam.standing())  # shown where it fails
        assert [(each.doubt, each.points) for each in judged] == len(friends) * [(None, 500)]
