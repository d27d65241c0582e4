"""An internet of our own: hosts in network namespaces, with addresses that exist nowhere else, and a home behind NAT.

Everything hangs on a bridge in a namespace of its own, so that nothing touches the machine's network. Root is needed,
as it is for the other tests that make namespaces.
"""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count()
NFT = "/usr/sbin/nft"
# Where `ip netns exec` takes a namespace's own hosts file from.
NAMES = Path("/etc/netns")


def ip(*words: str) -> None:
    """One `ip` command; its words are shown where it fails."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


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
        self._mark = f"vt{os.getpid() % 100_000}x{next(_numbers)}"
        self._made: list[str] = []
        self._names: tuple[str, Host] | None = None
        self._next = itertools.count(1)
        self._core = self._namespace("core")
        ip("-n", self._core, "link", "add", "name", "all0", "type", "bridge")
        ip("-n", self._core, "link", "set", "all0", "up")

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
        ip("-n", self._core, "link", "set", far, "master", "all0", "up")
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
        """Takes everything down; devices go with their namespaces."""
        for name in self._made:
            shutil.rmtree(NAMES / name, ignore_errors=True)
        for name in self._made:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextmanager
def internet() -> Iterator[Internet]:
    """An internet for as long as it is needed."""
    found = Internet()
    try:
        yield found
    finally:
        found.close()
