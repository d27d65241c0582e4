"""What the kernel says of processes, what they use, listening sockets and file locks, from /proc: Linux only.

Whoever wants to know whether processes behave does not ask the processes.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that runs. `group`: its process group, which what it forks keeps even when it is gone."""

    pid: int
    parent: int
    group: int
    words: tuple[str, ...]


def processes_with(variable: str, value: str) -> list[Process]:
    """Those with this variable in the environment they were started with; no zombies."""
    mark = f"{variable}={value}".encode()
    found = (_process(folder, mark) for folder in PROC.iterdir() if folder.name.isdigit())
    return [process for process in found if process is not None]


def _process(folder: Path, mark: bytes) -> Process | None:
    try:
        if mark not in (folder / "environ").read_bytes().split(b"\0"):
            return None
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        state, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None  # it ended meanwhile, or is somebody else's
    if state in "ZX":
        return None
    return Process(pid=int(folder.name), parent=int(parent), group=int(group), words=tuple(words))


def share_kib(pid: int) -> int:
    """A process's own share of memory (Pss): pages several use are divided among them."""
    rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def cpu_seconds(pid: int) -> float:
    """How long a process has computed until now, all its threads together, for itself and in the kernel."""
    words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def listening_on(port: int) -> set[str]:
    """The inodes of the sockets that listen on a port, of any IPv4 address.

    The kernel lists listeners before all other sockets (its proc_net_tcp.rst), which may be thousands.
    """
    found = set()
    with (PROC / "net" / "tcp").open() as rows:
        next(rows)
        for row in rows:
            _, address, _, state, _, _, _, _, _, inode, *_ = row.split()
            if state != LISTENING:
                break
            if int(address.rpartition(":")[2], 16) == port:
                found.add(inode)
    return found


def sockets_of(pid: int) -> set[str]:
    """The inodes of the sockets a process has open; none when it ended."""
    try:
        open_files = [str(file.readlink()) for file in (PROC / str(pid) / "fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return set()
    return {name[len("socket:[") : -1] for name in open_files if name.startswith("socket:[")}


def lock_holders(files: Iterable[Path]) -> dict[str, set[int]]:
    """The processes that took a lock (flock) on each of these files, by the file's stem; not those who wait.

    The kernel's list is read in pieces, so a lock that changes hands meanwhile may be told of both.
    """
    stems = {str(file.stat().st_ino): file.stem for file in files}
    held: dict[str, set[int]] = {stem: set() for stem in stems.values()}
    for line in (PROC / "locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK" and (stem := stems.get(words[5].rpartition(":")[2])):
            held[stem].add(int(words[4]))
    return held
