"""The supervisor with small real processes, and a whole installation run for real."""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.channels.edges import BROWSER, eventually, free_port, postgres_server
from vteam.errors import Busy, CannotStart
from vteam.locks import held
from vteam.processes import checks, run, supervisor
from vteam.processes.supervisor import Role, Supervisor

# Small processes ----------------------------------------------------------------------------------------------

QUIET = "import time\nprint('here', flush=True)\ntime.sleep(600)"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + QUIET
FAILING = "print('no disk left'); raise SystemExit(3)"


class Lines:
    """What the processes said, by role."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, role: str, line: str) -> None:
        self.said.append((role, line))

    def of(self, role: str) -> list[str]:
        return [line for name, line in self.said if name == role]


def role(name: str, script: str, is_ready: Callable[[], bool] = lambda: True) -> Role:
    return Role(name=name, command=[sys.executable, "-c", script], is_ready=lambda _: is_ready())


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_all_start_and_all_stop_together() -> None:
    lines = Lines()
    both = Supervisor([role("one", QUIET), role("two", QUIET)], say=lines)
    with both.stopped_by_signals():
        assert both.start()
        eventually(lambda: len(lines.said) == 2)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        both.watch()
    assert sorted(lines.said) == [("one", "here"), ("two", "here")]
    assert signal.getsignal(signal.SIGTERM) != both.ask_to_stop


def test_ready_is_when_each_says_so(tmp_path: Path) -> None:
    flag = tmp_path / "ready"
    script = f"import pathlib, time\ntime.sleep(0.3)\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(600)"
    one = Supervisor([role("one", script, flag.exists)], say=Lines())
    with one.stopped_by_signals():
        assert one.start()
        assert flag.exists()


def test_one_that_fails_while_starting_ends_all_and_its_words_are_told(tmp_path: Path) -> None:
    lines = Lines()
    pid = tmp_path / "pid"
    healthy = f"import os, pathlib\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n" + QUIET
    both = Supervisor([role("site", healthy), role("edge", FAILING, lambda: False)], say=lines)

    def patiently() -> None:
        with both.stopped_by_signals():
            both.start()

    with pytest.raises(CannotStart, match=r"edge could not start \(exit status 3\).*\n.*no disk left"):
        patiently()
    if pid.exists():
        assert not alive(int(pid.read_text()))


def test_one_that_never_gets_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "READY_SECONDS_MAX", 0.3)
    one = Supervisor([role("edge", QUIET, lambda: False)], say=Lines())
    with pytest.raises(CannotStart, match="edge"), one.stopped_by_signals():
        one.start()


def starts_and_dies(count: Path, *, until: int) -> str:
    """A process that notes each start in a file and dies soon after, except the last time."""
    return (
        f"import pathlib, time\nfile = pathlib.Path({str(count)!r})\nfile.open('a').write('x')\n"
        f"time.sleep(600 if len(file.read_text()) >= {until} else 0.2)\nraise SystemExit(7)"
    )


def watched_until_well(one: Supervisor, count: Path, *, starts: int) -> None:
    def stop_when_well() -> None:
        try:
            eventually(lambda: count.exists() and len(count.read_text()) == starts, seconds=60)
        finally:
            one.ask_to_stop()

    with one.stopped_by_signals():
        assert one.start()
        watcher = threading.Thread(target=stop_when_well)
        watcher.start()
        one.watch()
        watcher.join()


@pytest.mark.parametrize(
    ("ready_again", "waits"),
    [(True, ["0.1", "0.1", "0.1"]), (False, ["0.1", "0.2", "0.4"])],
    ids=["ready each time", "not ready again"],
)
def test_whoever_dies_is_started_again_and_ever_more_slowly_while_it_cannot_become_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready_again: bool, waits: list[str]
) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS_MIN", 0.1)
    lines = Lines()
    count = tmp_path / "count"

    def is_ready() -> bool:
        return count.exists() and (ready_again or count.read_text() == "x")

    one = Supervisor([role("jobs", starts_and_dies(count, until=4), is_ready)], say=lines)
    watched_until_well(one, count, starts=4)
    assert lines.of("jobs") == [
        f"ended unasked (exit status 7); starting again in {seconds} s" for seconds in waits
    ]


def test_the_deaf_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS_MAX", 0.3)
    lines = Lines()
    one = Supervisor([role("jobs", DEAF)], say=lines)
    with one.stopped_by_signals():
        assert one.start()
        eventually(lambda: lines.of("jobs") == ["here"])
    assert lines.of("jobs") == ["here", "does not stop; killed"]


def test_asked_to_stop_while_starting() -> None:
    one = Supervisor([role("edge", QUIET, lambda: False)], say=Lines())
    with one.stopped_by_signals():
        one.ask_to_stop()
        assert not one.start()


def test_a_closed_output_blocks_nobody(tmp_path: Path) -> None:
    done = tmp_path / "done"
    script = f"import pathlib\nfor _ in range(5000): print('x' * 100)\npathlib.Path({str(done)!r}).touch()\n{QUIET}"

    def to_a_closed_pipe(role: str, line: str) -> None:
        raise BrokenPipeError

    one = Supervisor([role("site", script)], say=to_a_closed_pipe)
    with one.stopped_by_signals():
        assert one.start()
        eventually(done.exists)


# Orphans ------------------------------------------------------------------------------------------------------

CHILD = (
    "import os, sys, time\nfrom vteam.processes.orphan import end_with_parent\n{before}\n"
    "end_with_parent(int(sys.argv[1]))\nprint(os.getpid(), flush=True)\ntime.sleep(600)"
)
PARENT = (
    "import os, subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())])\ntime.sleep(600)"
)


@pytest.mark.parametrize(
    "before",
    [
        "",
        # Where the kernel does not tell, the watching thread does.
        "sys.platform = 'another'",
        # And a deaf process ends as well.
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
)
def test_a_child_ends_with_its_parent(before: str) -> None:
    script = PARENT.format(child=CHILD.format(before=before))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        eventually(lambda: not alive(child))


def test_a_child_whose_parent_is_already_gone_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD.format(before=""), "1"], stdout=subprocess.PIPE
    ) as child:
        assert child.wait(timeout=20) == -signal.SIGKILL


def test_who_was_started_by_nobody_is_left_alone() -> None:
    script = (
        "import threading\nfrom vteam.processes.orphan import end_with_parent\nend_with_parent()\n"
        "print(threading.active_count())"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "1\n"


# Checks and locks ---------------------------------------------------------------------------------------------


def test_a_role_is_held_once(tmp_path: Path) -> None:
    with held(tmp_path, "edge"):
        with pytest.raises(Busy, match=f"held by process {os.getpid()}.*VTEAM_DATA"), held(tmp_path, "edge"):
            pass
        with held(tmp_path, "jobs"):
            pass
    with held(tmp_path, "edge"):
        pass


def test_a_role_in_a_folder_that_cannot_be_written_names_its_variable(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(CannotStart, match="VTEAM_DATA"), held(tmp_path / "data", "edge"):
        pass


def test_a_role_is_waited_for(tmp_path: Path) -> None:
    first = held(tmp_path, "site")
    first.__enter__()
    threading.Timer(0.2, first.__exit__, (None, None, None)).start()
    with held(tmp_path, "site", wait_seconds=20):
        pass


def test_a_taken_port_names_its_variable() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken.*VTEAM_EDGE_PORT="):
            checks.ports("127.0.0.1", {"VTEAM_SITE_PORT": free_port(), "VTEAM_EDGE_PORT": port})


def test_two_roles_cannot_have_one_port() -> None:
    with pytest.raises(CannotStart, match="VTEAM_SITE_PORT and VTEAM_EDGE_PORT are both"):
        checks.ports("127.0.0.1", {"VTEAM_SITE_PORT": 8000, "VTEAM_EDGE_PORT": 8000})


@pytest.mark.parametrize("host", ["localhost", "203.0.113.7", ""])
def test_an_address_that_is_not_ours_names_its_variable(host: str) -> None:
    with pytest.raises(CannotStart, match="VTEAM_HOST"):
        checks.ports(host, {"VTEAM_SITE_PORT": free_port()})


def test_a_data_folder_that_cannot_be_written_names_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="VTEAM_DATA"):
        checks.data_folder(tmp_path / "file" / "data")
    checks.data_folder(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data").is_dir()


def test_lines_cannot_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    run.saying(Console(no_color=True, width=200))("edge", "\x1b[2J[bold]hello[/bold]\x9b1m\r")
    assert (
        capsys.readouterr().out
        == "edge  \N{REPLACEMENT CHARACTER}[2J[bold]hello[/bold]\N{REPLACEMENT CHARACTER}1m\N{REPLACEMENT CHARACTER}\n"
    )


# A whole installation -----------------------------------------------------------------------------------------

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


Start = Callable[..., Installation]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts installations that end with the test, however it ends."""
    started: list[Installation] = []

    def begin(data: Path, *roles: str, **environment: str) -> Installation:
        started.append(Installation(data, *roles, **environment))
        return started[-1]

    yield begin
    for installation in started:
        installation.stop()


