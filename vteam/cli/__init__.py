"""The `vteam` command. Every command exits 0 only when all is well; what went wrong is said in plain words.

The commands only parse, call the library and print; what they do stands in the modules they import.
"""

import os
from pathlib import Path

import typer

from vteam.cli import (
    backups,
    books,
    campaigns,
    draws,
    keys,
    mail,
    organisers,
    permissions,
    reviews,
    running,
)
from vteam.cli.terminal import err
from vteam.errors import VTeamError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in (running.run, running.demo, books.replay, books.verify, backups.backup, backups.restore):
    app.command()(command)
app.add_typer(campaigns.app, name="campaign")
app.add_typer(organisers.organisers, name="organiser")
app.add_typer(organisers.operators, name="operator")
app.add_typer(reviews.app, name="review")
app.add_typer(keys.app, name="keys")
app.add_typer(mail.app, name="mail")
app.add_typer(permissions.app, name="permission")
app.add_typer(draws.app, name="draw")
# The benches stand beside the package in a checkout; an installed vTeam does without them.
if (Path(__file__).parents[2] / "bench" / "command.py").is_file():
    from bench.command import app as bench_app

    app.add_typer(bench_app, name="bench")


def main() -> None:
    """The console script's entry: faults the person can mend are one message, not a traceback."""
    # Settings come from VTEAM_ variables alone, whatever other Django project this shell is set up for.
    os.environ["DJANGO_SETTINGS_MODULE"] = "vteam.settings"
    os.umask(0o077)  # what is kept about people is for who runs vTeam alone
    try:
        app()
    except VTeamError as fault:
        err.print(str(fault), style="red", soft_wrap=True, markup=False)
        raise SystemExit(1) from fault
