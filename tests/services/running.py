"""`vteam run` in a process of its own, as tests start, ask and stop it."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.channels.edges import BROWSER, eventually, free_port

RUN = (
    "import sys\nfrom vteam.errors import VTeamError\nfrom vteam.processes import RoleName\n"
    "from vteam.processes.run import run\n"
    "try:\n    run([RoleName(name) for name in sys.argv[1:]], lines=['mails: /mailbox'])\n"
    "except VTeamError as refused:\n    sys.exit(f'refused: {refused}')"
)
ALL = ("site", "edge", "jobs")


class Installation:
    """`vteam run ROLES` in a process of its own, over a data folder and two free ports."""

    def __init__(self, data: Path, *roles: str, **environment: str) -> None:
        self.data, self.site, self.edge = data, free_port(), free_port()
        ours = {
            "DATA": str(data),
            "DEMO": "true",
            "SITE_PORT": str(self.site),
            "EDGE_PORT": str(self.edge),
            "WITNESS_PORT": "0",
        } | environment
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *(roles or ALL)],
            env=kept | {f"VTEAM_{name}": value for name, value in ours.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines.extend(output)

    @property
    def told(self) -> str:
        return "".join(self.lines)

    def opened(self) -> "Installation":
        eventually(lambda: self.process.poll() is not None or "Ctrl-C stops it" in self.told, seconds=60)
        assert self.process.poll() is None, self.told
        return self

    def roles(self) -> dict[str, int]:
        """The process ids of the running roles."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if b"vteam.processes.role" in words and int(parent) == self.process.pid:
                    found[words[words.index(b"vteam.processes.role") + 1].decode()] = int(folder.name)
        return found

    def workers(self) -> set[int]:
        """The process ids of the site's workers."""
        site = self.roles().get("site")
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == site:
                    found.add(int(folder.name))
        return found

    def healthy(self, port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def visit(self) -> str:
        """A person opens a link; where they are sent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.edge, timeout=20)
        with contextlib.closing(connection):
            headers = {"User-Agent": BROWSER, "Host": f"localhost:{self.edge}"}
            connection.request("GET", "/r/abcdefghij", headers=headers)
            return connection.getresponse().headers["Location"]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self.reader.join(timeout=30)
        return status


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


ADD_SHARE = (
    "INSERT INTO links_share (id, campaign_id, fan_id, code, place, kind, created_at) "
    "VALUES (7, 3, 1, 'abcdefghij', 'the bar', 'place', '2026-11-20 10:00:00+00')"
)
