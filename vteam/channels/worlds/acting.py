"""What residents do for a campaign's missions, and linking an avatar to a fan by the fan's own act.

Facts name fans. What an avatar does before they are linked to one waits 30 days, at most until the season's last day;
then it vanishes. One result for each mission and avatar.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, OuterRef

from vteam import clock
from vteam.campaigns.file import MissionEntry
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.lines import is_here
from vteam.channels.worlds.models import Avatar, AvatarLink, Kiosk, World, WorldAct
from vteam.errors import SealError
from vteam.journal.services import record_fact
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.rules.facts import Act, world_acted

KEYED = (World.SECOND_LIFE, World.OPENSIMULATOR)
LINK = "avatar link"
LINK_FOR = dt.timedelta(minutes=10)
LINKS_PER_HOUR = 12
WAITS_FOR = dt.timedelta(days=30)
LOOKUP_BYTES = 16
SALT_BYTES = 16
FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Who uses a kiosk: their identity in its grid, and what they are called there."""

    id: str
    name: str


class Acted(StrEnum):
    """What became of something a resident did."""

    DONE = "done"
    BEFORE = "before"
    CLOSED = "closed"
    NOT_HERE = "not_here"
    KIOSK_FULL = "kiosk_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a resident did: which choice (from 1), or what they told of what they brought."""

    choice: int | None = None
    text: str = ""


# Who ---------------------------------------------------------------------------------------------------------------
def lookup_of(campaign: Campaign, kiosk: Kiosk, resident: Resident) -> str:
    """The keyed hash an avatar is found by. A kiosk whose host nobody knows speaks for residents of its own only:
    it cannot pretend to be somebody who uses another one.
    """
    whose = "" if kiosk.trusted else f"fan {kiosk.fan_id}"
    grid = " ".join(kiosk.grid.casefold().split())
    # Keys of avatars are written in small or capital letters; players' names are what they are.
    who = resident.id.lower() if kiosk.world in KEYED else resident.id
    text = "\0".join(("vteam avatar", kiosk.world, grid, whose, who))
    return hmac.digest(bytes(campaign.network_key), text.encode(), hashlib.sha256)[:LOOKUP_BYTES].hex()


def avatar_of(campaign: Campaign, kiosk: Kiosk, resident: Resident) -> Avatar | None:
    """The avatar, where they did something or are linked; None for somebody who only looked."""
    lookup = lookup_of(campaign, kiosk, resident)
    return Avatar.objects.select_related("fan").filter(campaign_id=campaign.pk, lookup=lookup).first()


def _avatar(campaign: Campaign, kiosk: Kiosk, resident: Resident) -> Avatar:
    lookup = lookup_of(campaign, kiosk, resident)
    made, _ = Avatar.objects.get_or_create(
        campaign_id=campaign.pk, lookup=lookup, defaults={"grid": kiosk.grid}
    )
    return Avatar.objects.select_for_update().get(pk=made.pk)


# Doing -------------------------------------------------------------------------------------------------------------
def is_open(campaign: Campaign, mission: MissionEntry, *, at: dt.datetime) -> bool:
    """Whether a mission pays now."""
    file = campaign.file
    return not mission.coming and file.mission_opens_at(mission) <= at < file.mission_closes_at(mission)


@transaction.atomic
def act(
    *,
    campaign: Campaign,
    kiosk: Kiosk,
    resident: Resident,
    mission: MissionEntry,
    deed: Deed,
    at: dt.datetime,
) -> tuple[Acted, WorldAct | None]:
    """Keeps what a resident did for a mission, once: a fact where they are linked to a fan, else it waits."""
    if not is_open(campaign, mission, at=at):
        return Acted.CLOSED, None
    if mission.act == "concert" and not (is_here(kiosk, at=at) and kiosk.here_mission == mission.key):
        return Acted.NOT_HERE, None
    avatar = _avatar(campaign, kiosk, resident)
    before = WorldAct.objects.filter(avatar=avatar, mission=mission.key).first()
    if before is not None:
        return Acted.BEFORE, before
    if not budgets.take(
        door="kiosk acts", key=str(kiosk.pk), limit=kiosk.acts_per_day, window=budgets.DAY, at=at
    ):
        return Acted.KIOSK_FULL, None
    done = WorldAct(
        campaign_id=campaign.pk,
        mission=mission.key,
        act=mission.act or "",
        avatar=avatar,
        kiosk=kiosk,
        choice=deed.choice,
        right=deed.choice == mission.answer if mission.act == "answer" else None,
        text=deed.text,
        salt=secrets.token_bytes(SALT_BYTES) if deed.text else None,
        at=at,
        waits_until=None if avatar.fan_id else min(at + WAITS_FOR, campaign.file.season.ends_at),
    )
    done.save()
    if avatar.fan_id:
        _record(done, avatar.fan_id, at)
    return Acted.DONE, done


