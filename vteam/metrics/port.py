"""The private port of one process: `/metrics` for Prometheus, `/healthz` for whoever restarts or routes.

It is closed unless VTEAM_METRICS_PORT opens it, and refuses an address the world could reach. One thread answers one
request after the other; a client that dawdles is hung up on. It logs no request.
"""

import ipaddress
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.metadata import version
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from vteam import settings
from vteam.errors import Away, CannotStart, SettingsError
from vteam.metrics.families import gauges
from vteam.metrics.ports import port_of

DAWDLE_SECONDS_MAX = 5
BACKLOG = 16

Well = Callable[[], None]
"""Returns when the process can do its work; raises Away with the reason when it cannot."""

logger = logging.getLogger(__name__)


class Collector(Protocol):
    """What a role tells about itself."""

    def collect(self) -> Iterable[Metric]:
        """The figures as they are now; called by the port's thread."""


class Port(socketserver.TCPServer):
    """The listening socket and what is told there."""

    allow_reuse_address = True
    request_queue_size = BACKLOG

    def __init__(self, role: str, number: int, collector: Collector, well: Well) -> None:
        host = _private(settings.METRICS_HOST)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.well = well
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_Named(role))
        ProcessCollector(registry=self.registry)
        self.registry.register(collector)
        try:
            super().__init__((host, number), _Door)
        except OSError as error:
            told = f"Figures cannot be told on {host}, port {number}: {error.strerror}"
            raise CannotStart(f"{told} (VTEAM_METRICS_HOST, VTEAM_METRICS_PORT).") from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Our own fault, or a client that hung up: said without who it was."""
        logger.warning("a request at the private port was not answered", exc_info=True)


def open_port(role: str, collector: Collector, well: Well) -> Port | None:
    """Opens a role's private port where the settings ask for it, and answers there until the process ends.

    Raises SettingsError or CannotStart, saying what to change. A process forked later does not keep it open.
    """
    number = port_of(role)
    if number is None:
        return None
    port = Port(role, number, collector, well)
    os.register_at_fork(after_in_child=port.socket.close)
    threading.Thread(target=port.serve_forever, name="private port", daemon=True).start()
    return port


def _private(host: str) -> str:
    """The address itself; SettingsError unless it is loopback or of a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or address.is_unspecified or not (address.is_private or address.is_loopback):
        raise SettingsError(
            f"VTEAM_METRICS_HOST is {host!r}: write this machine's address in a private network, such as 10.0.0.5, "
            "or leave it out for 127.0.0.1. Figures are for you, not for the world."
        )
    return host


class _Named:
    """Who speaks."""

    def __init__(self, role: str) -> None:
        self._role = role

    def collect(self) -> Iterable[Metric]:
        """Version and role, as labels of the number 1."""
        return [
            gauges("vteam_info", "What runs here.", ["role", "version"], {(self._role, version("vteam")): 1})
        ]


class _Door(BaseHTTPRequestHandler):
    """One request, one answer, HTTP/1.0."""

    server: Port
    timeout = DAWDLE_SECONDS_MAX

    def do_GET(self) -> None:
        """Figures, health, or nothing."""
        if self.path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, encode(self.server.registry), kind)
        elif self.path == "/healthz":
            self._answer(*self._health())
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"Here are /metrics and /healthz.\n")

    def _health(self) -> tuple[HTTPStatus, bytes]:
        try:
            self.server.well()
        except Away as away:
            return HTTPStatus.SERVICE_UNAVAILABLE, f"{away}\n".encode()
        return HTTPStatus.OK, b"ok\n"

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Which Python this is, nobody needs to know."""
        return "vTeam"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: they carry addresses."""
