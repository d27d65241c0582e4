"""Everything a cheat can try with a torrent client, over real connections: the decision, the points, the words."""

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fastbencode import bdecode

from tests.torrents import cheat
from tests.torrents.installation import EDGE, WITNESS, Installation, Judged
from tests.torrents.networks import Host, Internet


class Stage:
    """A fan who cheats: a client that claims to seed, and liars who claim to download."""

    def __init__(self, net: Internet, vteam: Installation, folder: Path, name: str) -> None:
        self.net, self.vteam, self.folder = net, vteam, folder
        (self.given,) = vteam.fans(name)
        copy = f"{vteam.site}/maree-haute/titles/les-digues/pass-on/copy"
        self.file = folder / "copy.mp3"
        vteam.page(copy, self.given.cookie, "-o", str(self.file))
        self.keys = {"mine": self.key(self.given.mine), "friends": self.key(self.given.friends)}
        self.home = net.host()
        self.numbers = itertools.count()

    def key(self, torrent: str) -> str:
        announce: bytes = bdecode(Path(torrent).read_bytes())[b"announce"]
        return announce.decode().rpartition("/")[2]

    def liar(self, address: str, shows: str, **of: Any) -> dict[str, Any]:
        host = f"[{self.vteam.host.six}]" if ":" in address else self.vteam.host.four
        return {
            "address": address,
            "tracker": [self.vteam.host.six if ":" in address else self.vteam.host.four, EDGE],
            "witness": WITNESS,
            "host": f"{host}:{EDGE}",
            "key": self.keys["friends"],
            "info_hash": self.given.info_hash,
            "size": self.file.stat().st_size,
            "file": str(self.file),
            "shows": shows,
        } | of

    def play(self, *acts: tuple[Host, list[dict[str, Any]]], judged: int) -> list[Judged]:
        """All liars at once while the fan's client claims to seed, until so many downloads were judged."""
        seeds = self.liar(self.home.four, "seeds", key=self.keys["mine"], seconds=120)
        seeder, liars = self._played(self.home, [seeds]), []
        try:
            self.vteam.eventually(lambda: "We see your computer" in self.words(), seconds=30)
            liars = [self._played(host, plays) for host, plays in acts]
            for process in liars:
                assert process.wait(timeout=60) == 0, (self.folder / "liars.log").read_text()
            return self.vteam.wait_for(self.given.fan, judged)
        finally:
            for process in (seeder, *liars):
                process.terminate()
                process.wait()

    def _played(self, host: Host, plays: list[dict[str, Any]]) -> "subprocess.Popen[bytes]":
        told = self.folder / f"plays-{next(self.numbers)}.json"
        told.write_text(json.dumps(plays))
        command = host.within(sys.executable, cheat.__file__, str(told))
        with (self.folder / "liars.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def words(self) -> str:
        """The fan's page as they read it."""
        address = f"{self.vteam.site}/maree-haute/titles/les-digues/seed/now"
        return self.vteam.page(address, self.given.cookie)


@pytest.fixture
def stage(request: pytest.FixtureRequest, net: Internet, vteam: Installation, tmp_path: Path) -> Stage:
    return Stage(net, vteam, tmp_path, request.node.name.replace("_", "-")[-30:].strip("-"))


def test_each_way_to_lie_gets_its_own_answer(stage: Stage) -> None:
    wanted = {
        "nothing": ("unseen", "not_seen", 0, "gave us no piece of it"),
        "all": ("unseen", "not_seen", 0, "gave us no piece of it"),
        "garbage": ("spoiled", "not_seen", 0, "a piece that is not the title"),
        "jump": ("sudden", "review_of_doubt", 500, "all at once, not bit by bit"),
        "mute": ("unchecked", "review_of_doubt", 500, "left before we could ask for a piece"),
    }
    hosts = {shows: stage.net.host() for shows in wanted}
    acts = [(host, [stage.liar(host.four, shows)]) for shows, host in hosts.items()]
    judged = stage.play(*acts, judged=len(wanted))
    assert sorted((each.doubt or "", each.outcome, each.points) for each in judged) == sorted(
        (doubt, outcome, points) for doubt, outcome, points, _ in wanted.values()
    )
    page = stage.words()
    for *_, words in wanted.values():
        assert words in page


def test_counters_that_lie_are_looked_at(stage: Stage) -> None:
    size = stage.file.stat().st_size
    lies = [
        {"last": {"downloaded": size // 4}},
        {"last": {"downloaded": 9 * size}},
        {"midway": {"downloaded": 2 * size}, "last": {"downloaded": size}},
    ]
    hosts = [stage.net.host() for _ in lies]
    acts = [(host, [stage.liar(host.four, "slow", **lie)]) for host, lie in zip(hosts, lies, strict=True)]
    judged = stage.play(*acts, judged=len(lies))
    assert [(each.doubt, each.outcome) for each in judged] == len(lies) * [("counters", "review_of_doubt")]
    assert "does not fit what we saw" in stage.words()


def test_keys_that_ended_or_are_of_another_torrent_get_words_and_nothing_else(
    stage: Stage, vteam: Installation
) -> None:
    (other,) = vteam.fans("somebody-else")
    host = stage.net.host()
    before = dict(stage.keys)
    page = f"{vteam.site}/maree-haute/titles/les-digues/seed/keys"
    vteam.page(
        page,
        stage.given.cookie,
        "-X",
        "POST",
        "-H",
        "Sec-Fetch-Site: same-origin",
        "-H",
        f"Origin: {vteam.site}",
    )
    (now,) = vteam.again(stage.given)
    time.sleep(3)
    told = [
        stage.liar(host.four, "nothing", key=stage.key(now.friends)),
        stage.liar(host.four, "slow", key=before["friends"]),
        stage.liar(host.four, "slow", key=before["mine"]),
        stage.liar(host.four, "slow", key=stage.key(other.friends)),
        stage.liar(host.four, "slow", info_hash="ab" * 20),
    ]
    path = stage.folder / "told.json"
    path.write_text(json.dumps(told))
    answers = [
        json.loads(line).get("refused")
        for line in host.run(sys.executable, cheat.__file__, path).splitlines()
    ]
    assert answers == [None] + 3 * [
        "this file is no longer good: get a new one from the page it came from"
    ] + ["this torrent is not ours"]
    assert vteam.judged(stage.given.fan) == []


def test_many_clients_at_one_address_or_in_one_64_are_one(stage: Stage) -> None:
    host, many = stage.net.host(), stage.net.host()
    six = many.six.rpartition("::")[0]
    more = [f"{six}::{number}" for number in range(101, 105)]
    for address in more:
        many.run("ip", "addr", "add", f"{address}/20", "dev", "eth0", "nodad")
    stage.play(
        (host, [stage.liar(host.four, "slow", peer_id=f"-LT2110-{number:012}") for number in range(3)]),
        (many, [stage.liar(address, "slow") for address in more]),
        judged=2,
    )
    time.sleep(5)
    judged = stage.vteam.judged(stage.given.fan)
    assert [(each.doubt, each.outcome) for each in judged] == 2 * [(None, "awarded")]


def test_many_addresses_in_one_24_count_five_times_and_in_one_48_ten_times(
    stage: Stage, net: Internet
) -> None:
    host, wide = net.host(), net.host()
    near = host.four.rpartition(".")[0]
    addresses = [f"{near}.{number}" for number in range(20, 26)]
    net_48 = [f"2a01:c0de:1:{number:x}::7" for number in range(7)]
    for address in addresses:
        host.run("ip", "addr", "add", f"{address}/8", "dev", "eth0")
    for address in net_48:
        wide.run("ip", "addr", "add", f"{address}/20", "dev", "eth0", "nodad")
    near_ones = stage.play((host, [stage.liar(address, "slow") for address in addresses]), judged=6)
    assert sorted(each.outcome for each in near_ones) == 5 * ["awarded"] + ["needs_review"]
    judged = stage.play((wide, [stage.liar(address, "slow") for address in net_48]), judged=13)
    assert {each.doubt for each in judged} == {None}
    assert sorted(each.outcome for each in judged) == (
        10 * ["awarded"] + ["needs_review"] + 2 * ["review_of_unknown"]
    )


def test_the_fans_own_second_machine_at_home_is_the_same_person(stage: Stage) -> None:
    (judged,) = stage.play((stage.home, [stage.liar(stage.home.four, "slow")]), judged=1)
    assert (judged.same_person, judged.outcome, judged.points) == (True, "same_person", 0)


def test_the_bound_a_holder_who_plays_a_slow_download_or_a_relay_of_the_fans_passes(stage: Stage) -> None:
    """Stated in docs/evidence.md; should this ever fail, say less there."""
    host = stage.net.host()
    (judged,) = stage.play((host, [stage.liar(host.four, "slow")]), judged=1)
    assert (judged.doubt, judged.outcome, judged.points) == (None, "awarded", 500)
    assert "relay" in (Path(__file__).parents[2] / "docs" / "evidence.md").read_text().lower()
