"""The edge process: settings in, doors served in our own uvloop until SIGTERM; uvicorn listens and stops.

Exactly one per data folder: it alone writes the edge's inbox file. It refuses to start twice, and to start with
settings it cannot follow.
"""

import asyncio
import gc
import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from vteam import settings
from vteam.channels import networks
from vteam.channels.links.redirect import NetworkOf, Redirect, Request, Site
from vteam.channels.swarm.meetings import Meetings
from vteam.edge.app import Edge
from vteam.edge.budget import MinuteBudget, VisitBudget
from vteam.edge.clients import ClientOptions, Clients
from vteam.edge.commits import GroupCommit
from vteam.edge.databases import Database, database_from
from vteam.edge.protocol import EdgeProtocol, hang_up_on_the_late
from vteam.edge.rights import PassOnRights
from vteam.edge.shares import shares_of
from vteam.edge.stores import store_for
from vteam.edge.stun import answering
from vteam.edge.swarm import Swarm
from vteam.edge.torrents import Torrents
from vteam.errors import Away, CannotStart
from vteam.locks import held
from vteam.metrics.ports import port_of

ROLE = "edge"
BACKLOG = 2048
CONNECTIONS_MAX = 20_000
STOP_SECONDS_MAX = 5
MINUTE_SECONDS = 60
NEAR_CACHED_MAX = 4096

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOptions:
    """Everything the edge is told; from the settings, or by a test or a benchmark.

    `stun`: the host and UDP port where it answers STUN; None: nowhere.
    """

    host: str
    port: int
    database: Database
    site: Site
    near: Callable[..., str] = networks.near_of
    behind_proxies: bool = False
    rows_waiting_max: int
    budget: VisitBudget
    key: bytes
    relay_bytes_per_s: int
    pages_per_network: int
    stun: tuple[str, int] | None = None
    clients: ClientOptions = field(default_factory=lambda: ClientOptions(witness=None))


def main() -> None:
    """The process: one per data folder (Busy otherwise), until SIGTERM or SIGINT."""
    options = options_from_settings()
    with held(Path(settings.DATA), ROLE):
        run(options)


def options_from_settings() -> EdgeOptions:
    """The installation's options; SettingsError for settings the edge cannot follow."""
    return EdgeOptions(
        host=settings.HOST,
        port=settings.EDGE_PORT,
        database=database_from(settings.DATABASES["default"], settings.DATA),
        site=Site(
            public_url=settings.PUBLIC_URL, allowed_hosts=settings.ALLOWED_HOSTS, port=settings.SITE_PORT
        ),
        behind_proxies=bool(networks.trusted_proxies()),
        rows_waiting_max=settings.EDGE_ROWS_WAITING,
        budget=VisitBudget(per_network=settings.VISITS_PER_NETWORK_MINUTE),
        key=settings.SECRET_KEY.encode(),
        relay_bytes_per_s=int(settings.RELAY_MIB_S * 2**20),
        pages_per_network=settings.PAGES_PER_NETWORK,
        stun=(settings.STUN_HOST, settings.STUN_PORT) if settings.STUN_PORT else None,
        clients=ClientOptions(
            witness=(settings.WITNESS_HOST, settings.WITNESS_PORT) if settings.WITNESS_PORT else None,
            addresses=settings.WITNESS_ADDRESSES,
            dials=[ip_network(network) for network in settings.WITNESS_DIALS],
            interval_s=settings.ANNOUNCE_SECONDS,
            connections_max=settings.WITNESS_CONNECTIONS,
            peers_max=settings.TORRENT_PEERS,
            announces_per_network=settings.ANNOUNCES_PER_NETWORK_MINUTE,
            behind_proxies=bool(networks.trusted_proxies()),
        ),
    )


def run(options: EdgeOptions) -> None:
    """Serves until SIGTERM or SIGINT; what was acknowledged is durable, what waits is written before it returns."""
    _raise_file_limit()
    # Stopping is a normal end: uvicorn raises the signal again after its own work, to nobody.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    uvloop.run(serve(options))


