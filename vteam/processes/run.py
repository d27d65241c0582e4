"""`vteam run`: checks what must be true, migrates, starts site, edge and jobs, and prints the one address to open.

Each role runs once per data folder. Everything refused is a `VTeamError` whose text says what to do.
"""

import ipaddress
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from vteam import settings
from vteam.channels.networks import trusted_proxies
from vteam.locks import held, last_holder
from vteam.logs import as_object
from vteam.metrics.ports import private_ports
from vteam.processes import RoleName, checks
from vteam.processes.doors import answers, reachable
from vteam.processes.supervisor import Role, Say, Supervisor

COLOURS = {RoleName.SITE: "cyan", RoleName.EDGE: "magenta", RoleName.JOBS: "yellow"}
# The processes of a run that was killed end with it; they may need a moment where much else is going on.
GONE_SECONDS_MAX = 5.0
# What could move the cursor or forge a line on somebody's terminal.
_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)] if code != 0x09
}


def run(
    wanted: Sequence[RoleName] = tuple(RoleName), *, lines: Sequence[str] = (), console: Console | None = None
) -> None:
    """Runs these roles until SIGINT or SIGTERM. `lines` are printed under the address, once all is ready.

    Raises CannotStart (a check, a process that ends while starting), Busy (another run) or SettingsError. Call it
    from the main thread.
    """
    console = console or Console()
    names = [name for name in RoleName if name in wanted]
    data = Path(settings.DATA)
    checks.data_folder(data)
    with _alone(data, names):
        checks.ports(settings.HOST, _ports(names))
        checks.ports(settings.METRICS_HOST, private_ports(names))
        trusted_proxies()
        prepare()
        if RoleName.JOBS in names:
            checks.mail_can_leave()
        supervisor = Supervisor(roles(names), say=saying(console))
        with supervisor.stopped_by_signals():
            if supervisor.start():
                _announce(console, names, lines)
                supervisor.watch()


@contextmanager
def _alone(data: Path, names: Sequence[RoleName]) -> Iterator[None]:
    """No other run has one of these roles on the data folder, and nothing of an earlier one is left."""
    with ExitStack() as kept:
        for name in names:
            kept.enter_context(held(data, f"run-{name}"))
        for name in names:
            with held(data, name, wait_seconds=GONE_SECONDS_MAX):
                pass
        yield


def _ports(names: Sequence[RoleName]) -> dict[str, int]:
    """The ports they listen on, by the variable which changes each."""
    ports = {
        RoleName.SITE: ("VTEAM_SITE_PORT", settings.SITE_PORT),
        RoleName.EDGE: ("VTEAM_EDGE_PORT", settings.EDGE_PORT),
    }
    return dict(ports[name] for name in names if name in ports)


def prepare() -> None:
    """Django set up, its checks passed, the database reachable and migrated; CannotStart otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
    import django

    django.setup()
    checks.settings_are_sound()
    checks.database_is_ready()


def roles(names: Sequence[RoleName]) -> list[Role]:
    """Their processes, by this Python."""
    near, data = reachable(settings.HOST), Path(settings.DATA)
    is_ready: dict[RoleName, Callable[[int], bool]] = {
        RoleName.SITE: lambda _: answers(near, settings.SITE_PORT),
        RoleName.EDGE: lambda _: answers(near, settings.EDGE_PORT),
        RoleName.JOBS: lambda pid: last_holder(data, RoleName.JOBS) == pid,
    }
    return [Role(name=name, command=command(name), is_ready=is_ready[name]) for name in names]


def command(role: str) -> list[str]:
    """How a role is started; -P: a file in the folder where somebody stands is not one of ours."""
    return [sys.executable, "-P", "-m", "vteam.processes.role", role, "--parent", str(os.getpid())]


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
        if settings.LOG_FORMAT == "json":
            console.print(Text(as_object(role, line)), soft_wrap=True)
            return
        text = Text.assemble((f"{role:<5}", COLOURS[RoleName(role)]), " ", line.translate(_CONTROLS))
        console.print(text, soft_wrap=True)

    return say


def _announce(console: Console, names: Sequence[RoleName], lines: Sequence[str]) -> None:
    if settings.LOG_FORMAT == "json":
        console.print(Text(as_object("run", f"vTeam is open: {address_to_open()}")), soft_wrap=True)
        return
    if RoleName.SITE in names:
        console.print(
            Text.assemble("\nvTeam is open: ", (address_to_open(), "bold underline")), soft_wrap=True
        )
    else:
        console.print(f"\nvTeam runs here: {', '.join(names)}", soft_wrap=True)
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    console.print(Text("Ctrl-C stops it.\n", "dim"))
