"""What holders say, recorded for good; and the links by which they come to their own page."""

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from vteam.people import vault
from vteam.people.models import Person
from vteam.rights.models import AgreementText, Holder, RightEvent, TitleHolder
from vteam.rights.wording import Wording
from vteam.rules.rights import Act, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a holder says about one way of circulating one title. Times in microseconds UTC.

    `words`: what they ask of people ("keep it, please don't pass it on"). `why`: the reason of a withdrawal.
    """

    title_id: int
    way: Way
    act: Act
    wording: Wording
    at_us: int
    until_us: int | None = None
    at_most: int | None = None
    counted_before: int | None = None
    words: str = ""
    why: str = ""


def record_act(*, holder: Holder, person: Person | None, said: Said) -> RightEvent:
    """Append what a holder said. Only a holder of that title is heard: anybody else is a ValueError.

    `person`: whose account it was said from, the holder's own; None where it was said outside vTeam.
    """
    if person is not None and not Holder.objects.filter(pk=holder.pk, person=person).exists():
        raise ValueError(f"{person} does not speak for {holder}")
    if not TitleHolder.objects.filter(holder=holder, title_id=said.title_id).exists():
        raise ValueError(f"{holder} is no holder of title {said.title_id}")
    text = said.wording
    AgreementText.objects.get_or_create(
        sha256=text.sha256, defaults={"language": text.language, "text": text.text}
    )
    return RightEvent.objects.create(
        campaign_id=holder.campaign_id,
        title_id=said.title_id,
        holder_id=holder.pk,
        person_id=person.pk if person else None,
        way=said.way,
        act=said.act,
        at_us=said.at_us,
        from_us=said.at_us,
        until_us=said.until_us,
        at_most=said.at_most,
        counted_before=said.counted_before,
        text_language=text.language,
        text_sha256=text.sha256,
        words=said.words,
        why=said.why,
    )


def has_spoken(*, holder: Holder, title_id: int | None = None) -> bool:
    """Whether a holder ever said anything, about one title or about any."""
    said = RightEvent.objects.filter(holder_id=holder.pk)
    return (said.filter(title_id=title_id) if title_id is not None else said).exists()


@transaction.atomic
def name_holder(*, campaign_id: int, key: str, name: str, role: str) -> tuple[Holder, bool]:
    """The holder of a campaign with this key, made or renamed; and whether it is new."""
    return Holder.objects.update_or_create(
        campaign_id=campaign_id, key=key, defaults={"name": name, "role": role}
    )


@transaction.atomic
def set_holders(*, title_id: int, holders: Iterable[Holder]) -> None:
    """Make these, and only these, the holders whose agreement a title needs."""
    wanted = {holder.pk for holder in holders}
    TitleHolder.objects.filter(title_id=title_id).exclude(holder_id__in=wanted).delete()
    present = set(TitleHolder.objects.filter(title_id=title_id).values_list("holder_id", flat=True))
    TitleHolder.objects.bulk_create(
        TitleHolder(title_id=title_id, holder_id=pk) for pk in sorted(wanted - present)
    )


def invite(*, holder: Holder, at: dt.datetime) -> str:
    """A one-use secret for a holder's invitation link, which replaces the one before. vTeam mails it to nobody."""
    secret = secrets.token_urlsafe(24)
    holder.invitation_hash = _invitation_hashes(secret)[0]
    holder.invited_at = at
    holder.save(update_fields=["invitation_hash", "invited_at"])
    return secret


def invited(secret: str) -> Holder | None:
    """The holder an unused invitation is for."""
    return Holder.objects.filter(invitation_hash__in=_invitation_hashes(secret)).first()


@transaction.atomic
def take_invitation(*, secret: str, person: Person) -> Holder | None:
    """Make the person the holder an invitation is for, and use it up; None where it was used or replaced."""
    mine = Holder.objects.select_for_update().filter(invitation_hash__in=_invitation_hashes(secret))
    holder = mine.first()
    if holder is not None:
        holder.person, holder.invitation_hash = person, None
        holder.save(update_fields=["person", "invitation_hash"])
    return holder


def _invitation_hashes(secret: str) -> tuple[bytes, ...]:
    """An invitation waits until it is used, however many master keys come meanwhile."""
    return vault.keyed_hashes("holder invitation", secret)
