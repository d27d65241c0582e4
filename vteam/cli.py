"""The `vteam` command. Every command exits 0 only when all is well; what went wrong is said in plain words.

The commands only parse, call the library and print; what they do stands in the modules they import.
"""

import functools
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from vteam.errors import VTeamError
from vteam.processes import RoleName

if TYPE_CHECKING:
    from vteam.backup.restoring import Restored
    from vteam.campaigns.models import Campaign

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
campaign_app = typer.Typer(no_args_is_help=True, help="Campaigns as files: check them, apply them.")
review_app = typer.Typer(no_args_is_help=True, help="Awards that wait for a person to look at them.")
app.add_typer(campaign_app, name="campaign")
app.add_typer(review_app, name="review")
# The benches stand beside the package in a checkout; an installed vTeam does without them.
if (Path(__file__).parents[1] / "bench" / "command.py").is_file():
    from bench.command import app as bench_app

    app.add_typer(bench_app, name="bench")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Slug = Annotated[str, typer.Argument(help="The campaign's address, such as maree-haute.")]
Number = Annotated[int, typer.Argument(help="The award's number, as `vteam review list` shows it.", min=1)]
Reason = Annotated[str, typer.Option(help="Shown to the fan, in their own list of points.")]
CampaignPath = Annotated[Path, typer.Argument(help="A campaign.toml, or the folder it stands in.")]
BackupPath = Annotated[Path, typer.Argument(help="The backup's file.", dir_okay=False)]
EverySlug = Annotated[str | None, typer.Argument(help="One campaign; all of them when left out.")]


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


# Running ----------------------------------------------------------------------------------------------------
@app.command()
def run(
    roles: Annotated[
        list[RoleName] | None, typer.Argument(help="Only these roles; all three when left out.")
    ] = None,
) -> None:
    """Run this installation: site, edge and jobs, until Ctrl-C."""
    from vteam.processes.run import run as run_roles

    run_roles(roles or list(RoleName))


@app.command()
def demo(
    fans: Annotated[int, typer.Option(min=0, max=100_000, help="Add a lively season with so many fans.")] = 0,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Run it, or only prepare it.")] = True,
) -> None:
    """Put the demo campaign into an empty data folder and run it."""
    os.environ["VTEAM_DEMO"] = "true"
    from vteam.processes.run import address_to_open, prepare
    from vteam.processes.run import run as run_all

    prepare()
    from vteam.demo.opening import holder_address, open_demo

    campaign = open_demo()
    if fans:
        _play(campaign, fans)
    first_holder = campaign.file.holders[0].key
    if run:
        address = address_to_open()
        run_all(
            lines=[
                f"  the campaign   {address}{campaign.slug}/",
                f"  every mail     {address}mailbox   (codes to come in land here)",
                f"  as the artist  {address}holder   (sign in as {holder_address(first_holder)})",
            ]
        )


def _play(campaign: "Campaign", fans: int) -> None:
    from vteam.demo.season import play_season
    from vteam.people.models import Fan

    missing = max(0, fans - Fan.objects.filter(campaign_id=campaign.pk).count())
    if not missing:
        return
    with _bar("fans", missing) as progress:
        play_season(
            campaign, fans=fans, progress=lambda done: progress.update(progress.task_ids[0], completed=done)
        )


# Campaigns --------------------------------------------------------------------------------------------------
@campaign_app.command("check")
def campaign_check(path: CampaignPath) -> None:
    """Check a campaign file and the files it names, and report every problem at once."""
    # Nothing is kept by checking, so no keys are made for it.
    for name in ("VTEAM_SECRET_KEY", "VTEAM_MASTER_KEY"):
        os.environ.setdefault(name, secrets.token_urlsafe(48))
    _set_up()
    from vteam.campaigns.check import check_campaign

    checked = check_campaign(path)
    for problem in checked.problems:
        err.print(str(problem), soft_wrap=True, markup=False)
    if checked.problems:
        raise SystemExit(1)
    assert checked.file is not None, "a campaign without problems is there"
    out.print(f"“{checked.file.name}” is fine.", markup=False)


@campaign_app.command("apply")
def campaign_apply(
    path: CampaignPath,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before taking something away.")] = False,
) -> None:
    """Bring a campaign to what its file says. Shows what will change; asks before it takes anything away."""
    _prepare()
    from vteam import clock
    from vteam.campaigns.changes import changes
    from vteam.campaigns.check import check_campaign
    from vteam.campaigns.services import apply_campaign, in_force

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
    applied = apply_campaign(file=checked.file, folder=checked.folder, at=clock.now())
    if not applied.changed:
        out.print("Nothing to change: this file is in force.")
    else:
        out.print(f"Applied as version {applied.campaign.version}. What was earned before stays.")
    for invitation in applied.invitations:
        _show_invitation(invitation.holder.name, invitation.secret)


