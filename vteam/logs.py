"""Log lines without addresses or secrets, as plain lines or as one JSON object a line (VTEAM_LOG_FORMAT).

Whatever is logged goes through `masked`: what looks like a mail or network address, the settings' secrets, and the
values a database repeats when it refuses them. A failed page is named by its route, never by its address, and what
its request carried is taken out of the exception's words too. Nothing else in the program needs to think of it, and
nothing may print around it.
"""

import contextlib
import datetime as dt
import json
import logging
import logging.config
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from vteam import clock, settings

HIDDEN = "…"
# Shorter values stand in too many honest words to be cut out of them.
FIELD_LENGTH_MIN, HEADER_LENGTH_MIN = 4, 8
_MAIL = re.compile(r"[^\s<>()\[\]\"',;:=/]+@[^\s<>()\[\]\"',;:/]+")
_ADDRESS = re.compile(r"(?<![\w.:])[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*(?:%\w+)?")
_ROWS = re.compile(r"(?m)^(DETAIL|CONTEXT|LINE \d+):.*$")

_speaking = {"role": "vteam"}
logger = logging.getLogger(__name__)


def begin(role: str) -> None:
    """From now on this process logs as `role`, its uncaught exceptions and warnings included."""
    _speaking["role"] = role
    logging.config.dictConfig(settings.LOGGING)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda fault: _uncaught(fault.exc_type, fault.exc_value, fault.exc_traceback)


def _uncaught(
    kind: type[BaseException], fault: BaseException | None, traceback: TracebackType | None
) -> None:
    if fault is not None and issubclass(kind, Exception):
        logger.critical("an exception nobody caught", exc_info=(kind, fault, traceback))


class Line(logging.Formatter):
    """`ERROR   logger: message`, and an exception on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One event as text."""
        told = f"{record.levelname:<7} {record.name}: {_message(record)}"
        fault = _fault(self, record)
        return f"{told}\n{fault}" if fault else told


class Object(logging.Formatter):
    """One JSON object: time (UTC), level, role, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One event on one line."""
        told = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "role": _speaking["role"],
            "logger": record.name,
            "message": _message(record),
        }
        fault = _fault(self, record)
        return json.dumps(told | {"exception": fault} if fault else told)


def as_object(role: str, line: str) -> str:
    """A line of a process' output as an object: as it is when it is one, else as the message of one."""
    if line.startswith('{"time": '):
        return line
    now = clock.now().isoformat(timespec="milliseconds")
    told = {"time": now, "level": "info", "role": role, "logger": "output", "message": masked(line)}
    return json.dumps(told)


def masked(text: str, carried: Iterable[str] = ()) -> str:
    """The text without addresses, secrets and the `carried` values."""
    for value in sorted({*carried, *_secrets()}, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    text = _ADDRESS.sub(_without_address, _MAIL.sub(HIDDEN, text))
    return _ROWS.sub(rf"\1: {HIDDEN}", text)


def _without_address(found: re.Match[str]) -> str:
    """What looks like a network address, hidden if it is one; a port behind it stays."""
    whole = found[0].rstrip(".:")
    for address in (whole, whole.rpartition(":")[0]):
        with contextlib.suppress(ValueError):
            ip_address(address)
            return found[0].replace(address, HIDDEN, 1)
    return found[0]


def _secrets() -> Iterator[str]:
    """The settings' own secrets, as they could stand in an error's words."""
    yield from (settings.SECRET_KEY, *settings.MASTER_KEYS)
    for url in (settings.DATABASE_URL, settings.EMAIL_URL, settings.BOUNCES_URL, settings.BEACON):
        if password := urlsplit(url).password:
            yield from (password, unquote(password))


def _message(record: logging.LogRecord) -> str:
    request = getattr(record, "request", None)
    if request is None:
        return masked(record.getMessage())
    said = record.getMessage().replace(request.path, HIDDEN)
    route = request.resolver_match.route if request.resolver_match else "before its page was known"
    return masked(f"{said} ({route})", _carried(request))


def _fault(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    request = getattr(record, "request", None)
    return masked(formatter.formatException(record.exc_info), _carried(request) if request else ())


def _carried(request: Any) -> set[str]:
    """What a request brought with it: its address and parts of it, its headers, cookies and fields."""
    heads = [value for name, value in request.META.items() if name.startswith("HTTP_")]
    heads += [request.path, request.META.get("QUERY_STRING", ""), request.META.get("REMOTE_ADDR", "")]
    fields = [*request.COOKIES.values(), *request.GET.values()]
    # Only a form already read: reading one here could fail, or wait.
    fields += getattr(request, "_post", {}).values()
    if request.resolver_match:
        fields += map(str, request.resolver_match.kwargs.values())
    else:
        heads += request.path.split("/")
    return {text for text in heads if len(text) >= HEADER_LENGTH_MIN} | {
        text for text in fields if isinstance(text, str) and len(text) >= FIELD_LENGTH_MIN
    }
