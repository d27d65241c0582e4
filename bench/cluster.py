"""Two sites and two edges on one PostgreSQL, one `jobs`, and haproxy in front: a campaign on several machines, on one.

Each `vteam run` has a data folder of its own, as on a machine of its own; they share the keys, the stored files and
the database. haproxy tries another one only where no connection came about: a request that was sent is never sent
twice, or one visit would count as two.
"""

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.books import Books
from bench.crash import CAREFREE, SLUG, Place
from bench.folder import free_ports
from bench.installation import Installation
from bench.tools import Misleading, tools
from bench.traffic import Doors

CONFIGURATION = """
global
    maxconn 2000
defaults
    mode http
    option forwardfor
    option redispatch 1
    retries 5
    retry-on conn-failure
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend door
    bind 127.0.0.1:{door}
    use_backend edges if {{ path_beg /r/ }}
    default_backend sites
backend sites
    balance roundrobin
    option httpchk
    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host localhost
    server site1 127.0.0.1:{site1} check inter 200ms fall 1 rise 1
    server site2 127.0.0.1:{site2} check inter 200ms fall 1 rise 1
backend edges
    balance roundrobin
    option httpchk
    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host localhost
    server edge1 127.0.0.1:{edge1} check inter 200ms fall 1 rise 1
    server edge2 127.0.0.1:{edge2} check inter 200ms fall 1 rise 1
"""


@contextmanager
def cluster(folder: Path, *, database_url: str) -> Iterator[list[Place]]:
    """The demo's campaign, not yet running, behind a haproxy that is: one place a machine, all with the same doors."""
    names = ("site1", "edge1", "site2", "edge2", "door")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    shared = {
        **CAREFREE,
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "MASTER_KEY": secrets.token_urlsafe(48),
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    machines = [
        _machine(folder / "one", shared, ports, "1"),
        _machine(folder / "two", shared, ports, "2"),
        Installation({**shared, "DATA": str(folder / "three")}, roles=["jobs"]),
    ]
    opened = machines[0].command("demo", "--no-run")
    if opened.returncode:
        raise Misleading(f"The demo cannot be opened: {opened.stdout}{opened.stderr}")
    for machine in machines[1:]:
        machine.data.mkdir(parents=True)
        (machine.data / "files").symlink_to(machines[0].data / "files")  # as a volume that all of them mount
    door = ("127.0.0.1", ports["door"])
    doors = Doors(site=door, edge=door, slug=SLUG, mailbox=machines[2].data / "mailbox")
    with _balancer(folder / "haproxy.cfg", ports):
        books = Books(machines[0].data, database_url)
        yield [Place(installation=machine, doors=doors, books=books) for machine in machines]


def _machine(data: Path, shared: Mapping[str, str], ports: Mapping[str, int], number: str) -> Installation:
    own = {
        "DATA": str(data),
        "SITE_PORT": str(ports[f"site{number}"]),
        "EDGE_PORT": str(ports[f"edge{number}"]),
        "WITNESS_PORT": "0",
    }
    return Installation({**shared, **own}, roles=["site", "edge"])


@contextmanager
def _balancer(configuration: Path, ports: Mapping[str, int]) -> Iterator[None]:
    (haproxy,) = tools("haproxy")
    configuration.write_text(CONFIGURATION.format(**ports))
    command = [haproxy, "-db", "-f", str(configuration)]
    with (
        configuration.with_suffix(".log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as run,
    ):
        try:
            yield
        finally:
            run.terminate()
