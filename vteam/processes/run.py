"""`vteam run`: checks what must be true, migrates, starts site, edge and jobs, and prints the one address to open.

One run per data folder. Everything refused is a `VTeamError` whose text says what to do.
"""

import http.client
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from vteam import settings
from vteam.channels.networks import trusted_proxies
from vteam.locks import held
from vteam.processes import checks
from vteam.processes.supervisor import Role, Say, Supervisor

COLOURS = {"site": "cyan", "edge": "magenta", "jobs": "yellow"}
HEALTH_SECONDS_MAX = 2.0
# What could move the cursor or forge a line on somebody's terminal.
_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)] if code != 0x09
}


def run(*, lines: Sequence[str] = (), console: Console | None = None) -> None:
    """Runs the installation until SIGINT or SIGTERM. `lines` are printed under the address, once all is ready.

    Raises CannotStart (a check, a process that ends while starting), Busy (another run) or SettingsError. Call it
    from the main thread.
    """
    console = console or Console()
    data = Path(settings.DATA)
    checks.data_folder(data)
    with held(data, "run"):
        checks.ports(
            settings.HOST, {"VTEAM_SITE_PORT": settings.SITE_PORT, "VTEAM_EDGE_PORT": settings.EDGE_PORT}
        )
        trusted_proxies()
        prepare()
        checks.mail_can_leave()
        supervisor = Supervisor(roles(), say=saying(console))
        with supervisor.stopped_by_signals():
            if supervisor.start():
                _announce(console, lines)
                supervisor.watch()


def prepare() -> None:
    """Django set up, its checks passed, the database reachable and migrated; CannotStart otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
    import django

    django.setup()
    checks.settings_are_sound()
    checks.database_is_ready()


def roles() -> list[Role]:
    """The three processes, by this Python."""
    near = reachable(settings.HOST)
    return [
        Role(name="site", command=command("site"), is_ready=lambda: answers(near, settings.SITE_PORT)),
        Role(name="edge", command=command("edge"), is_ready=lambda: answers(near, settings.EDGE_PORT)),
        Role(name="jobs", command=command("jobs")),
    ]


def command(role: str) -> list[str]:
    """How a role is started; -P: a file in the folder where somebody stands is not one of ours."""
    return [sys.executable, "-P", "-m", "vteam.processes.role", role, "--parent", str(os.getpid())]


def reachable(host: str) -> str:
    """The address at which this machine reaches a process listening on `host`."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return host


def answers(host: str, port: int) -> bool:
    """Whether /healthz answers 200."""
    connection = http.client.HTTPConnection(host, port, timeout=HEALTH_SECONDS_MAX)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def address_to_open() -> str:
    """The one address: the public one when set, else a name for this machine that every browser knows."""
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL}/"
    address = ipaddress.ip_address(settings.HOST)
    if address.is_loopback or address.is_unspecified:
        return f"http://localhost:{settings.SITE_PORT}/"
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{host}:{settings.SITE_PORT}/"


def saying(console: Console) -> Say:
    """Prints a role's line after the role's name in its colour; control characters are shown, not obeyed."""

    def say(role: str, line: str) -> None:
        text = Text.assemble((f"{role:<5}", COLOURS.get(role, "bold")), " ", line.translate(_CONTROLS))
        console.print(text, soft_wrap=True)

    return say


def _announce(console: Console, lines: Sequence[str]) -> None:
    console.print(Text.assemble("\nvTeam is open: ", (address_to_open(), "bold underline")), soft_wrap=True)
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    console.print(Text("Ctrl-C stops it.\n", "dim"))
