"""`vteam draw`: doing a published draw again, and committing to a secret for one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vteam.cli.terminal import err, out
from vteam.errors import VTeamError

if TYPE_CHECKING:
    from vteam.rules.drawrecords import Checked

app = typer.Typer(no_args_is_help=True, help="Draws that anybody can do again: check a published one.")
RECORD_BYTES_MAX = 2 * 1024**3
PROVES = (
    "What this proves: the entries were frozen, and so was everything else, before anybody could know the randomness; "
    "and the winners are what entries and randomness lead to, whoever works it out.\n"
    "What it cannot prove: that nobody was invented among the entries, or left out before they were frozen: "
    "every fan finds their own entry on their page. And whether this announcement is the one that was published: "
    "compare its hash with the one that stood on the campaign's page before the draw."
)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The record, as the campaign's page gives it.", exists=True)],
    announced: Annotated[
        str, typer.Option(help="The announcement's hash, where you noted it before the draw.")
    ] = "",
) -> None:
    """Do a draw again from its published record alone; needs no network and none of this installation's data."""
    from vteam.rules.drawrecords import checked

    found = _read(file)
    done = checked(found, announced=announced.strip().lower())
    _tell(found, done)
    raise SystemExit(1 if done.faults else 0)


@app.command()
def commit(name: Annotated[str, typer.Argument(help="Your name, as the announcement will give it.")]) -> None:
    """Make a secret for a draw without a beacon: publish the commitment now, keep the secret until the close."""
    import secrets
    import unicodedata

    from vteam.rules.drawrecords import SECRET_BYTES, commitment_to

    name = " ".join(unicodedata.normalize("NFC", name).split())  # as a page takes it

    secret = secrets.token_hex(SECRET_BYTES)
    out.print(f"Commitment, for the announcement: {commitment_to(name, secret)}", soft_wrap=True)
    out.print(f"Secret, to reveal after the close, and until then for nobody: {secret}", soft_wrap=True)


def _read(file: Path) -> Any:
    import codecs

    import orjson

    if file.stat().st_size > RECORD_BYTES_MAX:
        raise VTeamError(f"{file} is larger than any record of a draw.")
    try:
        return orjson.loads(file.read_bytes().removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise VTeamError(f"{file} is not JSON, and so no record of a draw: {error}") from error


def _tell(found: Any, done: "Checked") -> None:
    from vteam.rules.drawrecords import Part

    bad = {fault.part for fault in done.faults}
    for part in Part if Part.RECORD not in bad else (Part.RECORD,):
        if part not in bad and part is not Part.RECORD:
            is_known = part is not Part.ORDER or bool(done.order)
            out.print(f"[green]✓[/green] {part}" if is_known else f"[dim]-[/dim] {part}: not known")
        for fault in done.faults:
            if fault.part is part:
                err.print(f"[red]✗[/red] {part}:", end=" ")
                err.print(fault.wrong, markup=False, soft_wrap=True)
    if done.announced:
        out.print(f"The announcement's hash: {done.announced}", soft_wrap=True)
    for name in done.left_out:
        out.print(f"Did not reveal, and was left out as announced: {name}", markup=False, soft_wrap=True)
    if done.faults:
        err.print("This record does not hold.", style="red")
        return
    told = found["announcement"]
    for place, id_ in enumerate(done.order[: told["how_many"]], start=1):
        out.print(f"{place:>6}. {id_}", markup=False)
    if len(done.order) > told["how_many"]:
        out.print(
            f"Next in line: {', '.join(done.order[told['how_many'] :][:10])}", markup=False, soft_wrap=True
        )
    out.print(PROVES, markup=False, soft_wrap=True)
