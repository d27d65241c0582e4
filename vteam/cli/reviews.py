"""`vteam review`: awards that wait for a person, and those taken back."""

from typing import Annotated

import typer

from vteam.cli.terminal import Slug, campaign_at, out, prepare
from vteam.errors import VTeamError

app = typer.Typer(no_args_is_help=True, help="Awards that wait for a person to look at them.")

Number = Annotated[int, typer.Argument(help="The award's number, as `vteam review list` shows it.", min=1)]
Reason = Annotated[str, typer.Option(help="Shown to the fan, in their own list of points.")]


@app.command("list")
def review_list(
    slug: Slug,
    counted: Annotated[
        bool, typer.Option("--counted", help="Show the newest awards that count instead.")
    ] = False,
) -> None:
    """The awards that wait for a person, oldest first; or those that count, newest first. 200 at most."""
    prepare()
    from vteam.ledger.queries import counted_awards, waiting_for_review
    from vteam.people.queries import names_of

    awards = counted_awards if counted else waiting_for_review
    found = awards(campaign_at(slug).pk, at_most=200)
    names = names_of(award.decision.fan for award in found)
    for award in found:
        name = names.get(award.decision.fan, "someone who left")
        out.print(f"{award.seq:>8}  {award.decision.points:>6}  {award.mission:<20}  {name}", markup=False)
    out.print(f"{len(found)} shown." if found else "None.")


@app.command("accept")
def review_accept(slug: Slug, number: Number, reason: Reason) -> None:
    """Let a waiting award count."""
    _decide(slug, number, accepted=True, reason=reason)


@app.command("refuse")
def review_refuse(slug: Slug, number: Number, reason: Reason) -> None:
    """Do not count a waiting award; its points go back."""
    _decide(slug, number, accepted=False, reason=reason)


@app.command("reverse")
def review_reverse(slug: Slug, number: Number, reason: Reason) -> None:
    """Take back an award that counted, by adding; the fan sees the reason."""
    prepare()
    from vteam import clock
    from vteam.ledger.queries import still_counts
    from vteam.ledger.services import reverse_award

    campaign = campaign_at(slug)
    if not still_counts(campaign.pk, number):
        raise VTeamError(
            f"No award {number} counts in this campaign. `vteam review list {slug} --counted` shows them."
        )
    reverse_award(campaign_id=campaign.pk, decision=number, reason=reason, at_us=clock.now_us())
    out.print("Recorded. The books follow within a second while `vteam run` is up.")


def _decide(slug: str, number: int, *, accepted: bool, reason: str) -> None:
    prepare()
    from vteam import clock
    from vteam.ledger.queries import is_open
    from vteam.ledger.services import decide_review

    campaign = campaign_at(slug)
    if not is_open(campaign.pk, number):
        raise VTeamError(
            f"No award {number} waits in this campaign. `vteam review list {slug}` shows those that do."
        )
    decide_review(
        campaign_id=campaign.pk, decision=number, accepted=accepted, reason=reason, at_us=clock.now_us()
    )
    out.print("Recorded. The books follow within a second while `vteam run` is up.")
