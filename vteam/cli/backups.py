"""`vteam backup` and `vteam restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vteam.cli.terminal import out, set_up, steps

if TYPE_CHECKING:
    from vteam.backup.restoring import Restored

BackupPath = Annotated[Path, typer.Argument(help="The backup's file.", dir_okay=False)]


def backup(
    file: BackupPath,
    verify: Annotated[
        bool,
        typer.Option("--verify/--no-verify", help="Put it back beside and check the books there, or not."),
    ] = True,
) -> None:
    """Write everything but the keys into one new file, while all runs. See docs/backup.md."""
    set_up()
    from vteam.backup.making import back_up

    with steps() as tell:
        back_up(file.absolute(), verified=verify, tell=tell)
    size = file.stat().st_size
    out.print(f"{file}: {size / 1e6:,.1f} MB{', verified' if verify else ''}.", markup=False, soft_wrap=True)
    out.print(
        "The keys are not in it: keep a copy of keys/ apart. Without it no address can be read again.",
        soft_wrap=True,
    )


def restore(
    file: BackupPath,
    replace: Annotated[
        bool, typer.Option("--replace", help="Do not ask before replacing what is there.")
    ] = False,
) -> None:
    """Put a backup in the place of this installation, which is kept aside. See docs/backup.md."""
    set_up()
    from django.conf import settings

    from vteam import clock
    from vteam.backup import restoring
    from vteam.backup.making import is_there

    said = restoring.look(file)
    made_at = f"{clock.from_us(said.made_at_us):%Y-%m-%d %H:%M:%S} UTC"
    out.print(f"A backup of {made_at}, made by vTeam {said.version}.", markup=False)
    if is_there() and not replace:
        out.print(f"There is an installation already: {settings.DATA}", markup=False, soft_wrap=True)
        if not typer.confirm("Replace it? It is kept aside."):
            raise SystemExit(1)
    with steps() as tell:
        restored = restoring.restore(file, tell=tell)
    _tell_restored(restored, made_at)


def _tell_restored(restored: "Restored", made_at: str) -> None:
    lines = [
        f"Restored. What happened after {made_at} is not in it: points, newcomers, and what artists took back. "
        "Ask the artists before you open.",
        "Dropped: sessions (people sign in again), codes not typed yet, letters not sent yet.",
        "Who erased themselves is erased, whenever the backup was made; who said no since is not written to.",
    ]
    if not restored.same_secret:
        lines.append("keys/secret is another than it was: links in letters sent before do not work any more.")
    if not restored.newest_master:
        lines.append("It was made with an older master key: every address is sealed under the newest now.")
    if restored.aside:
        lines.append(f"What was there is kept: {restored.aside}")
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
