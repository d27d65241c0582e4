"""The peers and tools a bench needs: looked for here, and named with the command that installs them when absent."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from vteam.errors import CannotStart, VTeamError

PACKAGES = {
    "nginx": "nginx-light",
    "wrk": "wrk",
    "redis-server": "redis-server",
    "redis-cli": "redis-tools",
    "haproxy": "haproxy",
    "chromium": "chromium",
    "opentracker": "opentracker",
    "node": "nodejs",
    "npm": "npm",
    "postfix": "postfix",
    "postconf": "postfix",
}
# Debian keeps servers where a plain user's PATH does not look.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Where a commit to disk costs nothing, since there is no disk.
MEMORY = frozenset({"tmpfs", "ramfs"})


class Misleading(VTeamError):
    """A bench did not measure what it says: never a figure, always loud."""


def tools(*names: str) -> list[str]:
    """The programs' paths in the order asked for; CannotStart names every one that is missing."""
    found = [shutil.which(name) or shutil.which(name, path=PATH) for name in names]
    missing = [name for name, path in zip(names, found, strict=True) if path is None]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES[name] for name in missing))
        raise CannotStart(
            f"This bench needs {', '.join(missing)}, not installed here. "
            f"Install with: sudo apt-get install -y --no-install-recommends {packages}"
        )
    return [path for path in found if path is not None]


def browser() -> str:
    """Where Debian's chromium is; CannotStart when it, or Playwright that drives it, is missing."""
    if find_spec("playwright") is None:
        raise CannotStart(
            "This bench drives a browser with Playwright, not installed here. It comes with the test tools: "
            "make .venv/dev.stamp"
        )
    (program,) = tools("chromium")
    return program


def disk_under(folder: Path) -> str:
    """The kind of file system a folder stands on; CannotStart when it is memory."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    kinds = {Path(place): kind for _, place, kind, *_ in mounts}
    kind = next(kinds[parent] for parent in (folder.resolve(), *folder.resolve().parents) if parent in kinds)
    if kind in MEMORY:
        raise CannotStart(f"{folder} stands in memory ({kind}). Name a folder on a disk: TMPDIR=/var/tmp")
    return kind
