"""Announces of torrent clients, a new connection each, beside Debian's opentracker and npm's bittorrent-tracker.

All three know the same peers of the same swarms, are asked the same in the same order, and must tell of the same
number of peers, or nothing is reported. Ours is the real edge over a real installation: it looks up whose torrent it
is, its keys, its season and its right besides. The ratios are by the clock, and (`_cpu`) by each server's own
processor time: on two cores no client keeps the fastest of them busy, so that by the clock it looks slower than it is.
"""

import contextlib
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from bench import kernel
from bench.announcers import Ask, announced
from bench.folder import free_ports, prepared_folder
from bench.report import Report
from bench.rounds import median_ratio, on_core
from bench.started import role, started
from bench.tools import Misleading, tools
from bench.trackers import install_npm_tracker, npm_tracker, opentracker

SERVER_CORE, CLIENT_CORE = 0, 1
FRIENDS_PER_SWARM = 4
PEERS_PER_SWARM = 1 + FRIENDS_PER_SWARM
SEED = 20_261_128
OURS, OPENTRACKER, NPM = "edge", "opentracker", "npm_tracker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many swarms of PEERS_PER_SWARM, and how many announces to each tracker in a round."""

    swarms: int
    rounds: int
    announces: int


QUICK = Sizes(swarms=2_000, rounds=3, announces=4_000)
FULL = Sizes(swarms=20_000, rounds=9, announces=20_000)


class Swarm(NamedTuple):
    """A fan's torrent: its hash, and the keys of our tracker's addresses."""

    info_hash: bytes
    seed_key: str
    friend_key: str


class Round(NamedTuple):
    """Announces a second by the clock, and a second of the tracker's own processor time."""

    per_s: float
    per_cpu_s: float


class Tracker:
    """One tracker under the load. `asks`: every peer's announce; `told`: of how many peers each must be told."""

    def __init__(self, pid: int, port: int, asks: Sequence[Ask], told: Sequence[int]) -> None:
        self._pid, self._port, self._asks, self._told = pid, port, asks, told

    def fill(self, order: Sequence[int]) -> None:
        """Everybody announces for the first time."""
        announced(self._port, [self._asks[peer] for peer in order])

    def round(self, order: Sequence[int]) -> Round:
        """These peers announce again; Misleading where they are not told of as many others as they must be."""
        asks = [self._asks[peer] for peer in order]
        computed, begun = kernel.cpu_seconds(self._pid), time.perf_counter()
        told = announced(self._port, asks)
        took_s, cpu_s = time.perf_counter() - begun, kernel.cpu_seconds(self._pid) - computed
        if told != sum(self._told[peer] for peer in order):
            raise Misleading(f"A tracker told of {told:,} peers, and not of as many as the others.")
        return Round(len(order) / took_s, len(order) / max(cpu_s, 0.01))


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """Rounds in turn over swarms that everybody is in already."""
    tools("opentracker", "node", "npm")
    chance = random.Random(SEED)  # noqa: S311  # to be repeated, not to be secret
    peers = sizes.swarms * PEERS_PER_SWARM
    with _trackers(sizes) as trackers:
        everybody = list(range(peers))
        chance.shuffle(everybody)
        with on_core(CLIENT_CORE):
            for tracker in trackers.values():
                tracker.fill(everybody)
            given: dict[str, list[Round]] = {name: [] for name in trackers}
            for _ in range(sizes.rounds):
                order = [chance.randrange(peers) for _ in range(sizes.announces)]
                for name, tracker in trackers.items():
                    given[name].append(tracker.round(order))
    by_clock = {name: [one.per_s for one in rounds] for name, rounds in given.items()}
    by_cpu = {name: [one.per_cpu_s for one in rounds] for name, rounds in given.items()}
    return Report(
        bench="announce",
        figures={
            "per_s": statistics.median(by_clock[OURS]),
            "per_cpu_s": statistics.median(by_cpu[OURS]),
            **{f"{name}_per_s": statistics.median(by_clock[name]) for name in (OPENTRACKER, NPM)},
        },
        ratios={
            **{name: median_ratio(by_clock[OURS], by_clock[name]) for name in (OPENTRACKER, NPM)},
            **{f"{name}_cpu": median_ratio(by_cpu[OURS], by_cpu[name]) for name in (OPENTRACKER, NPM)},
        },
        notes=[*_notes(sizes), *_busy(given)],
    )


def _notes(sizes: Sizes) -> list[str]:
    return [
        f"{sizes.swarms * PEERS_PER_SWARM:,} peers in {sizes.swarms:,} swarms, {sizes.rounds} rounds of "
        f"{sizes.announces:,} announces, each over a connection of its own; server and client a core each",
        f"each swarm one seeder, told of {FRIENDS_PER_SWARM}, and {FRIENDS_PER_SWARM} friends, told of one; "
        "all three trackers told of equally many",
    ]


