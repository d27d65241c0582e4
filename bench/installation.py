"""A whole installation as its machine sees it: `vteam run` kept running, its processes, doors and locks."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import kernel
from bench.kernel import Process
from vteam.locks import FOLDER
from vteam.processes.doors import answers

VTEAM = (sys.executable, "-c", "from vteam.cli import main; main()")
ROLES = ("site", "edge", "jobs")
SUPERVISOR, WORKER = "supervisor", "worker"
OPENED = "Ctrl-C stops it"
STOP_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.05


class Installation:
    """`vteam run ROLES` over a data folder of its own; `environment`: its VTEAM_ variables, without the prefix."""

    def __init__(
        self, environment: Mapping[str, str], *, roles: Sequence[str] = ROLES, workers: int = 2
    ) -> None:
        self.data, self.roles = Path(environment["DATA"]), roles
        self.ports = {role: int(environment[f"{role.upper()}_PORT"]) for role in roles if role != "jobs"}
        self.starts = 0
        self._workers = workers if "site" in roles else 0
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        ours = {**environment, "SITE_WORKERS": str(workers)}
        self._environment = kept | {f"VTEAM_{name}": value for name, value in ours.items()}
        self._log = self.data.with_name(f"{self.data.name}.log")
        self._log.touch()
        self._said_before = 0
        self._run: subprocess.Popen[bytes] | None = None

    # Running --------------------------------------------------------------------------------------------------
    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another command of `vteam` on this installation, to its end."""
        return subprocess.run(
            [*VTEAM, *words], env=self._environment, capture_output=True, text=True, check=False
        )

    def keep_running(self) -> None:
        """Starts `vteam run` when it is not there, as an init system does; returns at once."""
        if self._run is not None and self._run.poll() is None:
            return
        self._said_before = self._log.stat().st_size
        with self._log.open("ab") as log:
            words = [*VTEAM, "run", *self.roles]
            self._run = subprocess.Popen(words, env=self._environment, stdout=log, stderr=log)
        self.starts += 1

    def stop(self) -> int:
        """Ends it in order; the exit status."""
        if self._run is None:
            return 0
        self._run.send_signal(signal.SIGTERM)
        return self._run.wait(timeout=STOP_SECONDS_MAX)

    def log(self, *, since_start: bool = False) -> str:
        """What it said, all of it or since it was last started."""
        return self._log.read_bytes()[self._said_before if since_start else 0 :].decode(errors="replace")

    # Looking --------------------------------------------------------------------------------------------------
    def processes(self) -> list[Process]:
        """Every process over this data folder, whoever its parent is now."""
        return kernel.processes_with("VTEAM_DATA", str(self.data))

    def by_kind(self, processes: Sequence[Process]) -> dict[str, list[Process]]:
        """The supervisor of now and all below it, by what they are; whoever is left is under "stray"."""
        run = self._run.pid if self._run else None
        found: dict[str, list[Process]] = {}
        roles = {process.pid for process in processes if process.parent == run}
        for process in processes:
            if process.pid == run:
                kind = SUPERVISOR
            elif process.pid in roles:
                kind = next((role for role in self.roles if role in process.words), "stray")
            else:
                kind = WORKER if process.parent in roles else "stray"
            found.setdefault(kind, []).append(process)
        return found

    def holders(self) -> dict[str, set[int]]:
        """Who took each lock of the data folder: process ids by the lock's name."""
        return kernel.lock_holders((self.data / FOLDER).glob("*.lock"))

    def is_back(self, *, without: Collection[int] = ()) -> bool:
        """Everything runs, holds its lock and answers; nothing of an earlier generation, nor of `without`, is left."""
        processes = self.processes()
        found, holders = self.by_kind(processes), self.holders()
        wanted = Counter((SUPERVISOR, *self.roles, *(WORKER,) * self._workers))
        return (
            not any(process.pid in without for process in processes)
            and Counter({kind: len(those) for kind, those in found.items()}) == wanted
            and all(holders.get(role) == {found[role][0].pid} for role in self.roles)
            and self._every_worker_listens()
            and all(answers("127.0.0.1", port) for port in self.ports.values())
            and OPENED in self.log(since_start=True)
        )

    def _every_worker_listens(self) -> bool:
        return not self._workers or len(kernel.listening_on(self.ports["site"])) == self._workers


@dataclass(slots=True)
class Watch:
    """Looks at doors and locks again and again while the block runs; `troubles` says what must never be."""

    installation: Installation
    looks: int = 0
    troubles: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._look_again, name="watch")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _look_again(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look_at_doors()
            self._look_at_locks()
            self.looks += 1

    def _look_at_doors(self) -> None:
        """No port has listeners of two generations: all of them are in one process group."""
        listening = {door: kernel.listening_on(port) for door, port in self.installation.ports.items()}
        if not any(listening.values()):
            return
        sockets = {process: kernel.sockets_of(process.pid) for process in self.installation.processes()}
        for door, inodes in listening.items():
            groups = {process.group for process, own in sockets.items() if own & inodes}
            if len(groups) > 1:
                self.troubles.append(f"two generations listen at the {door}'s port: {sorted(groups)}")

    def _look_at_locks(self) -> None:
        """No lock has two holders, for longer than it takes to change hands."""
        shared = self._shared_locks()
        if shared and shared.items() & self._shared_locks().items():
            self.troubles.append(f"locks with more than one holder: {shared}")

    def _shared_locks(self) -> dict[str, frozenset[int]]:
        return {name: frozenset(pids) for name, pids in self.installation.holders().items() if len(pids) > 1}
