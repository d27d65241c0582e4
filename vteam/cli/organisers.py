"""`vteam organiser` and `vteam operator`: who may act for a campaign, and who for the whole installation."""

from typing import TYPE_CHECKING, Annotated

import typer

from vteam.cli.terminal import EverySlug, Slug, campaign_at, campaigns_of, out, prepare
from vteam.errors import VTeamError

if TYPE_CHECKING:
    from vteam.campaigns.models import Campaign

NAME_LENGTH = 80

organisers = typer.Typer(no_args_is_help=True, help="Who may act for a campaign: they write its news.")
operators = typer.Typer(no_args_is_help=True, help="Who may act for the whole installation.")

Name = Annotated[
    str, typer.Option("--name", help="What you call them; they read it, and you find them by it.")
]


@organisers.command("invite")
def organiser_invite(slug: Slug, name: Name) -> None:
    """Make a link by which somebody becomes an organiser of a campaign; their unused one stops working."""
    prepare()
    _invite(campaign_at(slug), name)


@organisers.command("list")
def organiser_list(slug: EverySlug = None) -> None:
    """Who organises: one campaign, or all."""
    prepare()
    for campaign in campaigns_of(slug):
        out.print(f"{campaign.slug}:", markup=False)
        _show(campaign)


@organisers.command("remove")
def organiser_remove(slug: Slug, name: Name) -> None:
    """Take an organiser's right to act for a campaign away, or their unused link. What they wrote stays."""
    prepare()
    _remove(campaign_at(slug), name)


@operators.command("invite")
def operator_invite(name: Name) -> None:
    """Make a link by which somebody becomes an operator of this installation; their unused one stops working."""
    prepare()
    _invite(None, name)


@operators.command("list")
def operator_list() -> None:
    """Who operates this installation."""
    prepare()
    _show(None)


@operators.command("remove")
def operator_remove(name: Name) -> None:
    """Take an operator's right to act away, or their unused link."""
    prepare()
    _remove(None, name)


def _invite(campaign: "Campaign | None", name: str) -> None:
    from vteam import clock
    from vteam.campaigns.organisers import invite
    from vteam.processes.run import address_to_open

    called = " ".join(name.split())
    if not called or len(called) > NAME_LENGTH or not called.isprintable():
        raise VTeamError(f"A name is one line of 1 to {NAME_LENGTH} visible characters.")
    secret = invite(campaign=campaign, name=called, at=clock.now())
    if secret is None:
        raise VTeamError(f"{called!r} has come already. Give another name, or remove that one first.")
    out.print(
        f"Hand this link to {called} (it works once; vTeam mails it to nobody):", markup=False, soft_wrap=True
    )
    out.print(f"  {address_to_open()}organise/invitation/{secret}", markup=False, soft_wrap=True)


def _show(campaign: "Campaign | None") -> None:
    from vteam.campaigns.organisers import organisers as invited

    found = invited(campaign)
    for one in found:
        waits = "" if one.person_id else "  (has not come yet)"
        out.print(f"  {one.name}, invited on {one.invited_at:%Y-%m-%d}{waits}", markup=False, soft_wrap=True)
    if not found:
        out.print("  None.")


def _remove(campaign: "Campaign | None", name: str) -> None:
    from vteam import clock
    from vteam.campaigns.organisers import remove

    called = " ".join(name.split())
    if not remove(campaign=campaign, name=called, at=clock.now()):
        raise VTeamError(f"Nobody here is called {called!r}. The `list` command shows who is.")
    out.print(f"{called} may not act here any more.", markup=False, soft_wrap=True)
