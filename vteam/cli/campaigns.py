"""`vteam campaign`: campaigns as files, checked and applied."""

from pathlib import Path
from typing import Annotated

import typer

from vteam.cli.terminal import Slug, campaign_at, err, out, prepare, set_up_without_keys
from vteam.errors import VTeamError

app = typer.Typer(no_args_is_help=True, help="Campaigns as files: check them, apply them.")

CampaignPath = Annotated[Path, typer.Argument(help="A campaign.toml, or the folder it stands in.")]


@app.command("check")
def campaign_check(path: CampaignPath) -> None:
    """Check a campaign file and the files it names, and report every problem at once."""
    set_up_without_keys()
    from vteam.campaigns.check import check_campaign

    checked = check_campaign(path)
    for problem in checked.problems:
        err.print(str(problem), soft_wrap=True, markup=False)
    if checked.problems:
        raise SystemExit(1)
    assert checked.file is not None, "a campaign without problems is there"
    out.print(f"“{checked.file.name}” is fine.", markup=False)


@app.command("apply")
def campaign_apply(
    path: CampaignPath,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before taking something away.")] = False,
) -> None:
    """Bring a campaign to what its file says. Shows what will change; asks before it takes anything away."""
    prepare()
    from vteam import clock
    from vteam.campaigns.changes import changes
    from vteam.campaigns.check import check_campaign
    from vteam.campaigns.services import apply_campaign, in_force
    from vteam.prizes.keeping import refuse_changes

    checked = check_campaign(path)
    for problem in checked.problems:
        err.print(str(problem), soft_wrap=True, markup=False)
    if checked.file is None:
        raise SystemExit(1)
    found = changes(in_force(checked.file.slug), checked.file)
    for change in found:
        out.print(f"  {'-' if change.takes_away else '+'} {change.text}", soft_wrap=True, markup=False)
    taken = sum(change.takes_away for change in found)
    if taken and not yes and not typer.confirm(f"This takes {taken} thing(s) away. Apply it?"):
        raise SystemExit(1)
    refuse_changes(checked.file)
    applied = apply_campaign(file=checked.file, folder=checked.folder, at=clock.now())
    if not applied.changed:
        out.print("Nothing to change: this file is in force.")
    else:
        out.print(f"Applied as version {applied.campaign.version}. What was earned before stays.")
    for invitation in applied.invitations:
        _show_invitation(invitation.holder.name, invitation.secret)


@app.command("invite")
def campaign_invite(
    slug: Slug, holder: Annotated[str, typer.Argument(help="The holder's key in the file.")]
) -> None:
    """Make a new link by which a rights holder comes to their page; the one before stops working."""
    prepare()
    from vteam import clock
    from vteam.rights.models import Holder
    from vteam.rights.services import invite

    found = Holder.objects.filter(campaign_id=campaign_at(slug).pk, key=holder).first()
    if found is None:
        raise VTeamError(f"There is no holder {holder!r} in this campaign.")
    _show_invitation(found.name, invite(holder=found, at=clock.now()))


def _show_invitation(name: str, secret: str) -> None:
    from vteam.processes.run import address_to_open

    out.print(
        f"Hand this link to {name} (it works once; vTeam mails it to nobody):", markup=False, soft_wrap=True
    )
    out.print(f"  {address_to_open()}invitation/{secret}", markup=False, soft_wrap=True)
