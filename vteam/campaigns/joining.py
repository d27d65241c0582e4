"""Joining a campaign's vTeam with a proven address: account, membership and the fact, in one transaction."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from vteam import clock
from vteam.journal.services import record_fact
from vteam.people.models import Fan, Pending, Person
from vteam.people.services import Entry, admit, become_fan, open_pending
from vteam.rules.facts import fan_confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Who came in, and as which fan (None where they only signed in). `is_new`: they joined just now."""

    person: Person
    fan: Fan | None
    is_new: bool


@transaction.atomic
def come_in(
    *, pending: Pending, entry: Entry, network: str, signed_in_fan: int | None, at_us: int
) -> Arrived:
    """Turn a proven pending entry into an account and, for a campaign, into a fan. The entry is used up.

    `network`: keyed hash of the joiner's near network. `signed_in_fan`: the fan this browser was signed in as,
    who cannot have recruited themselves.
    """
    person = admit(pending=pending, language=entry.language)
    Pending.objects.filter(pk=pending.pk).delete()
    if entry.campaign_id is None or not entry.name:
        return Arrived(person=person, fan=None, is_new=False)
    return _join(person, entry.campaign_id, entry, network=network, signed_in_fan=signed_in_fan, at_us=at_us)


def account(*, address: str, language: str, at: dt.datetime) -> Person:
    """An account with a proven address, made the way everybody's is."""
    entry = Entry(campaign_id=None, name="", language=language)
    opened = open_pending(address=address, entry=entry, at=at)
    arrived = come_in(
        pending=opened.pending, entry=entry, network="", signed_in_fan=None, at_us=clock.to_us(at)
    )
    return arrived.person


@transaction.atomic
def join_signed_in(*, person: Person, entry: Entry, network: str, at_us: int) -> Arrived:
    """Make somebody who is signed in, their address proven before, a fan of the entry's campaign (not None).

    Nobody in this browser was a fan of that campaign, so nobody here can have recruited themselves.
    """
    assert entry.campaign_id is not None, "one joins a campaign"
    return _join(person, entry.campaign_id, entry, network=network, signed_in_fan=None, at_us=at_us)


def _join(
    person: Person, campaign_id: int, entry: Entry, *, network: str, signed_in_fan: int | None, at_us: int
) -> Arrived:
    fan, is_new = become_fan(
        person=person,
        campaign_id=campaign_id,
        name=entry.name,
        share_id=entry.share_id,
        at=clock.from_us(at_us),
    )
    if is_new:
        record_fact(
            campaign_id=campaign_id,
            fact=fan_confirmed(
                fan=fan.pk,
                recruiter=entry.recruiter_id,
                share=entry.share_id,
                network=network,
                same_session=signed_in_fan is not None and signed_in_fan == entry.recruiter_id,
                at_us=at_us,
            ),
        )
    return Arrived(person=person, fan=fan, is_new=is_new)
