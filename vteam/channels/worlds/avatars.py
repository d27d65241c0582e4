"""Who a resident is to us: an avatar, known by a keyed hash of their grid and their key or name there.

Looking makes no avatar: doing something does, or asking for an address to be linked by.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef

from vteam.campaigns.models import Campaign
from vteam.channels.worlds.models import Avatar, AvatarLink, Kiosk, World, WorldAct
from vteam.errors import SealError
from vteam.people import vault
from vteam.permissions import budgets

KEYED = (World.SECOND_LIFE, World.OPENSIMULATOR)
LOOKUP_BYTES = 16
NEW_PER_DAY_MIN = 50
"""So many residents nobody knew before may use a kiosk in a day, however little it is trusted."""
FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Who uses a kiosk: their identity in its grid, and what they are called there."""

    id: str
    name: str


def lookups_of(campaign: Campaign, kiosk: Kiosk, resident: Resident) -> tuple[str, ...]:
    """The keyed hashes an avatar may be found by, the first for one that is new.

    A kiosk whose host nobody knows speaks for residents of its own only: it cannot pretend to be somebody who uses
    another one. Who used it then is still found once its host is known.
    """
    hosted = [f"fan {kiosk.fan_id}"] if kiosk.fan_id else []
    return tuple(
        _lookup(campaign, kiosk, resident, whose) for whose in ([""] if kiosk.trusted else []) + hosted
    )


def _lookup(campaign: Campaign, kiosk: Kiosk, resident: Resident, whose: str) -> str:
    grid = " ".join(kiosk.grid.casefold().split())
    # Keys of avatars are written in small or capital letters; players' names are what they are.
    who = resident.id.lower() if kiosk.world in KEYED else resident.id
    text = "\0".join(("vteam avatar", kiosk.world, grid, whose, who))
    return hmac.digest(bytes(campaign.network_key), text.encode(), hashlib.sha256)[:LOOKUP_BYTES].hex()


def avatar_of(campaign: Campaign, kiosk: Kiosk, resident: Resident) -> Avatar | None:
    """The avatar, where they did something or are linked; None for somebody who only looked."""
    lookups = lookups_of(campaign, kiosk, resident)
    found = Avatar.objects.select_related("fan").filter(campaign_id=campaign.pk, lookup__in=lookups)
    return min(found, key=lambda avatar: lookups.index(avatar.lookup), default=None)


def locked_avatar(campaign: Campaign, kiosk: Kiosk, resident: Resident, *, at: dt.datetime) -> Avatar | None:
    """The avatar, made where there was none, locked in the caller's transaction; None where the kiosk brought so many
    new ones today already.
    """
    found = avatar_of(campaign, kiosk, resident)
    locked = Avatar.objects.select_for_update().filter(pk=found.pk).first() if found else None
    if locked is not None:
        return locked
    limit = max(kiosk.acts_per_day, NEW_PER_DAY_MIN)
    today = budgets.in_days_of(campaign.file.season.time_zone, at)
    if not budgets.take(door="kiosk avatars", key=purse_of(kiosk), limit=limit, window=budgets.DAY, at=today):
        return None
    lookup = lookups_of(campaign, kiosk, resident)[0]
    made, _ = Avatar.objects.get_or_create(
        campaign_id=campaign.pk, lookup=lookup, defaults={"grid": kiosk.grid}
    )
    return Avatar.objects.select_for_update().filter(pk=made.pk).first()


def purse_of(kiosk: Kiosk) -> str:
    """Whose budget pays for what a kiosk causes: its own, or that of its host, however many kiosks they put up."""
    return str(kiosk.pk) if kiosk.trusted else f"fan {kiosk.fan_id}"


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
    waited = WorldAct.objects.filter(waits_until__lte=at, recorded_at=None)
    gone += waited.delete()[0]
    while forgotten := _forget_bare():
        gone += forgotten
    return gone


@transaction.atomic
def _forget_bare() -> int:
    """Some avatars who did nothing and are linked to nobody. One who acts this very moment is passed over."""
    acts = WorldAct.objects.filter(avatar=OuterRef("pk"))
    links = AvatarLink.objects.filter(avatar=OuterRef("pk"))
    bare = Avatar.objects.filter(~Exists(acts), ~Exists(links), fan=None)
    found = Avatar.objects.filter(
        pk__in=list(bare.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]), fan=None
    )
    held = list(found.select_for_update(skip_locked=True).values_list("pk", flat=True))
    return bare.filter(pk__in=held).delete()[0]


@transaction.atomic
def forget_residents(*, fans: Iterable[int]) -> None:
    """What fans did and told in worlds, and who they are there; their facts name our numbers alone.

    An avatar with which somebody else did something stays, as nobody's. That a mission was done with it stays known:
    its fact is in the books, and another would never get there.
    """
    numbers = list(fans)
    # An avatar they let go is found by what they did with it.
    let_go = Avatar.objects.filter(fan=None, acts__fan__in=numbers)
    avatars = list(Avatar.objects.filter(fan__in=numbers).values_list("pk", flat=True))
    avatars += let_go.values_list("pk", flat=True)
    WorldAct.objects.filter(avatar__in=avatars, recorded_at=None).delete()
    others = WorldAct.objects.filter(avatar=OuterRef("pk"), fan__isnull=False).exclude(fan__in=numbers)
    Avatar.objects.filter(~Exists(others), pk__in=avatars).delete()
    Avatar.objects.filter(pk__in=avatars).update(fan=None, linked_at=None, name=None)
    WorldAct.objects.filter(fan__in=numbers).update(fan=None, text="", salt=None, choice=None)
