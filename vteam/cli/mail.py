"""`vteam mail`: whether receivers will let our mail in."""

import typer
from rich.markup import escape

from vteam.cli.terminal import out, set_up_without_keys

app = typer.Typer(no_args_is_help=True, help="Mail: whether receivers will let it in.")

COLOURS = {"fine": "green", "missing": "red", "wrong": "red", "unknown": "yellow"}


@app.command("check")
def mail_check() -> None:
    """Ask the domain name system what receivers will ask it about our mail, and say what to set there.

    It asks about the domain in VTEAM_EMAIL_FROM, the machines in VTEAM_MAIL_IPS and the key in VTEAM_DKIM_SELECTOR.
    """
    set_up_without_keys()
    from vteam.channels.mail.findings import State
    from vteam.channels.mail.ours import check_ours

    found = check_ours()
    for finding in found:
        colour = COLOURS[finding.state]
        mark = f"[{colour}]{finding.state:<8}[/{colour}]"
        out.print(f"{mark} {finding.about:<6} {escape(str(finding.sentence))}", soft_wrap=True)
        out.print(f"{'asked':>15} {escape(finding.asked)}", soft_wrap=True, style="dim")
        for answer in finding.found:
            out.print(f"{'found':>15} {escape(answer)}", soft_wrap=True, style="dim")
        if finding.record:
            out.print(f"{'set':>15} {escape(str(finding.record))}", soft_wrap=True)
    if any(finding.state is not State.FINE for finding in found):
        raise SystemExit(1)
