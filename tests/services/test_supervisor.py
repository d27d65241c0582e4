"""The supervisor with small real processes: they start and stop together, come back, and are told about."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.channels.edges import eventually
from tests.services.running import alive
from vteam.errors import CannotStart
from vteam.processes import supervisor
from vteam.processes.supervisor import Role, Supervisor

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


def role(name: str, script: str, is_ready: Callable[[int], bool] = lambda pid: True) -> Role:
    return Role(name=name, command=[sys.executable, "-c", script], is_ready=is_ready)


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
    one = Supervisor([role("one", script, lambda pid: flag.exists())], say=Lines())
    with one.stopped_by_signals():
        assert one.start()
        assert flag.exists()


def test_one_that_fails_while_starting_ends_all_and_its_words_are_told(tmp_path: Path) -> None:
    lines = Lines()
    pid = tmp_path / "pid"
    healthy = f"import os, pathlib\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n" + QUIET
    both = Supervisor([role("site", healthy), role("edge", FAILING, lambda pid: False)], say=lines)

    def patiently() -> None:
        with both.stopped_by_signals():
            both.start()

    with pytest.raises(CannotStart, match=r"edge could not start \(exit status 3\).*\n.*no disk left"):
        patiently()
    if pid.exists():
        assert not alive(int(pid.read_text()))


def test_one_that_never_gets_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "READY_SECONDS_MAX", 0.3)
    one = Supervisor([role("edge", QUIET, lambda pid: False)], say=Lines())
    with pytest.raises(CannotStart, match="edge"), one.stopped_by_signals():
        one.start()


class Mortal:
    """A process that notes each start in a file, and dies when as many deaths are noted in another."""

    def __init__(self, folder: Path) -> None:
        self.starts, self.deaths, self.asked = folder / "starts", folder / "deaths", list[int]()
        self.starts.touch()
        self.deaths.touch()
        self.script = (
            "import pathlib, time\n"
            f"starts, deaths = pathlib.Path({str(self.starts)!r}), pathlib.Path({str(self.deaths)!r})\n"
            "starts.open('a').write('x')\n"
            "while deaths.stat().st_size < starts.stat().st_size: time.sleep(0.02)\n"
            "raise SystemExit(7)"
        )

    def has_begun(self, pid: int) -> bool:
        """Whether it has started at all, asked of each of its lives in turn."""
        self.asked.append(pid)
        return self.starts.stat().st_size > 0

    def dies(self, times: int) -> None:
        """So often, each time once it was asked whether it is ready; until it has started once more."""
        for number in range(1, times + 1):
            self._lives_for_the(number)
            with self.deaths.open("a") as deaths:
                deaths.write("x")
        self._lives_for_the(times + 1)

    def _lives_for_the(self, number: int) -> None:
        eventually(lambda: self.starts.stat().st_size == len(set(self.asked)) == number, seconds=60)


def watched_while_it_dies(one: Supervisor, process: Mortal, *, times: int) -> None:
    def stop_when_well() -> None:
        try:
            process.dies(times)
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
    lines, process = Lines(), Mortal(tmp_path)

    def is_ready(pid: int) -> bool:
        return process.has_begun(pid) and (ready_again or pid == process.asked[0])

    one = Supervisor([role("jobs", process.script, is_ready)], say=lines)
    watched_while_it_dies(one, process, times=3)
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
    one = Supervisor([role("edge", QUIET, lambda pid: False)], say=Lines())
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
