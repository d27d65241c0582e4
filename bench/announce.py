"""The tracker: announces, each on a new connection, beside Debian's opentracker and npm's bittorrent-tracker.

All three hold the same peers of the same swarms and answer each announce with the same number of peers, which is looked
at before anything is measured. Ours does what the others do not: it looks the torrent and its key up, asks whether the
title may circulate, and tells the witness. wrk announces from a core of its own, in turn at each server.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from bench.folder import free_ports, prepared_folder
from bench.report import Report
from bench.rounds import interleaved, median_ratio, on_core
from bench.started import started
from bench.tools import Misleading, tools
from vteam.errors import CannotStart

SERVER_CORE, CLIENT_CORE = 0, 1
PEERS_TOLD = 4
CONNECTIONS, LOADERS = 32, 64
NPM_PACKAGE = "bittorrent-tracker@11"
NPM_SERVER = """
const { default: Server } = await import(process.argv[2] + "/node_modules/bittorrent-tracker/server.js");
const server = new Server({ udp: false, http: true, ws: false, stats: false, trustProxy: false });
server.on("error", () => {}); server.on("warning", () => {});
server.listen(Number(process.argv[3]), "127.0.0.1");
"""
OUR_SERVER = """
import json, sys
from dataclasses import replace
from vteam.edge.server import options_from_settings, run
options = options_from_settings()
# One machine plays a hundred thousand: what one network may do is not what is measured here.
run(replace(options, clients=replace(options.clients, announces_per_network=10**9, witness=None)))
"""
SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = math.random(#paths)
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at], { ["Host"] = "127.0.0.1", ["Connection"] = "close" })
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("TOLD %%d %%d %%d\\n", summary.requests, summary.duration,
    errors.connect + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Swarms of five peers each, rounds in turn, and how long one round asks one server."""

    swarms: int
    rounds: int
    seconds: float


QUICK = Sizes(swarms=2_000, rounds=3, seconds=1)
FULL = Sizes(swarms=20_000, rounds=9, seconds=4)


@dataclass(frozen=True, slots=True)
class Swarm:
    """One swarm: its torrent's hash and two keys, and the port its peers' ports begin at."""

    info_hash: bytes
    seed_key: str
    friend_key: str
    port: int


@dataclass(frozen=True, slots=True)
class Server:
    """A tracker that listens. `has_keys`: ours, where the key stands in the path."""

    name: str
    port: int
    has_keys: bool = False


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """Announces a second of the three, in turn."""
    (wrk, opentracker, node, npm) = tools("wrk", "opentracker", "node", "npm")
    ports = free_ports(4)
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="vteam-bench-")))
        kept.enter_context(prepared_folder(EDGE_PORT=str(ports[0]), STUN_PORT="0", WITNESS_PORT="0"))
        swarms = _torrents(sizes.swarms)
        servers = [
            Server("ours", ports[0], has_keys=True),
            kept.enter_context(_opentracker(opentracker, folder, swarms, ports[1])),
            kept.enter_context(_npm(node, npm, folder, ports[2])),
        ]
        with on_core(SERVER_CORE):
            kept.enter_context(started([sys.executable, "-P", "-c", OUR_SERVER], port=ports[0]))
        with on_core(CLIENT_CORE):
            for server in servers:
                _fill(server, swarms, folder)
            told = {server.name: _peers_told(server, swarms[-1]) for server in servers}
            if set(told.values()) != {PEERS_TOLD}:
                raise Misleading(f"the trackers tell of different peers: {told}")
            scripts = {server.name: _script(server, swarms, folder) for server in servers}
            given = interleaved(
                {
                    server.name: lambda server=server: _asked(  # type: ignore[misc]
                        wrk, server, scripts[server.name], sizes.seconds
                    )
                    for server in servers
                },
                rounds=sizes.rounds,
            )
    return Report(
        bench="announce",
        figures={
            "per_s": statistics.median(given["ours"]),
            "opentracker_per_s": statistics.median(given["opentracker"]),
            "npm_tracker_per_s": statistics.median(given["npm_tracker"]),
            "peers": sizes.swarms * (PEERS_TOLD + 1),
            "swarms": sizes.swarms,
        },
        ratios={peer: median_ratio(given["ours"], given[peer]) for peer in ("opentracker", "npm_tracker")},
        notes=[
            f"{sizes.rounds} rounds of {sizes.seconds:g} s in turn, {CONNECTIONS} at once, each announce on a new "
            f"connection, {PEERS_TOLD} peers in each answer; servers on one core, wrk on another"
        ],
    )


def _torrents(count: int) -> list[Swarm]:
    """So many torrents of one title's, each with keys of its own, as if so many fans had made theirs."""
    from vteam import clock
    from vteam.campaigns.joining import account
    from vteam.channels.swarm.models import Torrent, TorrentTemplate
    from vteam.demo.opening import open_demo
    from vteam.jobs.moving import InboxTable, Mover
    from vteam.people.services import become_fan

    campaign = open_demo()
    at = clock.now()
    fan, _ = become_fan(
        person=account(address="bo@example.org", language="en", at=at),
        campaign_id=campaign.pk,
        name="Bo",
        share_id=None,
        at=at,
    )
    Mover(InboxTable()).move()
    title = campaign.titles.order_by("position")[0]
    template = TorrentTemplate.objects.create(
        title=title,
        name="A title.mp3",
        size=5_000_000,
        piece_bytes=65_536,
        body_sha256="0" * 64,
        body=bytes(20 * 76),
    )
    swarms = [
        Swarm(os.urandom(20), os.urandom(15).hex(), os.urandom(15).hex(), 1024 + number % 60_000)
        for number in range(count)
    ]
    Torrent.objects.bulk_create(
        [
            Torrent(
                info_hash=swarm.info_hash.hex(),
                template=template,
                fan=fan,
                link="https://team.example.org/r/abcdefghij",
                first=bytes(20),
                seed_key=swarm.seed_key,
                friend_key=swarm.friend_key,
                made_at=at,
            )
            for swarm in swarms
        ],
        batch_size=500,
    )
    return swarms


