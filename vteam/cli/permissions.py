"""`vteam permission`: what somebody allows to reach them, and ending it at their wish. No command gives a yes.

An operator has the address from whoever asks; the commands print none, and list nobody.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from vteam.cli.terminal import EverySlug, campaign_at, campaigns_of, out, prepare
from vteam.errors import VTeamError
from vteam.rules.grants import PACES, Purpose

if TYPE_CHECKING:
    from vteam.people.models import Person
    from vteam.permissions.models import GrantEvent, Subject
    from vteam.rules.grants import Grant

AT_THEIR_WISH = "an operator, at their wish"
HERE = "the installation"

app = typer.Typer(
    no_args_is_help=True,
    help="What people allow to reach them: look, or end it. Only they themselves say yes.",
)

Address = Annotated[str, typer.Option("--address", help="Whose: the mail address they signed in with.")]


@app.command()
def show(address: Address) -> None:
    """How every purpose stands with somebody, campaign by campaign, since when, by which numbers of the chain."""
    prepare()
    from vteam import clock

    person, is_refused = _found(address)
    if is_refused:
        out.print("This address said “never again”: no code is sent to it.")
    if person is None:
        out.print("Nobody here has it as theirs.")
        return
    at_us, told = clock.now_us(), False
    for subject, name in _subjects(person):
        told = True
        out.print(f"{name}:", markup=False)
        for purpose, standing, events in _standings(subject, at_us):
            out.print(f"  {purpose:<7} {_words(standing, events)}", markup=False, soft_wrap=True)
    if not told:
        out.print("They have never said anything about what may reach them, so nothing may.")


@app.command()
def withdraw(
    address: Address,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="In this campaign alone; everywhere when left out.")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help=f"This alone: {', '.join(PACES)}; all when left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before ending it.")] = False,
) -> None:
    """End what somebody allowed, when they ask for it. They can allow it again, on their own page; nobody else can."""
    prepare()
    from vteam import clock
    from vteam.permissions.services import end

    wanted = _purposes(purpose)
    only = campaign_at(campaign).pk if campaign else None
    person, _ = _found(address)
    given = [
        (subject, name, one)
        for subject, name in (_subjects(person) if person else ())
        if only is None or subject.campaign_id == only
        for one, standing, _ in _standings(subject, clock.now_us())
        if one in wanted and standing.is_given
    ]
    if not given:
        out.print("There is nothing to end: nothing of this is allowed.")
        return
    for _, name, one in given:
        out.print(f"  - {name}: {one}", markup=False, soft_wrap=True)
    if not yes and not typer.confirm("End this? Only they can allow it again."):
        raise SystemExit(1)
    at = clock.now()
    ended = [end(subject=subject, purpose=one, act=AT_THEIR_WISH, at=at) for subject, _, one in given]
    out.print(f"Ended: {sum(event is not None for event in ended)}.")


@app.command()
def numbers(slug: EverySlug = None) -> None:
    """How many allow what at which pace, paused it, refused or withdrew it, of those who are still here; no names."""
    prepare()
    from vteam.permissions.models import Refusal
    from vteam.permissions.services import INSTALLATION

    for campaign in campaigns_of(slug):
        _show_numbers(campaign.slug, campaign.pk, [one for one in PACES if one is not Purpose.FAULTS])
    if slug is None:
        _show_numbers(HERE, INSTALLATION, [Purpose.FAULTS])
        out.print(f"Addresses that said “never again”: {Refusal.objects.count():,}")


def _show_numbers(name: str, campaign_id: int, purposes: list[Purpose]) -> None:
    from vteam import clock
    from vteam.permissions.queries import tally

    out.print(f"{name}:", markup=False)
    for purpose in purposes:
        found = tally(campaign_id=campaign_id, purpose=purpose, at_us=clock.now_us())
        kinds = [*map(str, PACES[purpose]), "paused", "refused", "withdrawn", "expired"]
        counts = ", ".join(f"{kind} {found[kind]:,}" for kind in kinds)
        out.print(f"  {purpose:<7} {counts}", markup=False, soft_wrap=True)


def _found(address: str) -> "tuple[Person | None, bool]":
    """Whose address it is, and whether it said "never again"; VTeamError where it is none, or we know nothing of it."""
    from vteam.people import vault
    from vteam.people.queries import person_at
    from vteam.permissions.codes import refused

    if vault.plain_address(address) is None:
        raise VTeamError("This is not a mail address. Write it as in name@example.org.")
    person, is_refused = person_at(address), refused(vault.lookups_of(address))
    if person is None and not is_refused:
        raise VTeamError("Nobody here has this address. Ask which one they sign in with.")
    return person, is_refused


def _subjects(person: "Person") -> "Iterator[tuple[Subject, str]]":
    """Wherever somebody ever said anything, with what to call it."""
    from vteam.campaigns.queries import every_campaign
    from vteam.permissions.queries import subjects_of

    slugs = {campaign.pk: campaign.slug for campaign in every_campaign()}
    for subject in subjects_of(person_id=person.pk):
        yield subject, slugs.get(subject.campaign_id, HERE)


def _standings(subject: "Subject", at_us: int) -> "Iterator[tuple[Purpose, Grant, list[GrantEvent]]]":
    """Each purpose, how it stands, and all that was said about it, oldest first."""
    from vteam.permissions.queries import history, standings

    events = history(subject)[::-1]
    for purpose, standing in standings(subject, at_us=at_us).items():
        yield purpose, standing, [event for event in events if event.purpose == purpose]


def _words(standing: "Grant", events: "list[GrantEvent]") -> str:
    if standing.last is None:
        return "nothing said"
    said = ", ".join(f"{event.seq} {event.event}" for event in events)
    if not standing.is_given:
        return f"no ({standing.last}), since {_moment(events[-1].at_us)} [{said}]"
    paused = (
        f", paused until {_moment(standing.paused_until_us)}" if standing.paused_until_us is not None else ""
    )
    assert standing.since_us is not None, "a yes has its time"
    return f"yes, {standing.pace}, since {_moment(standing.since_us)}{paused} [{said}]"


def _moment(at_us: int) -> str:
    from vteam import clock

    return f"{clock.from_us(at_us):%Y-%m-%d %H:%M} UTC"


def _purposes(named: str | None) -> tuple[Purpose, ...]:
    if named is None:
        return tuple(PACES)
    if named not in PACES:
        raise VTeamError(f"There is no purpose {named!r}. Write one of: {', '.join(PACES)}.")
    return (Purpose(named),)
