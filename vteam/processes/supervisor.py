"""Several processes as one: started together, watched, brought back when one dies, stopped together.

A process that ends before all are ready is fatal: the others are stopped and `CannotStart` says which. Later a
process that ends unasked is started again: soon when it had become ready, ever more slowly while it does not even
become that. Nothing runs on when this ends: SIGTERM, then SIGKILL; and each process also watches its parent by
itself.
"""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from vteam.errors import CannotStart

POLL_SECONDS = 0.05
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 8.0
BACKOFF_SECONDS_MIN = 0.25
BACKOFF_SECONDS_MAX = 30.0
LINE_BYTES_MAX = 64 * 1024
LAST_LINES = 5

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str, str], None]
"""Called with a role's name and a line of its output (no newline), from several threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A process to keep running. `is_ready` is given its process id, again and again until it says yes."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[int], bool]


@dataclass(slots=True)
class _Child:
    role: Role
    say: Say
    process: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    start_again_at: float = 0.0
    ready: bool = False
    failures: int = 0

    def start(self) -> None:
        """From the main thread only: the kernel counts the thread that forks as the parent whose death is told."""
        self.ready = False
        self.process = subprocess.Popen(
            self.role.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # Ctrl-C reaches the supervisor alone, which then stops all in order
        )
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            while line := output.readline(LINE_BYTES_MAX):
                text = line.decode(errors="replace").rstrip()
                self.last_lines.append(text)
                try:
                    self.say(self.role.name, text)
                except (OSError, SystemExit):  # rich's way to say that nobody reads our output any more
                    self.say = _to_nobody  # the process must not block on a pipe that nobody empties

    def ended(self) -> int | None:
        """The exit status (negative: a signal), None while it runs or waits to be started again."""
        return self.process.poll() if self.process else None

    def is_ready(self) -> bool:
        """Whether it has been ready since it was started; asks while it has not."""
        if not self.ready and self.process:
            self.ready = self.role.is_ready(self.process.pid)
        return self.ready

    def bury(self) -> float:
        """After a death: the seconds to wait before starting again.

        Whoever was ready can start, so being away longer than a moment would help nobody.
        """
        self.process = None
        self.failures = 0 if self.ready else self.failures + 1
        wait: float = min(BACKOFF_SECONDS_MIN * 2 ** min(self.failures, 16), BACKOFF_SECONDS_MAX)
        self.start_again_at = time.monotonic() + wait
        return wait


class Supervisor:
    """Used from the main thread: `start`, then `watch`, and `stop` in any case."""

    def __init__(self, roles: Sequence[Role], *, say: Say) -> None:
        self._children = [_Child(role, say) for role in roles]
        self._asked = 0

    def ask_to_stop(self, *_: int | FrameType | None) -> None:
        """Makes `start` and `watch` return soon; asked twice, `stop` does not wait. Fit for a signal handler."""
        self._asked += 1

    @contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """SIGINT, SIGTERM and SIGHUP ask to stop while the block runs; everything is stopped when it ends."""
        before = {number: signal.signal(number, self.ask_to_stop) for number in STOPPING}
        try:
            yield
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self) -> bool:
        """Starts all and waits until each is ready; False when asked to stop meanwhile.

        Raises CannotStart when one ends first or takes too long; the caller stops the others.
        """
        for child in self._children:
            child.start()
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._asked:
            self._refuse_the_dead()
            waiting = [child for child in self._children if not child.is_ready()]
            if not waiting:
                self._refuse_the_dead()
                return True
            if time.monotonic() > deadline:
                names = ", ".join(child.role.name for child in waiting)
                raise CannotStart(f"Not ready after {READY_SECONDS_MAX:.0f} seconds: {names}.")
            time.sleep(POLL_SECONDS)
        return False

    def _refuse_the_dead(self) -> None:
        for child in self._children:
            status = child.ended()
            if status is not None:
                _finish_reading(child)
                told = "\n".join(child.last_lines) or "It said nothing."
                raise CannotStart(
                    f"{child.role.name} could not start ({_how(status)}). Its last words:\n{told}"
                )

    def watch(self) -> None:
        """Until asked to stop: starts again whatever ends."""
        while not self._asked:
            for child in self._children:
                self._look_after(child)
            time.sleep(POLL_SECONDS)

    def _look_after(self, child: _Child) -> None:
        status = child.ended()
        if status is not None:
            wait = child.bury()
            child.say(child.role.name, f"ended unasked ({_how(status)}); starting again in {wait:g} s")
        elif child.process:
            child.is_ready()
        elif time.monotonic() >= child.start_again_at:
            child.start()

    def stop(self) -> None:
        """Ends every process: SIGTERM, and SIGKILL for all that is left of it STOP_SECONDS_MAX later."""
        running = [child for child in self._children if child.process and child.ended() is None]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while (
            any(child.ended() is None for child in running)
            and time.monotonic() < deadline
            and self._asked < 2
        ):
            time.sleep(POLL_SECONDS / 2)
        for child in running:
            if child.ended() is None:
                child.say(child.role.name, "does not stop; killed")
                _signal(child, signal.SIGKILL, whole_group=True)
        for child in running:
            assert child.process is not None
            child.process.wait()
            _finish_reading(child)


def _to_nobody(role: str, line: str) -> None:
    """Where lines go when our own output is closed."""


def _signal(child: _Child, number: signal.Signals, *, whole_group: bool = False) -> None:
    """Only for a process not yet waited for: until then its number cannot be another's."""
    assert child.process is not None
    if whole_group:
        os.killpg(child.process.pid, number)
    else:
        child.process.send_signal(number)


def _finish_reading(child: _Child) -> None:
    if child.reader:
        child.reader.join(timeout=1)


def _how(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
