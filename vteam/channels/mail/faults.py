"""Our own faults, noted for those who operate this vTeam: what failed and where in the code, nothing of what was in it.

A logging handler (attached in the settings) turns each record of level ERROR into a place; a thread of its own tells
it, over a database connection of its own, so that neither a transaction that failed nor a lock its caller holds
matters. It never raises into whoever logs, never tells of itself, and tells a place once an hour. A process that did
not `begin` tells nothing: the edge, which has no Django (and gets none by this), or a command.
"""

import datetime as dt
import hashlib
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, TracebackType

from vteam import clock
from vteam.logs import masked

FAULTS_AN_HOUR = 10
"""Places an operator is told of within an hour; then once more, that there are more."""
HOUR_US = 3_600_000_000
WAITING_MAX = 100
FRAMES_MAX = 10_000
PLACE_LENGTH = 200
RETRY_SECONDS, RETRY_SECONDS_MAX = 1.0, 60.0
# How long the end of a process waits for what it noted last.
FAREWELL_SECONDS = 2.0
OURS = "vteam."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What failed, as `KeyError · vteam.web.views.news.one:40`, and when (µs); "" for more than is told an hour."""

    what: str
    at_us: int

    @property
    def hour(self) -> int:
        """Whole hours since 1970."""
        return self.at_us // HOUR_US

    @property
    def key(self) -> str:
        """The same for the same place within the same hour."""
        place = hashlib.sha256(self.what.encode()).hexdigest()[:16] if self.what else "more"
        return f"{self.hour}:{place}"

    def as_more(self) -> "Fault":
        """In place of this one, that there are more."""
        return Fault(what="", at_us=self.at_us)


# Where it was ----------------------------------------------------------------------------------------------------
def fault_of(record: logging.LogRecord) -> Fault | None:
    """What an ERROR record is about; None where a page merely answered 500 or more without a fault (an outage)."""
    fault = record.exc_info[1] if record.exc_info else None
    if fault is not None:
        what = f"{type(fault).__qualname__} · {_place(fault.__traceback__)}"
    elif hasattr(record, "status_code"):
        return None
    else:
        what = _cut(f"{record.name}.{record.funcName}:{record.lineno}")
    return Fault(what=what, at_us=int(record.created * 1_000_000))


def _place(traceback: TracebackType | None) -> str:
    """The innermost place in our own code, and the innermost of all where that is another's."""
    last = ours = ""
    for frame, line in _frames(traceback):
        module = str(frame.f_globals.get("__name__", "?"))
        last = _cut(f"{module}.{_name(frame.f_code)}:{line}")
        ours = last if module.startswith(OURS) else ours
    return " → ".join(dict.fromkeys(filter(None, (ours, last)))) or "?"


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    for _ in range(FRAMES_MAX):
        if traceback is None:
            return
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _name(code: CodeType) -> str:
    return code.co_qualname.replace(".<locals>", "")


def _cut(place: str) -> str:
    return place if len(place) <= PLACE_LENGTH else f"{place[:PLACE_LENGTH]}…"


# Telling ---------------------------------------------------------------------------------------------------------
class Teller:
    """Tells faults in a thread of its own. What an outage keeps from being told waits; what else fails is let go."""

    def __init__(self, tell: Callable[[Fault], object]) -> None:
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting = deque[Fault](maxlen=WAITING_MAX)  # every fault stands in the log, those beyond it too
        self._hour, self._noted = 0, set[str]()
        self._is_silent = False
        self._thread = threading.Thread(target=self._work, name="telling faults", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether the thread that asks is the one that tells: then what fails is its own."""
        return threading.current_thread() is self._thread

    def note(self, fault: Fault) -> None:
        """Take a fault in, if its place was not noted within its hour."""
        with self._changed:
            if fault.hour != self._hour:
                self._hour = fault.hour
                self._noted.clear()
            noted = (
                fault if len(self._noted) < FAULTS_AN_HOUR or fault.key in self._noted else fault.as_more()
            )
            if noted.key not in self._noted:
                self._noted.add(noted.key)
                self._waiting.append(noted)
                self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Until all that was noted is told, at most so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout=seconds)

    def _work(self) -> None:
        pause = RETRY_SECONDS
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                fault = self._waiting[0]
            if self._is_dealt_with(fault):
                pause = RETRY_SECONDS
                with self._changed:
                    if self._waiting and self._waiting[0] is fault:
                        self._waiting.popleft()
                    self._changed.notify_all()
            else:
                time.sleep(pause)
                pause = min(pause * 2, RETRY_SECONDS_MAX)

    def _is_dealt_with(self, fault: Fault) -> bool:
        """Whether nothing more is to be done for a fault: it is told, or never can be."""
        from vteam.outage import is_outage

        try:
            self._tell(fault)
        except Exception as error:
            self._say(error)
            return not is_outage(error)
        self._is_silent = False
        return True

    def _say(self, error: Exception) -> None:
        """Once, until something is told again. Not into the log, where it would be a fault to tell."""
        if not self._is_silent:
            self._is_silent = True
            complain(error)


def complain(error: Exception) -> None:
    """A line on stderr, without an address in it."""
    from vteam.outage import first_line

    line = masked(f"{type(error).__name__}: {first_line(error)}")
    print(f"ERROR   {__name__}: faults cannot be told by mail ({line})", file=sys.stderr, flush=True)


_teller: Teller | None = None


def begin(tell: Callable[[Fault], object]) -> Teller:
    """From now on this process tells its faults by `tell`; the same teller where it does already. Not before a fork:
    the thread stays behind.
    """
    global _teller  # noqa: PLW0603  (a process has one log, and so one teller)
    _teller = _teller or Teller(tell)
    return _teller


class FaultHandler(logging.Handler):
    """Notes what is logged as an ERROR, in a process that has begun."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._is_silent = False

    def emit(self, record: logging.LogRecord) -> None:
        """Logging's hook. Whoever logs goes on, whatever happens here."""
        if _teller is None or _teller.is_here:
            return
        try:
            fault = fault_of(record)
            if fault is not None:
                _teller.note(fault)
        except Exception as error:
            if not self._is_silent:
                self._is_silent = True
                complain(error)

    def flush(self) -> None:
        """Logging's hook at the end of the process: what failed last is told too."""
        if _teller is not None and not _teller.is_here:
            _teller.wait(FAREWELL_SECONDS)


def moment_of(fault: Fault) -> dt.datetime:
    """When it was, aware UTC."""
    return clock.from_us(fault.at_us)
