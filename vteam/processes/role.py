"""One process in one role: `python -m vteam.processes.role site|edge|jobs [--parent PID]`.

With `--parent` the process ends when that one is gone. A fault the person at the keyboard can mend is one clear line
and exit status 1; a bug is a traceback.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from vteam import logs, settings
from vteam.errors import VTeamError
from vteam.locks import held
from vteam.processes import RoleName
from vteam.processes.orphan import end_with_parent


def _site() -> None:
    from vteam.processes import site

    site.main()


def _edge() -> None:
    from vteam.edge import server

    server.main()


def _jobs() -> None:
    import django

    django.setup()
    from vteam.jobs import loop

    with held(Path(settings.DATA), RoleName.JOBS):
        loop.main()


# Imported only in the process that needs it: the edge has no Django, the site's server neither.
ROLES: dict[RoleName, Callable[[], None]] = {
    RoleName.SITE: _site,
    RoleName.EDGE: _edge,
    RoleName.JOBS: _jobs,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs a role until it is told to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="vteam.processes.role", description="One vTeam process.")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    given = parser.parse_args(arguments)
    if given.parent:
        end_with_parent(given.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
    os.umask(0o077)  # what is kept about people is for who runs vTeam alone
    logs.begin(given.role)
    try:
        ROLES[given.role]()
    except VTeamError as fault:
        print(fault, file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