@campaign_app.command("invite")
def campaign_invite(
    slug: Slug, holder: Annotated[str, typer.Argument(help="The holder's key in the file.")]
) -> None:
    """Make a new link by which a rights holder comes to their page; the one before stops working."""
    _prepare()
    from vteam import clock
    from vteam.rights.models import Holder
    from vteam.rights.services import invite

    found = Holder.objects.filter(campaign_id=_campaign(slug).pk, key=holder).first()
    if found is None:
        raise VTeamError(f"There is no holder {holder!r} in this campaign.")
    _show_invitation(found.name, invite(holder=found, at=clock.now()))


def _show_invitation(name: str, secret: str) -> None:
    from vteam.processes.run import address_to_open

    out.print(
        f"Hand this link to {name} (it works once; vTeam mails it to nobody):", markup=False, soft_wrap=True
    )
    out.print(f"  {address_to_open()}invitation/{secret}", markup=False, soft_wrap=True)


# The books --------------------------------------------------------------------------------------------------
@app.command()
def replay(slug: EverySlug = None) -> None:
    """Recompute the books from the journal alone and compare: they must be the same, byte for byte."""
    _prepare()
    from django.db import connection

    from vteam.ledger.replay import replay as replay_books
    from vteam.ledger.snapshot import snapshot

    wrong = 0
    for campaign in _campaigns(slug):
        with snapshot(connection), _bar(campaign.slug, _facts(campaign)) as progress:
            step = functools.partial(_step, progress)
            difference = replay_books(connection, campaign.pk, progress=step)
        wrong += _tell(campaign, difference, "replayed to the same bytes")
    raise SystemExit(1 if wrong else 0)


@app.command()
def verify(slug: EverySlug = None) -> None:
    """Check chain, sums and standings of the books, and that they cannot be edited; names the first wrong row."""
    _refuse_editable_books()
    _prepare()
    from django.db import connection

    from vteam.ledger.snapshot import snapshot
    from vteam.ledger.verify import verify as verify_books

    wrong = 0
    for campaign in _campaigns(slug):
        with snapshot(connection):
            difference = verify_books(connection, campaign.pk)
        wrong += _tell(campaign, difference, "the books hold")
    raise SystemExit(1 if wrong else 0)


def _refuse_editable_books() -> None:
    """Look for the append-only triggers before anything could put them back."""
    _set_up()
    from django.db import connection
    from django.db.utils import Error

    from vteam.appendonly import missing

    try:
        gone = missing(connection)
    except Error:
        return  # no database to look at: `_prepare` says what to do about that
    if gone:
        raise VTeamError(
            f"These triggers are gone, so the books may have been edited: {', '.join(gone)}. "
            "Compare with a backup, or with `vteam replay`. The next `vteam run` puts the triggers back."
        )


def _tell(campaign: "Campaign", wrong: str | None, right: str) -> int:
    console, words = (err, wrong) if wrong else (out, right)
    console.print(f"{campaign.slug}: {words}", markup=False, soft_wrap=True)
    return 1 if wrong else 0


# Backups ----------------------------------------------------------------------------------------------------
@app.command()
def backup(
    file: BackupPath,
    verify: Annotated[
        bool,
        typer.Option("--verify/--no-verify", help="Put it back beside and check the books there, or not."),
    ] = True,
) -> None:
    """Write everything but the keys into one new file, while all runs. See docs/backup.md."""
    _set_up()
    from vteam.backup.making import back_up

    with _steps() as tell:
        back_up(file.absolute(), verified=verify, tell=tell)
    size = file.stat().st_size
    out.print(f"{file}: {size / 1e6:,.1f} MB{', verified' if verify else ''}.", markup=False, soft_wrap=True)
    out.print(
        "The keys are not in it: keep a copy of keys/ apart. Without it no address can be read again.",
        soft_wrap=True,
    )


@app.command()
def restore(
    file: BackupPath,
    replace: Annotated[
        bool, typer.Option("--replace", help="Do not ask before replacing what is there.")
    ] = False,
) -> None:
    """Put a backup in the place of this installation, which is kept aside. See docs/backup.md."""
    _set_up()
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
    with _steps() as tell:
        restored = restoring.restore(file, tell=tell)
    _tell_restored(restored, made_at)