def test_an_installation_opens_and_stops_as_one(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    assert f"http://localhost:{one.site}/" in one.told
    assert "mails: /mailbox" in one.told
    assert one.healthy(one.site)
    assert one.healthy(one.edge)
    everybody = {*one.roles().values(), *one.workers()}
    assert set(one.roles()) == {"site", "edge", "jobs"}
    assert len(everybody) >= 5
    assert one.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in everybody)
    assert "Traceback" not in one.told


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    everybody = {*one.roles().values(), *one.workers()}
    one.process.kill()
    eventually(lambda: not any(alive(pid) for pid in everybody))
    start(tmp_path).opened()


def test_a_role_that_is_killed_comes_back(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    before, workers = one.roles(), one.workers()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: set(one.roles()) == set(before) and one.healthy(one.edge) and one.healthy(one.site), 40
    )
    eventually(lambda: not any(alive(pid) for pid in workers))
    assert not set(one.roles().values()) & set(before.values())
    assert one.told.count("ended unasked (by SIGKILL)") == 3


def test_a_worker_that_is_killed_comes_back(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    before = one.workers()
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: len(one.workers() - {killed}) == len(before))
    # What was on its way to the killed one is lost; whoever comes later is served.
    eventually(lambda: all(one.healthy(one.site) for _ in range(20)))


