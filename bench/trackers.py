"""Other trackers, beside ours: Debian's opentracker and npm's bittorrent-tracker, started here and ended here."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.started import started
from bench.tools import tools
from vteam.errors import CannotStart

PACKAGE = "bittorrent-tracker@11.2.3"
INSTALL_SECONDS_MAX = 120
# Statistics would list every swarm to whoever asks; all else is as it comes.
SERVER = """
import Server from 'bittorrent-tracker/server'
const server = new Server({{ http: true, udp: false, ws: false, stats: false }})
server.on('error', error => {{ console.error(error.message); process.exit(1) }})
server.listen({port}, '127.0.0.1')
"""


@contextmanager
def opentracker(folder: Path, port: int, info_hashes: Iterable[bytes]) -> Iterator[int]:
    """Opentracker's process id; it answers for the hashes named and refuses all others."""
    (program,) = tools("opentracker")
    folder.mkdir()
    listed = folder / "hashes"
    listed.write_text("".join(f"{info_hash.hex()}\n" for info_hash in info_hashes))
    folder.chmod(0o755)  # the list is read as somebody else
    listed.chmod(0o644)
    # Where it may, it locks itself into the folder it stands in: only from there is the list found either way.
    where = ["-i", "127.0.0.1", "-p", str(port), "-P", str(port), "-d", str(folder)]
    with started(["env", "-C", str(folder), program, *where, "-w", "hashes"], port=port) as pid:
        yield pid


def install_npm_tracker(folder: Path) -> None:
    """The package and what it needs, as npm is set up here, none of their scripts run; CannotStart without them."""
    (npm,) = tools("npm")
    folder.mkdir()
    words = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", PACKAGE]
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS_MAX
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise CannotStart(f"npm could not install {PACKAGE}: {last}")


@contextmanager
def npm_tracker(folder: Path, port: int) -> Iterator[int]:
    """The process id of the package's own server, over HTTP alone."""
    (node,) = tools("node")
    script = folder / "server.mjs"
    script.write_text(SERVER.format(port=port))
    with started([node, str(script)], port=port) as pid:
        yield pid