def _tell_restored(restored: "Restored", made_at: str) -> None:
    lines = [
        f"Restored. What happened after {made_at} is not in it: points, newcomers, what artists took back, and "
        "addresses that said never again. Ask the artists before you open.",
        "Dropped: sessions (people sign in again), codes not typed yet, letters not sent yet.",
        "Who erased themselves is erased, whenever the backup was made.",
    ]
    if not restored.same_secret:
        lines.append("keys/secret is another than it was: links in letters sent before do not work any more.")
    if restored.aside:
        lines.append(f"What was there is kept: {restored.aside}")
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


@contextmanager
def _steps() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each piece of work it is told of; one that moves to and fro where nobody knows how much there is.

    Told to end (SIGTERM) meanwhile, the work ends as by Ctrl-C: what it had begun is cleared away.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what)
            progress.update(tasks[what], completed=done, total=total or None)

        yield tell


# Reviews ----------------------------------------------------------------------------------------------------
@review_app.command("list")
def review_list(
    slug: Slug,
    counted: Annotated[
        bool, typer.Option("--counted", help="Show the newest awards that count instead.")
    ] = False,
) -> None:
    """The awards that wait for a person, oldest first; or those that count, newest first. 200 at most."""
    _prepare()
    from vteam.ledger.queries import counted_awards, waiting_for_review
    from vteam.people.queries import names_of

    awards = counted_awards if counted else waiting_for_review
    found = awards(_campaign(slug).pk, at_most=200)
    names = names_of(award.decision.fan for award in found)
    for award in found:
        name = names.get(award.decision.fan, "someone who left")
        out.print(f"{award.seq:>8}  {award.decision.points:>6}  {award.mission:<20}  {name}", markup=False)
    out.print(f"{len(found)} shown." if found else "None.")


@review_app.command("accept")
def review_accept(slug: Slug, number: Number, reason: Reason) -> None:
    """Let a waiting award count."""
    _decide(slug, number, accepted=True, reason=reason)


@review_app.command("refuse")
def review_refuse(slug: Slug, number: Number, reason: Reason) -> None:
    """Do not count a waiting award; its points go back."""
    _decide(slug, number, accepted=False, reason=reason)


@review_app.command("reverse")
def review_reverse(slug: Slug, number: Number, reason: Reason) -> None:
    """Take back an award that counted, by adding; the fan sees the reason."""
    _prepare()
    from vteam import clock
    from vteam.ledger.queries import still_counts
    from vteam.ledger.services import reverse_award

    campaign = _campaign(slug)
    if not still_counts(campaign.pk, number):
        raise VTeamError(
            f"No award {number} counts in this campaign. `vteam review list {slug} --counted` shows them."
        )
    reverse_award(campaign_id=campaign.pk, decision=number, reason=reason, at_us=clock.now_us())
    out.print("Recorded. The books follow within a second while `vteam run` is up.")


def _decide(slug: str, number: int, *, accepted: bool, reason: str) -> None:
    _prepare()
    from vteam import clock
    from vteam.ledger.queries import is_open
    from vteam.ledger.services import decide_review

    campaign = _campaign(slug)
    if not is_open(campaign.pk, number):
        raise VTeamError(
            f"No award {number} waits in this campaign. `vteam review list {slug}` shows those that do."
        )
    decide_review(
        campaign_id=campaign.pk, decision=number, accepted=accepted, reason=reason, at_us=clock.now_us()
    )
    out.print("Recorded. The books follow within a second while `vteam run` is up.")


# Shared -----------------------------------------------------------------------------------------------------
def _set_up() -> None:
    """Django without a database: for commands that only read files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
    import django

    django.setup()


def _prepare() -> None:
    """Django with its checks passed and its database migrated."""
    from vteam.processes.run import prepare

    prepare()


def _campaign(slug: str) -> "Campaign":
    from vteam.campaigns.queries import campaign_by_slug

    found = campaign_by_slug(slug)
    if found is None:
        raise VTeamError(f"There is no campaign at {slug!r} in this installation.")
    return found


def _campaigns(slug: str | None) -> "list[Campaign]":
    from vteam.campaigns.queries import every_campaign

    found = [_campaign(slug)] if slug else every_campaign()
    if not found:
        out.print("There is no campaign in this installation yet.")
    return found


def _facts(campaign: "Campaign") -> int:
    from vteam.journal.models import Fact

    return Fact.objects.filter(campaign_id=campaign.pk).count()


@contextmanager
def _bar(name: str, total: int) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        progress.add_task(name, total=total)
        yield progress


def _step(progress: Progress, done: int) -> None:
    progress.update(progress.task_ids[0], completed=done)