async def serve(options: EdgeOptions) -> None:
    """The edge's whole life in a running loop; CannotStart when it cannot record visits or listen."""
    inbox = GroupCommit(store_for(options.database), rows_waiting_max=options.rows_waiting_max)
    shares = shares_of(options.database)
    rights, network_of = PassOnRights(options.database), _network_of(options)
    redirect = Redirect(
        shares=shares,
        budget=options.budget,
        site=options.site,
        network_of=network_of,
    )
    swarm = Swarm(
        inbox=inbox,
        rights=rights,
        site=options.site,
        network_of=network_of,
        key=options.key,
        relay_bytes_per_s=options.relay_bytes_per_s,
        per_network=options.pages_per_network,
    )
    torrents = Torrents(options.database)
    clients = Clients(options.clients, inbox=inbox, rights=rights, torrents=torrents, network_of=network_of)
    tells_local = options.clients.witness is not None and not options.clients.addresses
    edge = Edge(
        redirect=redirect, inbox=inbox, door=swarm.door, tracker=clients.tracker, tells_local=tells_local
    )
    server = uvicorn.Server(_config(edge))
    clocks = [
        asyncio.create_task(swarm.run()),
        asyncio.create_task(clients.run()),
        asyncio.create_task(_every_minute(options.budget, clients.tracker.budget)),
        asyncio.create_task(_every_second(server.server_state.connections)),
    ]
    gc.freeze()
    try:
        await _can_record(inbox)
        await clients.listen()
        _tell_figures(inbox, options.budget, swarm.meetings, clients)
        async with answering(options.stun):
            listener = listening(options.host, options.port)
            await server.serve(sockets=[listener])
    finally:
        for clock in clocks:
            clock.cancel()
        options.budget.turn()
        swarm.close()
        clients.close()
        await inbox.close()
        if swarm.unrecorded:
            logger.error("%d titles passed on could not be recorded and are lost", swarm.unrecorded)
        if clients.lost or clients.offers.waiting:
            logger.error("%d notes about torrents are lost", clients.lost + clients.offers.waiting)
        shares.close()
        torrents.close()
        rights.close()


def _tell_figures(inbox: GroupCommit, budget: VisitBudget, meetings: Meetings, clients: Clients) -> None:
    """Opens the private port, if the settings ask for one; what it needs is loaded only then."""
    if port_of(ROLE):
        from vteam.edge.figures import EdgeFigures
        from vteam.metrics.port import open_port

        figures = EdgeFigures(inbox=inbox, budget=budget, meetings=meetings, clients=clients)
        open_port(ROLE, figures, figures.well)


async def _can_record(inbox: GroupCommit) -> None:
    try:
        await inbox.check()
    except Away as away:
        raise CannotStart(
            f"The edge cannot record visits: {away}. Is the disk full, or VTEAM_DATABASE_URL wrong?"
        ) from away


def listening(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: any free one); CannotStart when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotStart(f"The edge cannot listen on {host}, port {port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def _config(app: Edge) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # else each malformed request would be a line
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # asked by our protocol alone, so it need not speak ASGI
        http=EdgeProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )


def _network_of(options: EdgeOptions) -> NetworkOf:
    """The near network of a request; for the addresses seen lately it is not worked out again."""
    near = lru_cache(maxsize=NEAR_CACHED_MAX)(options.near)

    def network_of(request: Request) -> str:
        headers = request.headers
        # Behind no proxy of ours anybody could write this header.
        forwarded = headers.get(b"x-forwarded-for", b"") if options.behind_proxies else b""
        host = headers.get(b"host", b"").decode("latin-1")
        return near(request.peer, forwarded.decode("latin-1"), host=host)

    return network_of


async def _every_minute(*budgets: MinuteBudget) -> None:
    while True:
        await asyncio.sleep(MINUTE_SECONDS)
        for budget in budgets:
            budget.turn()


async def _every_second(connections: Iterable[Any]) -> None:
    while True:
        await asyncio.sleep(1)
        hang_up_on_the_late(connections, now=asyncio.get_running_loop().time())


def _raise_file_limit() -> None:
    """Each connection is a file; the soft limit of 1,024 is for programs which use select()."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + 1000 if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS_MAX + 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