def _busy(given: Mapping[str, Sequence[Round]]) -> list[str]:
    """How busy each server was: one that was not is faster than the client could ask."""
    return [
        f"{name}: {statistics.median(one.per_s for one in rounds):,.0f} a second by the clock with "
        f"{statistics.median(one.per_s / one.per_cpu_s for one in rounds):.0%} of its core in use, "
        f"{statistics.median(one.per_cpu_s for one in rounds):,.0f} a second of its processor time"
        for name, rounds in given.items()
    ]


@contextlib.contextmanager
def _trackers(sizes: Sizes) -> Iterator[Mapping[str, Tracker]]:
    edge_port, opentracker_port, npm_port = free_ports(3)
    with contextlib.ExitStack() as stack:
        beside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vteam-bench-")))
        beside.chmod(0o755)
        install_npm_tracker(beside / "npm")
        # Neither a network's budget nor forgetting is what is measured.
        stack.enter_context(
            prepared_folder(
                EDGE_PORT=str(edge_port),
                WITNESS_PORT="0",
                ANNOUNCES_PER_NETWORK_MINUTE="100000000",
                ANNOUNCE_SECONDS="1800",
                LOG_LEVEL="error",
            )
        )
        swarms = _made(sizes.swarms)
        hashes = [swarm.info_hash for swarm in swarms]
        with on_core(SERVER_CORE):
            edge = stack.enter_context(started(role("edge"), port=edge_port))
            open_ = stack.enter_context(opentracker(beside / "open", opentracker_port, hashes))
            npm = stack.enter_context(npm_tracker(beside / "npm", npm_port))
        told = [FRIENDS_PER_SWARM if peer % PEERS_PER_SWARM == 0 else 1 for peer in range(5 * len(swarms))]
        theirs = _asks(swarms, ours=False)
        yield {
            OURS: Tracker(edge, edge_port, _asks(swarms, ours=True), told),
            OPENTRACKER: Tracker(open_, opentracker_port, theirs, told),
            NPM: Tracker(npm, npm_port, theirs, told),
        }


def _made(count: int) -> list[Swarm]:
    """So many torrents of a title of the demo's that may be passed on."""
    from vteam import clock
    from vteam.channels.swarm.models import Torrent, TorrentTemplate
    from vteam.channels.swarm.seeding import template_of
    from vteam.channels.swarm.torrents.metainfo import HASH_BYTES, info_hash_of
    from vteam.demo.opening import open_demo
    from vteam.demo.season import play_season
    from vteam.people.models import Fan

    campaign = open_demo()
    play_season(campaign, fans=1)
    title, fan = campaign.titles.get(key="les-digues"), Fan.objects.filter(campaign_id=campaign.pk).first()
    if fan is None:
        raise Misleading("Nobody joined the demo.")
    stored = TorrentTemplate.objects.create(
        title=title,
        name="title.mp3",
        size=100 * 65_536,
        piece_bytes=65_536,
        body_sha256=title.body_sha256,
        body=secrets.token_bytes(99 * HASH_BYTES),
    )
    template = template_of(stored)
    firsts = [secrets.token_bytes(HASH_BYTES) for _ in range(count)]
    swarms = [
        Swarm(info_hash_of(template, first), f"s{n:029}", f"f{n:029}") for n, first in enumerate(firsts)
    ]
    Torrent.objects.bulk_create(
        [
            Torrent(
                info_hash=swarm.info_hash.hex(),
                template=stored,
                fan=fan,
                link="http://localhost/r/abcdefghij",
                first=first,
                seed_key=swarm.seed_key,
                friend_key=swarm.friend_key,
                made_at=clock.now(),
            )
            for swarm, first in zip(swarms, firsts, strict=True)
        ],
        batch_size=1_000,
    )
    return swarms


def _asks(swarms: Sequence[Swarm], *, ours: bool) -> list[Ask]:
    """What every peer asks: the seeders' and the friends' of one swarm each from an address of their own."""
    return [
        Ask(f"127.0.0.{2 + place}", _request(swarm, number, place, ours=ours))
        for number, swarm in enumerate(swarms)
        for place in range(PEERS_PER_SWARM)
    ]


def _request(swarm: Swarm, number: int, place: int, *, ours: bool) -> bytes:
    seeds = place == 0
    key = f"/{swarm.seed_key if seeds else swarm.friend_key}" if ours else ""
    peer_id = f"-vT0001-{number:06}{place:06}"
    return (
        f"GET /announce{key}?info_hash={quote_from_bytes(swarm.info_hash, safe='')}&peer_id={peer_id}"
        f"&port={10_000 + place}&uploaded=0&downloaded=0&left={0 if seeds else 6_553_600}&compact=1"
        f"&numwant={FRIENDS_PER_SWARM if seeds else 1} HTTP/1.1\r\n"
        "Host: localhost\r\nUser-Agent: bench\r\nConnection: close\r\n\r\n"
    ).encode()
