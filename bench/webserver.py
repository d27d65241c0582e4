"""nginx as a peer and wrk as a client, both from Debian: started here, read here, ended here."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.started import started
from bench.tools import Misleading, tools

MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
# One worker, no access log, connections kept: the fastest nginx answers without a file.
NGINX = """
daemon off; worker_processes 1; pid nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 302 {target}; }} }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What wrk measured; `answers`: those it read whole."""

    answers: int
    per_s: float
    p50_ms: float
    p99_ms: float


@contextmanager
def nginx_redirecting(folder: Path, port: int, *, target: str) -> Iterator[None]:
    """Everything on `port` is answered with a redirect to `target` while the block runs."""
    (program,) = tools("nginx")
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(port=port, target=target))
    with started([program, "-p", str(folder), "-e", "errors", "-c", "nginx.conf"], port=port):
        yield


def wrk(url: str, *, connections: int, seconds: int, headers: Mapping[str, str]) -> Load:
    """So many connections, each asking again as soon as it is answered."""
    (program,) = tools("wrk")
    named = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *named, url]
    return read_wrk(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def read_wrk(told: str) -> Load:
    """What wrk printed, as figures; Misleading when a request was answered badly or not at all."""
    if "Socket errors" in told or "Non-2xx" in told:
        raise Misleading(f"Some requests were not answered as they should be:\n{told}")
    return Load(
        answers=int(_found(r"(\d+) requests in", told)[1]),
        per_s=float(_found(r"Requests/sec:\s+([\d.]+)", told)[1]),
        p50_ms=_latency_ms(told, 50),
        p99_ms=_latency_ms(told, 99),
    )


def _latency_ms(told: str, percent: int) -> float:
    found = _found(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", told)
    return float(found[1]) * MILLISECONDS[found[2]]


def _found(pattern: str, told: str) -> re.Match[str]:
    found = re.search(pattern, told)
    if found is None:
        raise Misleading(f"wrk said something else than usual:\n{told}")
    return found
