"""`vteam run` and `vteam demo`."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from vteam.cli.terminal import bar
from vteam.processes import RoleName

if TYPE_CHECKING:
    from vteam.campaigns.models import Campaign


def run(
    roles: Annotated[
        list[RoleName] | None, typer.Argument(help="Only these roles; all three when left out.")
    ] = None,
) -> None:
    """Run this installation: site, edge and jobs, until Ctrl-C."""
    from vteam.processes.run import run as run_roles

    run_roles(roles or list(RoleName))


def demo(
    fans: Annotated[int, typer.Option(min=0, max=100_000, help="Add a lively season with so many fans.")] = 0,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Run it, or only prepare it.")] = True,
) -> None:
    """Put the demo campaign into an empty data folder and run it."""
    os.environ["VTEAM_DEMO"] = "true"
    from vteam.processes.run import address_to_open, prepare
    from vteam.processes.run import run as run_all

    prepare()
    from vteam import clock
    from vteam.demo.opening import holder_address, open_demo
    from vteam.demo.telling import organisers_door

    campaign = open_demo()
    if fans:
        _play(campaign, fans)
    first_holder = campaign.file.holders[0].key
    if run:
        address = address_to_open()
        run_all(
            lines=[
                f"  all of it      {address}demo   (a title passed on, on one screen)",
                f"  the campaign   {address}{campaign.slug}/",
                f"  every mail     {address}mailbox   (codes to come in land here)",
                f"  as the artist  {address}holder   (sign in as {holder_address(first_holder)})",
                f"  as organiser   {address}{organisers_door(campaign, at=clock.now())}   (sign in as you like)",
            ]
        )


def _play(campaign: "Campaign", fans: int) -> None:
    from vteam.demo.season import play_season
    from vteam.people.models import Fan

    missing = max(0, fans - Fan.objects.filter(campaign_id=campaign.pk).count())
    if not missing:
        return
    with bar("fans", missing) as progress:
        play_season(
            campaign, fans=fans, progress=lambda done: progress.update(progress.task_ids[0], completed=done)
        )
