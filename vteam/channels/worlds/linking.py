"""Linking an avatar to a fan, by the fan's own act, and letting one go."""

import datetime as dt
import secrets
from enum import StrEnum

from django.db import transaction

from vteam.campaigns.models import Campaign
from vteam.channels.worlds.acting import has_acted, record
from vteam.channels.worlds.avatars import Resident, locked_avatar
from vteam.channels.worlds.models import Avatar, AvatarLink, Kiosk
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions import budgets

LINK = "avatar link"
LINK_FOR = dt.timedelta(minutes=10)
LINKS_PER_HOUR = 12


class LinkRefused(StrEnum):
    """Why an avatar was shown no address: the season is over, they asked too often this hour, or the kiosk brought as
    many new residents today as it may.
    """

    OVER = "over"
    TOO_OFTEN = "too_often"
    KIOSK_FULL = "kiosk_full"


def may_link(campaign: Campaign, *, at: dt.datetime) -> bool:
    """Whether avatars are linked at all: until the season ends, for then nothing they do counts."""
    return at < campaign.file.season.ends_at


@transaction.atomic
def make_link(*, campaign: Campaign, kiosk: Kiosk, resident: Resident, at: dt.datetime) -> str | LinkRefused:
    """The secret of an address where this avatar is linked to whoever opens it and says so, or why there is none."""
    if not may_link(campaign, at=at):
        return LinkRefused.OVER
    avatar = locked_avatar(campaign, kiosk, resident, at=at)
    if avatar is None:
        return LinkRefused.KIOSK_FULL
    if not budgets.take(
        door="avatar link", key=str(avatar.pk), limit=LINKS_PER_HOUR, window=budgets.HOUR, at=at
    ):
        return LinkRefused.TOO_OFTEN
    secret = secrets.token_urlsafe(16)
    avatar.links.all().delete()
    AvatarLink.objects.create(
        avatar=avatar,
        token_hash=vault.keyed_hash(LINK, secret),
        name=resident.name,
        expires_at=at + LINK_FOR,
    )
    return secret


def link_with(secret: str, *, at: dt.datetime) -> AvatarLink | None:
    """The link an address is of, while it is good."""
    hashes = vault.keyed_hashes(LINK, secret)
    links = AvatarLink.objects.select_related("avatar").filter(token_hash__in=hashes, expires_at__gt=at)
    return links.first()


@transaction.atomic
def link_avatar(*, secret: str, fan: Fan, at: dt.datetime) -> bool:
    """The avatar is this fan from now on, and what they did counts for them; False where the address is no good (any
    more), of another campaign, or the avatar is linked to somebody. Reads `fan.person`.
    """
    link = link_with(secret, at=at)
    if link is None or link.avatar.campaign_id != fan.campaign_id:
        return False
    avatar = Avatar.objects.select_for_update().get(pk=link.avatar_id)
    if avatar.fan_id not in (None, fan.pk) or not avatar.links.filter(pk=link.pk).exists():
        return False
    Fan.objects.select_for_update(no_key=True).get(pk=fan.pk)
    avatar.links.all().delete()
    avatar.fan, avatar.linked_at = fan, at
    avatar.name = vault.seal(bytes(fan.person.sealed_key), link.name)
    avatar.save(update_fields=["fan", "linked_at", "name"])
    for done in avatar.acts.filter(waits_until__gt=at, recorded_at=None).order_by("at", "pk"):
        # What another avatar of theirs has done for the same mission stands; this never became anything.
        if has_acted(fan.pk, done.mission):
            done.delete()
        else:
            record(done, fan_id=fan.pk, at=at)
    return True


@transaction.atomic
def unlink_avatar(*, avatar: Avatar) -> None:
    """The avatar is nobody's any more; what they did stays whose it was."""
    avatar.links.all().delete()
    avatar.fan, avatar.linked_at, avatar.name = None, None, None
    avatar.save(update_fields=["fan", "linked_at", "name"])
