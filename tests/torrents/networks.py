"""An internet of our own: hosts in network namespaces, with addresses that exist nowhere else, and a home behind NAT.

Everything hangs on a bridge in a namespace of its own, so that nothing touches the machine's network. Root is needed,
as it is for the other tests that make namespaces. Names carry the process id of the tests, so that runs beside each
other do not meet, and what a killed run left behind is known for that and taken down by the next.
"""

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count()
BRIDGE = "all0"
NFT = "/usr/sbin/nft"
# Where `ip netns exec` takes a namespace's own hosts file from.
NAMES = Path("/etc/netns")
# Where the namespaces are that have a name.
MADE = Path("/run/netns")


def ip(*words: str) -> str:
    """What one `ip` command printed; its words are shown where it fails."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
    return done.stdout


def running_in(name: str) -> list[int]:
    """The process ids of what runs in a namespace."""
    return [int(pid) for pid in ip("netns", "pids", name).split()]


def leftovers() -> list[str]:
    """The namespaces of runs that are no more; those of a run that goes on are its own."""
    found = [re.fullmatch(r"vt(\d+)x\d+[a-z]+\d*", each.name) for each in MADE.glob("vt*")]
    return [each[0] for each in found if each and not Path(f"/proc/{each[1]}").exists()]


def _forgotten(name: str) -> bool:
    """Whether a namespace went, with its devices and its names."""
    shutil.rmtree(NAMES / name, ignore_errors=True)
    return subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False).returncode == 0


@dataclass(frozen=True)
class Host:
    """A namespace with its addresses."""

    name: str
    four: str
    six: str

    def within(self, *command: str | Path) -> list[str]:
        """The command, run in here."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, *command: str | Path, seconds: float = 30) -> str:
        """What a command run in here printed."""
        done = subprocess.run(
            self.within(*command),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


class Internet:
    """Made and taken down by `internet()`."""

    def __init__(self) -> None:
        self._mark = f"vt{os.getpid()}x{next(_numbers)}"
        self._made: list[str] = []
        self._names: tuple[str, Host] | None = None
        self._next = itertools.count(1)

    def open(self) -> None:
        """The bridge that all hosts are plugged into."""
        self._core = self._namespace("core")
        ip("-n", self._core, "link", "add", "name", BRIDGE, "type", "bridge")
        ip("-n", self._core, "link", "set", BRIDGE, "up")

    def _namespace(self, what: str) -> str:
        name = f"{self._mark}{what}"
        ip("netns", "add", name)
        self._made.append(name)
        ip("-n", name, "link", "set", "lo", "up")
        if self._names:
            self.name(*self._names)
        return name

    def _plug(self, namespace: str, device: str) -> None:
        """A cable from a host to the bridge."""
        far = f"p{next(self._next)}"
        ip("-n", namespace, "link", "add", device, "type", "veth", "peer", "name", far, "netns", self._core)
        ip("-n", self._core, "link", "set", far, "master", BRIDGE, "up")
        ip("-n", namespace, "link", "set", device, "up")

    def host(self, *, four: str | None = None, six: str | None = None) -> Host:
        """A host; unless told otherwise in a /24 and a /64 of its own."""
        number = next(self._next)
        name = self._namespace(f"h{number}")
        self._plug(name, "eth0")
        found = Host(name, four or f"80.1.{number}.7", six or f"2a01:cb00:{number:x}::7")
        ip("-n", name, "addr", "add", f"{found.four}/8", "dev", "eth0")
        ip("-n", name, "addr", "add", f"{found.six}/20", "dev", "eth0", "nodad")
        return found

    def behind_nat(self) -> Host:
        """A host at home: its router lets it out and nobody in."""
        number = next(self._next)
        router, home = self._namespace(f"r{number}"), self._namespace(f"n{number}")
        self._plug(router, "wan")
        outside = f"80.1.{number}.7"
        ip("-n", router, "addr", "add", f"{outside}/8", "dev", "wan")
        ip("-n", router, "link", "add", "lan", "type", "veth", "peer", "name", "eth0", "netns", home)
        ip("-n", router, "addr", "add", "192.168.1.1/24", "dev", "lan")
        ip("-n", router, "link", "set", "lan", "up")
        ip("-n", home, "addr", "add", "192.168.1.2/24", "dev", "eth0")
        ip("-n", home, "link", "set", "eth0", "up")
        ip("-n", home, "route", "add", "default", "via", "192.168.1.1")
        rules = """
            table ip nat {
                chain out { type nat hook postrouting priority 100; oifname wan masquerade; }
            }
            table ip keep {
                chain in {
                    type filter hook forward priority 0; policy drop;
                    iifname lan accept
                    ct state established,related accept
                }
            }
        """
        inside = Host(router, outside, "")
        inside.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        done = subprocess.run(
            inside.within(NFT, "-f", "-"), input=rules, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return Host(home, outside, "")

    def name(self, what: str, host: "Host") -> None:
        """From now on every host finds another by a name, over both families."""
        for name in self._made:
            folder = NAMES / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{host.four} {what}\n{host.six} {what}\n")
        self._names = (what, host)

    def close(self) -> None:
        """Takes everything down: programs that a failed test left running, then the hosts, with their devices."""
        for name in self._made:
            for pid in running_in(name):
                with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                    os.kill(pid, signal.SIGKILL)
        left = [name for name in self._made if not _forgotten(name)]
        assert not left, f"still there: {left}"


@contextmanager
def internet() -> Iterator[Internet]:
    """An internet for as long as it is needed."""
    for name in leftovers():
        _forgotten(name)  # if it cannot go it is no harm to this run: its name is another
    found = Internet()
    try:
        found.open()
        yield found
    finally:
        found.close()
