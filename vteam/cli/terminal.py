"""What the commands have in common: the terminal they print to, and the installation they are about."""

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from vteam.errors import VTeamError

if TYPE_CHECKING:
    from vteam.campaigns.models import Campaign

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Slug = Annotated[str, typer.Argument(help="The campaign's address, such as maree-haute.")]
EverySlug = Annotated[str | None, typer.Argument(help="One campaign; all of them when left out.")]


def set_up() -> None:
    """Django without a database: for commands that only read files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
    import django

    django.setup()


def set_up_without_keys() -> None:
    """Django for commands that only look at something: nothing is kept by them, so no keys are made for it."""
    for name in ("VTEAM_SECRET_KEY", "VTEAM_MASTER_KEY"):
        os.environ.setdefault(name, secrets.token_urlsafe(48))
    set_up()


def prepare() -> None:
    """Django with its checks passed and its database migrated."""
    from vteam.processes import run

    run.prepare()


def campaign_at(slug: str) -> "Campaign":
    """The campaign at an address; VTeamError where there is none."""
    from vteam.campaigns.queries import campaign_by_slug

    found = campaign_by_slug(slug)
    if found is None:
        raise VTeamError(f"There is no campaign at {slug!r} in this installation.")
    return found


def campaigns_of(slug: str | None) -> "list[Campaign]":
    """The campaign at an address, or all; where there is none yet, that is said."""
    from vteam.campaigns.queries import every_campaign

    found = [campaign_at(slug)] if slug else every_campaign()
    if not found:
        out.print("There is no campaign in this installation yet.")
    return found


@contextmanager
def bar(name: str, total: int) -> Iterator[Progress]:
    """A bar for work whose length is known; `step` moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        progress.add_task(name, total=total)
        yield progress


def step(progress: Progress, done: int) -> None:
    """So much is done now."""
    progress.update(progress.task_ids[0], completed=done)


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each piece of work it is told of; one that moves to and fro where nobody knows how much there is.

    Told to end (SIGTERM) meanwhile, the work ends as by Ctrl-C: what it had begun is cleared away.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what)
            progress.update(tasks[what], completed=done, total=total or None)

        yield tell