def test_a_second_run_on_the_same_data_refuses(tmp_path: Path, start: Start) -> None:
    start(tmp_path).opened()
    second = start(tmp_path)
    assert second.process.wait(timeout=60) == 1
    second.reader.join()
    assert second.told.startswith("refused: vTeam already runs on")


def test_roles_run_apart_on_the_same_data(tmp_path: Path, start: Start) -> None:
    doors, office = start(tmp_path, "site", "edge"), start(tmp_path, "jobs")
    assert set(doors.opened().roles()) == {"site", "edge"}
    assert set(office.opened().roles()) == {"jobs"}
    assert doors.healthy(doors.site)
    assert doors.healthy(doors.edge)
    assert "vTeam runs here: jobs" in office.told
    second = start(tmp_path, "edge", "jobs")
    assert second.process.wait(timeout=60) == 1
    second.reader.join()
    assert second.told.startswith(
        f"refused: vTeam already runs on {tmp_path} (run-edge.lock is held by process"
    )
    assert doors.stop() == 0
    assert office.healthy(doors.edge) is False
    assert office.process.poll() is None


def test_a_role_started_by_hand_is_not_run_twice(tmp_path: Path, start: Start) -> None:
    """Two `jobs` on one data folder: the second is refused, whoever started the first."""
    with held(tmp_path, "jobs"):
        second = start(tmp_path, "jobs")
        assert second.process.wait(timeout=60) == 1
    second.reader.join()
    assert second.told.startswith(f"refused: vTeam already runs on {tmp_path} (jobs.lock is held by process")


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path, start: Start) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        one = start(tmp_path, EDGE_PORT=str(door.getsockname()[1]))
        assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert "VTEAM_EDGE_PORT" in one.told
    assert not (tmp_path / "vteam.sqlite3").exists()


def test_wrong_settings_are_refused_with_what_to_write(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path, TRUSTED_PROXIES="caddy")
    assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert one.told.startswith("refused: VTEAM_TRUSTED_PROXIES")


def test_a_database_that_does_not_answer_is_refused(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path, DATABASE_URL=f"postgresql://ana:secret@127.0.0.1:{free_port()}/vteam")
    assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert "VTEAM_DATABASE_URL" in one.told
    assert "secret" not in one.told
    assert "Traceback" not in one.told


ADD_SHARE = (
    "INSERT INTO links_share (id, campaign_id, fan_id, code, place, kind, created_at) "
    "VALUES (7, 3, 1, 'abcdefghij', 'the bar', 'place', '2026-11-20 10:00:00+00')"
)
COUNTED = "SELECT coalesce(sum(visits), 0) FROM links_visitday WHERE share_id = 7"


def test_visits_to_a_running_installation_are_counted(tmp_path: Path, start: Start) -> None:
    """From the edge's own file through jobs into the main database."""
    one = start(tmp_path).opened()
    with contextlib.closing(sqlite3.connect(tmp_path / "vteam.sqlite3", timeout=20)) as file:
        with file:
            file.execute(ADD_SHARE)
        assert [one.visit() for _ in range(3)] == [f"http://localhost:{one.site}/l/abcdefghij"] * 3
        eventually(lambda: file.execute(COUNTED).fetchone() == (3,))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres_server(tmp_path_factory.mktemp("pg")) as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE vteam")
        yield server.get_uri(database="vteam")


def test_two_machines_start_at_once_on_one_postgresql(tmp_path: Path, start: Start, database: str) -> None:
    one = start(tmp_path / "one", DATABASE_URL=database)
    two = start(tmp_path / "two", DATABASE_URL=database)
    for machine in (one.opened(), two.opened()):
        assert machine.healthy(machine.site)
        assert machine.healthy(machine.edge)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the share's fan is not needed here
        connection.execute(ADD_SHARE.encode())
        assert one.visit().startswith(f"http://localhost:{one.site}/l/")
        assert two.visit().startswith(f"http://localhost:{two.site}/l/")
        eventually(lambda: connection.execute(COUNTED.encode()).fetchone() == (2,))
