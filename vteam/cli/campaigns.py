"""`vteam campaign`: campaigns as files, checked, applied, and shown as they are in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vteam.cli.terminal import Slug, campaign_at, err, out, prepare, set_up_without_keys
from vteam.errors import VTeamError

if TYPE_CHECKING:  # Django is not set up yet where a command is only named
    from vteam.campaigns.file import CampaignFile
    from vteam.campaigns.models import Campaign

app = typer.Typer(no_args_is_help=True, help="Campaigns as files: check them, apply them, show them.")

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
    from vteam.campaigns.models import Campaign
    from vteam.campaigns.services import apply_campaign
    from vteam.prizes.keeping import refuse_changes

    checked = check_campaign(path)
    for problem in checked.problems:
        err.print(str(problem), soft_wrap=True, markup=False)
    if checked.file is None:
        raise SystemExit(1)
    campaign = Campaign.objects.filter(slug=checked.file.slug).first()
    found = changes(campaign.file if campaign else None, checked.file)
    for change in found:
        out.print(f"  {'-' if change.takes_away else '+'} {change.text}", soft_wrap=True, markup=False)
    back = _edited_in_the_browser(campaign, checked.file)
    taken = sum(change.takes_away for change in found)
    asked = f"This takes {taken} thing(s) away. Apply it?" if taken else "Apply it?"
    if (taken or back) and not yes and not typer.confirm(asked):
        raise SystemExit(1)
    refuse_changes(checked.file)
    seen = campaign.version if campaign else None
    applied = apply_campaign(file=checked.file, folder=checked.folder, at=clock.now(), seen=seen)
    if not applied.changed:
        out.print("Nothing to change: this file is in force.")
    else:
        out.print(f"Applied as version {applied.campaign.version}. What was earned before stays.")
    for invitation in applied.invitations:
        _show_invitation(invitation.holder.name, invitation.secret)


def _edited_in_the_browser(campaign: "Campaign | None", file: "CampaignFile") -> bool:
    """Say what of the organisers' own edits the file would undo; True where there is anything."""
    from vteam.campaigns.editing import undone

    found = undone(campaign, file) if campaign else []
    if found:
        out.print("Edited in the browser since the last file was applied, and undone by this one:")
    for change in found:
        out.print(f"  - {change.text}", soft_wrap=True, markup=False)
    if found:
        show = f"vteam campaign show {file.slug}"
        out.print(f"`{show}` prints the file in force, to go on from.", soft_wrap=True, markup=False)
    return bool(found)


@app.command("show")
def campaign_show(slug: Slug) -> None:
    """Print the campaign file in force as a campaign.toml, with what was edited in the browser."""
    prepare()
    from vteam.campaigns.writing import toml_of

    campaign = campaign_at(slug)
    typer.echo(toml_of(campaign.file, version=campaign.version), nl=False)


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
