"""`vteam keys`: the master keys of this installation, and replacing them."""

from typing import TYPE_CHECKING

import typer

from vteam.cli.terminal import err, out, prepare, steps

if TYPE_CHECKING:
    from vteam.backup.rotating import Rotated

app = typer.Typer(
    no_args_is_help=True, help="The master keys, which every address is sealed under: replace them."
)


@app.command()
def rotate() -> None:
    """Seal every address under a new master key, with vTeam stopped. See docs/operations.md, "A key leaked"."""
    prepare()
    from vteam.backup.rotating import rotate as rotate_keys

    with steps() as tell:
        rotated = rotate_keys(tell=tell)
    _tell_rotated(rotated)
    raise SystemExit(1 if rotated.rekeyed.unopened else 0)


def _tell_rotated(rotated: "Rotated") -> None:
    lines = [
        "A new master key was made, and everything is sealed under it."
        if rotated.made
        else "No key was made: the newest one was not everywhere yet. Now it is. For another one, do this again.",
        f"Sealed anew: {rotated.rekeyed.moved:,}.",
        "Now copy the keys to where you keep a copy apart: a backup made from now on cannot be restored without "
        "the new one.",
        "Keep the old ones too, each where it is. Without them no backup made before can be restored, and whoever "
        'said "never again" before may get a letter again. See docs/backup.md.',
    ]
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
    if rotated.rekeyed.unopened:
        err.print(
            f"{rotated.rekeyed.unopened:,} could not be opened with any key here and were left as they are. If a "
            "key was taken away, put it back and do this again.",
            style="red",
            soft_wrap=True,
        )


@app.command()
def status() -> None:
    """How many master keys there are, how many people are sealed under each, and what else needs the old ones."""
    prepare()
    from django.conf import settings

    from vteam.people.rotation import people_by_age
    from vteam.permissions.models import Refusal

    where = "VTEAM_MASTER_KEY" if settings.MASTER_KEY_GIVEN else "keys/master"
    count, people = len(settings.MASTER_KEYS), people_by_age()
    out.print(f"Master keys in {where}: {count}")
    for age in reversed(range(count)):
        named = {0: " (the newest)", count - 1: " (the oldest)"}.get(age, "") if count > 1 else ""
        out.print(f"  key {count - age}{named}: people {people[age]:,}", markup=False)
    out.print(
        f'Addresses that said "never again", each found by the key of its time alone: {Refusal.objects.count():,}'
    )
    if unopened := people[None]:
        err.print(f"People no key here opens: {unopened:,}. Put the missing key back.", style="red")
        raise SystemExit(1)
