"""What happens to honest people: a router in between, a client that leaves, a seeder that returns, our own restart."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torrents import programs
from tests.torrents.installation import Given, Installation
from tests.torrents.networks import Host, Internet
from tests.torrents.programs import Program

SLOW = 150
AT_ONCE = 1500
"""KiB a second a seeder sends: slow enough to do something meanwhile, or not."""


class Scene:
    """A fan who seeds with libtorrent, and friends."""

    def __init__(self, net: Internet, vteam: Installation, folder: Path, name: str) -> None:
        self.net, self.vteam, self.folder = net, vteam, folder
        self.running: list[Program] = []
        (self.given,) = vteam.fans(name)

    def seeds(
        self, given: Given | None = None, *, upload: int = AT_ONCE, host: Host | None = None
    ) -> Program:
        given = given or self.given
        folder = self.folder / f"seeder{given.fan}-{len(self.running)}"
        program = programs.libtorrent(host or self.net.host(), folder, given.mine, upload=upload)
        self.running.append(program)
        program.whole()
        return program

    def again(self, seeder: Program, *, upload: int = AT_ONCE) -> Program:
        """The same computer, started anew with what it had."""
        log = seeder.log.rename(seeder.log.with_suffix(".before"))
        assert log.exists()
        program = programs.libtorrent(seeder.host, seeder.folder, self.given.mine, upload=upload)
        self.running.append(program)
        return program.whole()

    def loads(
        self, start: object = programs.libtorrent, what: str = "", host: Host | None = None, **of: object
    ) -> Program:
        folder = self.folder / f"friend{len(self.running)}"
        program: Program = start(host or self.net.host(), folder, what or self.given.friends, **of)  # type: ignore[operator]
        self.running.append(program)
        return program

    def half(self) -> None:
        """Until somebody was seen to have a good part of it."""

        def is_half() -> bool:
            return any(
                0.2 < download["have"] / each["pieces"] < 0.8
                for each in self.vteam.standing()
                for download in each["downloads"]
                if not download["judged_us"]
            )

        self.vteam.eventually(is_half, seconds=40, what="half of it")

    def judged(self, count: int = 1, seconds: float = 60) -> list[tuple[str | None, str, int]]:
        found = self.vteam.wait_for(self.given.fan, count, seconds=seconds)
        print("\n".join(self.vteam.evidence()[-count:]))  # shown where it fails
        return [(each.doubt, each.outcome, each.points) for each in found]


COUNTED = (None, "awarded", 500)


@pytest.fixture
def scene(
    request: pytest.FixtureRequest, net: Internet, vteam: Installation, tmp_path: Path
) -> Iterator[Scene]:
    found = Scene(net, vteam, tmp_path, request.node.name.replace("_", "-")[-30:].strip("-"))
    try:
        yield found
    finally:
        for program in found.running:
            program.stop()


def test_a_friend_behind_nat_counts_and_so_does_one_who_leaves_at_the_end(scene: Scene) -> None:
    # Slow enough to be asked twice on the way: one who leaves while the last question is open is otherwise looked at.
    scene.seeds(upload=SLOW * 2)
    at_home = scene.net.behind_nat()
    friends = [scene.loads(programs.transmission, host=at_home), scene.loads(programs.aria2, seed_minutes=0)]
    for friend in friends:
        friend.whole()
    assert scene.judged(2) == 2 * [COUNTED]
    assert friends[1].process.poll() == 0


def test_several_at_once_over_one_family_the_other_and_both(scene: Scene) -> None:
    scene.seeds(upload=SLOW * 4)
    four, six = scene.net.host(), scene.net.host()
    four.run("ip", "addr", "del", f"{four.six}/20", "dev", "eth0")
    six.run("ip", "addr", "del", f"{six.four}/8", "dev", "eth0")
    friends = [
        scene.loads(what=scene.given.magnet, host=four),
        scene.loads(host=six),
        scene.loads(what=scene.given.magnet, host=scene.net.host()),
    ]
    for friend in friends:
        friend.whole()
    assert scene.judged(3) == 3 * [COUNTED]
    assert len({each.listener for each in scene.vteam.judged(scene.given.fan)}) == 3


def test_a_seeder_leaves_and_comes_back_midway(scene: Scene) -> None:
    seeder = scene.seeds(upload=SLOW)
    friend = scene.loads().a_part()
    seeder.stop()
    time.sleep(3)
    scene.again(seeder)
    friend.whole(90)
    assert scene.judged() == [COUNTED]


def test_our_own_restart_midway_means_that_a_person_looks(scene: Scene) -> None:
    scene.seeds(upload=SLOW // 3)
    friend = scene.loads()
    scene.half()  # as it was kept
    scene.vteam.kill_edge()
    friend.whole(120)
    assert scene.judged(seconds=90) == [("gap", "review_of_doubt", 500)]
    address = f"{scene.vteam.site}/maree-haute/titles/les-digues/seed/now"
    assert "we were away for a part" in scene.vteam.page(address, scene.given.cookie)


def test_the_same_title_twice_counts_once_and_from_two_fans_for_each(scene: Scene) -> None:
    (other,) = scene.vteam.fans("another-fan")
    # Slow enough to be met before they have most of it.
    scene.seeds(upload=SLOW * 2)
    scene.seeds(other, upload=SLOW * 2)
    host = scene.net.host()
    first = scene.loads(host=host)
    first.whole()
    assert scene.judged() == [COUNTED]
    first.stop()
    scene.loads(host=host).whole()
    scene.loads(programs.aria2, what=other.friends, host=host).whole()
    found = scene.vteam.wait_for(other.fan, 1)
    assert [(each.doubt, each.outcome) for each in found] == [(None, "awarded")]
    assert scene.judged() == [COUNTED]


def test_the_page_shows_the_set_up_and_explains_a_friend_with_the_wrong_file(scene: Scene) -> None:
    address = f"{scene.vteam.site}/maree-haute/titles/les-digues/seed/now"

    def page() -> str:
        return scene.vteam.page(address, scene.given.cookie)

    assert "We have not seen your computer yet" in page()
    fans_own = programs.qbittorrent(scene.net.behind_nat(), scene.folder / "own", scene.given.mine)
    scene.running.append(fans_own)
    fans_own.whole()
    scene.vteam.eventually(lambda: "We see your computer" in page(), seconds=30)
    scene.vteam.eventually(lambda: "cannot be called from outside" in page(), seconds=30)
    scene.loads(what=scene.given.mine, enable_outgoing_tcp=True, ban_web_seeds=True, urlseed_timeout=1)
    scene.vteam.eventually(lambda: "A friend seems to have the file" in page(), seconds=30)