@contextmanager
def _opentracker(program: str, folder: Path, swarms: list[Swarm], port: int) -> Iterator[Server]:
    """Debian's opentracker, which answers in full only for torrents on its list."""
    place = folder / "opentracker"
    place.mkdir()
    place.chmod(0o755)
    folder.chmod(0o755)
    (place / "list").write_text("".join(f"{swarm.info_hash.hex()}\n" for swarm in swarms))
    (place / "list").chmod(0o644)  # it reads as nobody
    command = [program, "-i", "127.0.0.1", "-p", str(port), "-d", str(place), "-w", "list"]
    with on_core(SERVER_CORE):
        here = Path.cwd()
        os.chdir(place)
        try:
            server = started(command, port=port)
            server.__enter__()
        finally:
            os.chdir(here)
    try:
        yield Server("opentracker", port)
    finally:
        server.__exit__(None, None, None)


@contextmanager
def _npm(node: str, npm: str, folder: Path, port: int) -> Iterator[Server]:
    """The Server class of npm's bittorrent-tracker, fetched now and gone afterwards."""
    place = folder / "npm"
    place.mkdir()
    done = subprocess.run(
        [
            npm,
            "install",
            "--ignore-scripts",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(place),
            NPM_PACKAGE,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotStart(f"npm's bittorrent-tracker cannot be fetched: {done.stderr.strip()[-300:]}")
    script = place / "server.mjs"
    script.write_text(NPM_SERVER)
    with on_core(SERVER_CORE):
        server = started([node, str(script), str(place), str(port)], port=port)
        server.__enter__()
    try:
        yield Server("npm_tracker", port)
    finally:
        server.__exit__(None, None, None)


def _path(server: Server, swarm: Swarm, number: int) -> str:
    """An announce of one of a swarm's peers: number 0 downloads, the others seed."""
    key = f"/{swarm.seed_key if number else swarm.friend_key}" if server.has_keys else ""
    peer_id = b"-TR3000-%011d%d" % (swarm.port, number)
    counters = "uploaded=0&downloaded=0" + ("&left=0" if number else "&left=5000000")
    return (
        f"/announce{key}?info_hash={quote_from_bytes(swarm.info_hash, safe='')}&peer_id={quote_from_bytes(peer_id)}"
        f"&port={swarm.port + number}&{counters}&compact=1&numwant={PEERS_TOLD}"
    )


LOAD = """
import asyncio, sys
port, lines = int(sys.argv[1]), open(sys.argv[2]).read().split("\\n")
left = iter(lines)
async def worker():
    for path in left:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n".encode())
        answer = await reader.read()
        writer.close()
        if b"failure" in answer or b"200" not in answer[:20]:
            sys.exit(f"refused: {answer[:300]!r}")
async def all_of_them():
    await asyncio.gather(*(worker() for _ in range(int(sys.argv[3]))))
asyncio.run(all_of_them())
"""


def _fill(server: Server, swarms: list[Swarm], folder: Path) -> None:
    """Every peer of every swarm announces once."""
    lines = folder / f"{server.name}.load"
    lines.write_text(
        "\n".join(_path(server, swarm, number) for swarm in swarms for number in range(PEERS_TOLD, -1, -1))
    )
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(server.port), str(lines), str(LOADERS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Misleading(f"{server.name} refused an announce: {done.stderr.strip()[-400:]}")


def _peers_told(server: Server, swarm: Swarm) -> int:
    """How many peers a server tells of."""
    import http.client

    from fastbencode import bdecode

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", _path(server, swarm, 0))
    answer = bdecode(connection.getresponse().read())
    connection.close()
    return len(answer.get(b"peers", b"")) // 6


def _script(server: Server, swarms: list[Swarm], folder: Path) -> Path:
    """What wrk asks this server: the downloaders' announces, one after the other."""
    lines = folder / f"{server.name}.paths"
    lines.write_text("".join(f"{_path(server, swarm, 0)}\n" for swarm in swarms))
    script = folder / f"{server.name}.lua"
    script.write_text(SCRIPT % lines)
    return script


def _asked(wrk: str, server: Server, script: Path, seconds: float) -> float:
    """Announces a second; Misleading where some were not answered."""
    done = subprocess.run(
        [
            wrk,
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
            "-s",
            str(script),
            f"http://127.0.0.1:{server.port}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"TOLD (\d+) (\d+) (\d+)", done.stdout)
    if not found or int(found[3]):
        raise Misleading(f"{server.name} left announces unanswered: {done.stdout[-300:]}{done.stderr[-300:]}")
    return int(found[1]) / (int(found[2]) / 1_000_000)