def _record(done: WorldAct, fan_id: int, at: dt.datetime) -> None:
    done.waits_until, done.recorded_at = None, at
    done.save(update_fields=["waits_until", "recorded_at"])
    fact = world_acted(
        fan=fan_id,
        avatar=done.avatar_id,
        mission=done.mission,
        act=Act(done.act),
        kiosk=done.kiosk_id,
        choice=done.choice,
        right=done.right,
        proof=proof_of(done),
        at_us=clock.to_us(done.at),
    )
    record_fact(campaign_id=done.campaign_id, fact=fact)


def proof_of(done: WorldAct) -> str | None:
    """The salted hash a fact carries of what was told; None where nothing was."""
    if done.salt is None:
        return None
    return hashlib.sha256(bytes(done.salt) + done.text.encode()).hexdigest()


# Linking -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def make_link(*, campaign: Campaign, kiosk: Kiosk, resident: Resident, at: dt.datetime) -> str | None:
    """The secret of an address where this avatar is linked to whoever opens it and says so; None: too many of them."""
    avatar = _avatar(campaign, kiosk, resident)
    if not budgets.take(
        door="avatar link", key=str(avatar.pk), limit=LINKS_PER_HOUR, window=budgets.HOUR, at=at
    ):
        return None
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
    return (
        AvatarLink.objects.select_related("avatar").filter(token_hash__in=hashes, expires_at__gt=at).first()
    )


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
    avatar.links.all().delete()
    avatar.fan, avatar.linked_at = fan, at
    avatar.name = vault.seal(bytes(fan.person.sealed_key), link.name)
    avatar.save(update_fields=["fan", "linked_at", "name"])
    for done in avatar.acts.filter(waits_until__gt=at, recorded_at=None).order_by("at", "pk"):
        _record(done, fan.pk, at)
    return True


@transaction.atomic
def unlink_avatar(*, avatar: Avatar) -> None:
    """The avatar is nobody's any more; what they did stays what it was."""
    avatar.links.all().delete()
    avatar.fan, avatar.linked_at, avatar.name = None, None, None
    avatar.save(update_fields=["fan", "linked_at", "name"])


def name_of(avatar: Avatar) -> str:
    """What a linked avatar is called in their grid; "" where no key of ours opens it. Reads `avatar.fan.person`."""
    if avatar.fan is None or avatar.name is None:
        return ""
    try:
        return vault.unseal(bytes(avatar.fan.person.sealed_key), bytes(avatar.name))
    except SealError:
        return ""


# Forgetting --------------------------------------------------------------------------------------------------------
def forget_waiting(*, at: dt.datetime) -> int:
    """Delete what waited too long, links that expired, and avatars nothing is kept of; returns how many rows."""
    gone = AvatarLink.objects.filter(expires_at__lt=at).delete()[0]
    waited = WorldAct.objects.filter(waits_until__lte=at).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]
    gone += WorldAct.objects.filter(pk__in=list(waited)).delete()[0]
    kept = WorldAct.objects.filter(avatar=OuterRef("pk"))
    links = AvatarLink.objects.filter(avatar=OuterRef("pk"))
    bare = Avatar.objects.filter(~Exists(kept), ~Exists(links), fan=None).values_list("pk", flat=True)
    return gone + Avatar.objects.filter(pk__in=list(bare[:FORGOTTEN_AT_ONCE]), fan=None).delete()[0]
