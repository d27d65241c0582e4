"""Who may act for a campaign (organisers) and who for the whole installation (operators): invited by a one-use link.

vTeam mails that link to nobody: who runs it hands it on. Refuses a name that somebody who came already bears, so that
a name always means one person. An operator writes in no band's name: for that they are invited like anybody else.
"""

import datetime as dt
import secrets

from django.db import transaction

from vteam.campaigns.models import Campaign, Organiser
from vteam.people import vault
from vteam.people.models import Person
from vteam.permissions.queries import found_subject
from vteam.permissions.services import INSTALLATION, end_all

NO_OPERATOR = "not an operator any more"
INVITATION = "organiser invitation"
ORGANISER = "SELECT * FROM campaigns_organiser WHERE campaign_id = %s AND person_id = %s"


@transaction.atomic
def invite(*, campaign: Campaign | None, name: str, at: dt.datetime) -> str | None:
    """A one-use secret for the link by which somebody becomes an organiser; without a campaign, an operator.

    It replaces the unused one of that name. None where somebody of that name has come already.
    """
    secret = secrets.token_urlsafe(24)
    found, _ = Organiser.objects.select_for_update().get_or_create(
        campaign=campaign, name=name, defaults={"invited_at": at}
    )
    if found.person_id is not None:
        return None
    found.invitation_hash, found.invited_at = vault.keyed_hash(INVITATION, secret), at
    found.save(update_fields=["invitation_hash", "invited_at"])
    return secret


def invited(secret: str) -> Organiser | None:
    """Whom an unused invitation is for."""
    unused = Organiser.objects.select_related("campaign")
    return unused.filter(invitation_hash__in=vault.keyed_hashes(INVITATION, secret)).first()


@transaction.atomic
def take_invitation(*, secret: str, person: Person) -> Organiser | None:
    """Make the person what an invitation is for, and use it up; None where it was used or replaced.

    Somebody who was that already stays it under the name they had.
    """
    unused = Organiser.objects.select_for_update()
    found = unused.filter(invitation_hash__in=vault.keyed_hashes(INVITATION, secret)).first()
    if found is None:
        return None
    already = Organiser.objects.filter(campaign=found.campaign_id, person=person).first()
    if already is not None:
        found.delete()
        return already
    found.person, found.invitation_hash = person, None
    found.save(update_fields=["person", "invitation_hash"])
    return found


def organiser_of(person: Person | None, campaign: Campaign) -> Organiser | None:
    """The organiser a person is in a campaign; None for everybody else, operators too."""
    if person is None:
        return None
    return next(iter(Organiser.objects.raw(ORGANISER, [campaign.pk, person.pk])), None)


def operator_of(person: Person | None) -> Organiser | None:
    """The operator a person is; None for everybody else."""
    return Organiser.objects.filter(campaign=None, person=person).first() if person else None


def is_operator(person: Person | None) -> bool:
    """Whether a person may act for the whole installation."""
    return operator_of(person) is not None


def organisers(campaign: Campaign | None) -> list[Organiser]:
    """A campaign's organisers, or the operators, in the order they were invited; those yet to come too."""
    return list(Organiser.objects.filter(campaign=campaign).order_by("invited_at", "pk"))


def roles_of(person: Person) -> list[Organiser]:
    """Everything a person may act for: each with its campaign, or with None where they are an operator."""
    return list(Organiser.objects.select_related("campaign").filter(person=person).order_by("pk"))


@transaction.atomic
def remove(*, campaign: Campaign | None, name: str, at: dt.datetime) -> bool:
    """Take somebody's right to act away, or their unused link; False where nobody is called that.

    What an operator allowed to reach them as one ends with it.
    """
    found = Organiser.objects.filter(campaign=campaign, name=name).first()
    if found is None:
        return False
    if campaign is None and found.person_id is not None:
        subject = found_subject(person_id=found.person_id, campaign_id=INSTALLATION)
        if subject is not None:
            end_all(subject=subject, act=NO_OPERATOR, at=at)
    found.delete()
    return True
