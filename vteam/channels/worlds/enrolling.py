"""Kiosks put up, enrolled, believed and revoked.

Nothing an object says is believed before its signature is right; and what worlds' servers add to its requests
(owner, shard) is believed only then, and only as far as the object's own secret goes.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from vteam.campaigns.models import Campaign
from vteam.channels.worlds.lines import line_of
from vteam.channels.worlds.models import Kiosk, Nonce, World
from vteam.channels.worlds.signing import (
    PATIENCE_SECONDS,
    SECRET_BYTES,
    is_key,
    is_nonce,
    is_now,
    is_signed,
    message_of,
)
from vteam.errors import SealError
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.rules.codes import SHARE_ALPHABET

CODE = "kiosk code"
CODE_LENGTH = 8
CODE_FOR = dt.timedelta(hours=24)
TAKEN_FOR = dt.timedelta(minutes=10)
"""So long a code that was taken is good again for the same owner: the answer may have been lost on its way."""
KEY_LENGTH = 16
NONCES_FOR = dt.timedelta(seconds=2 * PATIENCE_SECONDS + 60)
ASKS_FOR_EACH = 4
"""So many times what a kiosk is answered it may ask, refusals and heartbeats among it, before it is not heard."""
SEEN_EVERY = dt.timedelta(seconds=60)
LINDENS_SHARDS = frozenset({"Production", "Testing"})
"""What Second Life's main grid and its preview call themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a kiosk shall stand, as whoever puts it up says. `room`: where to listen, in words."""

    world: World
    grid: str
    place: str
    room: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a world's server tells with a request: who owns the object, which world it is, where it stands."""

    owner: str = ""
    shard: str = ""
    region: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request as it was signed. `path`: the whole one; `body`: its bytes."""

    key: str
    time: str
    nonce: str
    signature: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A kiosk with the secret its object gets, this once."""

    kiosk: Kiosk
    secret: str


class Unenrolled(StrEnum):
    """Why a code that was typed gave nothing: it is no good, or was made for another world than the object's."""

    CODE = "code"
    SHARD = "shard"


class Disbelieved(StrEnum):
    """Why a request is not believed."""

    UNKNOWN = "unknown"
    LATE = "late"
    WRONG = "wrong"
    REPEATED = "repeated"
    OWNER = "owner"
    SHARD = "shard"
    REVOKED = "revoked"
    TOO_OFTEN = "too_often"


class NotOpened(StrEnum):
    """Why a kiosk is not put up, or not opened again."""

    FANS_HOST_NONE = "fans_host_none"
    HOSTS_ENOUGH = "hosts_enough"  # as many of the fan's are open as may be
    CLOSED_COUNT = "closed_count"  # so it is together with those an organiser closed
    MADE_ENOUGH = "made_enough"  # the fan, today
    CAMPAIGN_FULL = "campaign_full"
    BARRED = "barred"  # an organiser closed this very one


# Putting up ----------------------------------------------------------------------------------------------------------
def put_up(
    *, campaign: Campaign, spot: Spot, fan: Fan | None, acts_per_day: int, at: dt.datetime
) -> tuple[Kiosk, str] | NotOpened:
    """A kiosk that waits for its object, and the code to type there."""
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        theirs = Kiosk.objects.filter(campaign_id=campaign.pk, fan=fan)
        why = None if fan is None else _why_not_hosted(theirs)
        why = why or _why_no_room(campaign.pk, of_fans=fan is not None)
        if why is None and fan is not None and not _take_one_of_the_day(campaign, fan, at):
            why = NotOpened.MADE_ENOUGH
        if why is not None:
            return why
        kiosk = Kiosk.objects.create(
            campaign_id=campaign.pk,
            fan=fan,
            world=spot.world,
            grid=spot.grid,
            place=spot.place,
            room=spot.room,
            language=spot.language,
            acts_per_day=acts_per_day,
            vouched=fan is None,
            made_at=at,
        )
        return kiosk, new_code(kiosk=kiosk, at=at)


def _why_no_room(campaign_id: int, *, of_fans: bool) -> NotOpened | None:
    """Why no other can be open, where none can. Fans' kiosks leave organisers as much room as without them."""
    there = Kiosk.objects.filter(campaign_id=campaign_id, fan__isnull=not of_fans, revoked_at=None)
    return None if there.count() < settings.KIOSKS_PER_CAMPAIGN else NotOpened.CAMPAIGN_FULL


def _why_not_hosted(others: "QuerySet[Kiosk]") -> NotOpened | None:
    """Why a fan can host no other beside these, where they cannot; those an organiser closed count on."""
    most = settings.KIOSKS_PER_FAN
    if most == 0:
        return NotOpened.FANS_HOST_NONE
    if others.filter(revoked_at=None).count() >= most:
        return NotOpened.HOSTS_ENOUGH
    counted = others.filter(Q(revoked_at=None) | Q(barred=True)).count()
    return None if counted < most else NotOpened.CLOSED_COUNT


def made_in_a_day() -> int:
    """So many kiosks a fan can make in one of the campaign's days, whatever became of them."""
    return 2 * settings.KIOSKS_PER_FAN


def _take_one_of_the_day(campaign: Campaign, fan: Fan, at: dt.datetime) -> bool:
    """Counts one more that a fan makes today; False where they made enough."""
    today = budgets.in_days_of(campaign.file.season.time_zone, at)
    return budgets.take(
        door="kiosks made", key=str(fan.pk), limit=made_in_a_day(), window=budgets.DAY, at=today
    )


def new_code(*, kiosk: Kiosk, at: dt.datetime) -> str:
    """Another code for the same kiosk; the one before is no good any more. Until then the object keeps its key."""
    code = "".join(secrets.choice(SHARE_ALPHABET) for _ in range(CODE_LENGTH))
    kiosk.code_hash, kiosk.code_until = vault.keyed_hash(CODE, code), at + CODE_FOR
    kiosk.code_taken_at = None
    _keep(kiosk, "code_hash", "code_until", "code_taken_at")
    return code


def _keep(kiosk: Kiosk, *fields: str) -> None:
    """Writes what was said anew of a kiosk; nothing where it was deleted meanwhile."""
    Kiosk.objects.filter(pk=kiosk.pk).update(**{field: getattr(kiosk, field) for field in fields})


@transaction.atomic
def revoke(*, kiosk: Kiosk, at: dt.datetime, by_organiser: bool) -> None:
    """From now on nothing of this object is believed. What residents did there stays. One that an organiser has closed
    stays so, whoever else closes it.
    """
    _hold(kiosk)
    kiosk.barred |= by_organiser
    kiosk.revoked_at, kiosk.push_at = at, None
    kiosk.code_hash, kiosk.code_until, kiosk.code_taken_at = None, None, None
    kiosk.here_mission, kiosk.here_until = "", None
    changed = ["revoked_at", "barred", "push_at", "here_mission", "here_until"]
    kiosk.save(update_fields=[*changed, "code_hash", "code_until", "code_taken_at"])


@transaction.atomic
def restore(*, kiosk: Kiosk) -> NotOpened | None:
    """It was a mistake: the object is believed again; why not: as many are open as may be."""
    _hold(kiosk)
    if kiosk.revoked_at is None:
        return None
    why = _why_no_room(kiosk.campaign_id, of_fans=kiosk.fan_id is not None)
    if why is None:
        _open(kiosk)
    return why


@transaction.atomic
def reopen(*, kiosk: Kiosk) -> NotOpened | None:
    """A fan opens one of their own again; why not: an organiser closed it, or as many are open as may be."""
    _hold(kiosk)
    if kiosk.barred:
        return NotOpened.BARRED
    if kiosk.revoked_at is None:
        return None
    others = Kiosk.objects.filter(campaign_id=kiosk.campaign_id, fan=kiosk.fan_id).exclude(pk=kiosk.pk)
    why = _why_not_hosted(others) or _why_no_room(kiosk.campaign_id, of_fans=True)
    if why is None:
        _open(kiosk)
    return why


def _hold(kiosk: Kiosk) -> None:
    """Reads whether a kiosk is closed, and by whom. Whoever else opens or closes one of the campaign's waits."""
    Campaign.objects.select_for_update().get(pk=kiosk.campaign_id)
    kiosk.refresh_from_db(fields=["revoked_at", "barred"])


def _open(kiosk: Kiosk) -> None:
    kiosk.revoked_at, kiosk.barred = None, False
    kiosk.save(update_fields=["revoked_at", "barred"])


def edit(*, kiosk: Kiosk, place: str, room: str, language: str, at: dt.datetime) -> None:
    """Where it stands and where to listen, in words, and its line's language; where that is another, its object is
    told. World and grid are for ever: who a resident is depends on them.
    """
    changed = ["place", "room"]
    if language != kiosk.language:
        kiosk.language, kiosk.push_at, kiosk.push_tries = language, at, 0
        changed += ["language", "push_at", "push_tries"]
    kiosk.place, kiosk.room = place, room
    _keep(kiosk, *changed)


def may_delete(kiosk: Kiosk, *, by: Fan | None) -> bool:
    """Whether a kiosk can go without a trace: it never got a key, nothing was ever done there, and whoever asks made
    it (None: an organiser). A fan's that an organiser closed counts on, so it stays.
    """
    made = kiosk.fan_id == (by.pk if by else None) and (by is None or not kiosk.barred)
    return made and kiosk.key is None and not kiosk.acts.exists()


@transaction.atomic
def delete(*, kiosk: Kiosk, by: Fan | None) -> bool:
    """It never was, and its code is no good any more; False where it may not go, or spoke this very moment."""
    found = Kiosk.objects.select_for_update().filter(pk=kiosk.pk).first()
    if found is not None and not may_delete(found, by=by):
        return False
    Kiosk.objects.filter(pk=kiosk.pk).delete()
    return True


def trust(*, kiosk: Kiosk, acts_per_day: int, vouched: bool) -> None:
    """How much a kiosk may cause in a day, and whether a fan's speaks for its whole grid."""
    kiosk.acts_per_day, kiosk.vouched = acts_per_day, vouched or kiosk.fan_id is None
    _keep(kiosk, "acts_per_day", "vouched")


# Enrolling -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def enrol(*, typed: str, around: Around, at: dt.datetime) -> Enrolled | Unenrolled:
    """The object whose owner typed a code, however it was spaced, gets its key and secret, or why not.

    Until an object has spoken with what a code gave, for ten minutes at most, the same owner in the same world gets a
    fresh key and secret for it again, and the ones before are no good any more: an answer that was lost costs nothing.
    """
    code = "".join(letter for letter in typed.lower() if letter.isalnum())
    hashes = vault.keyed_hashes(CODE, code)
    again = Q(code_taken_at__gt=at - TAKEN_FOR, owner=around.owner, shard=around.shard)
    waiting = Kiosk.objects.select_for_update().filter(
        Q(code_taken_at=None) | again, code_hash__in=hashes, code_until__gt=at, revoked_at=None
    )
    kiosk = waiting.first()
    if kiosk is None:
        return Unenrolled.CODE
    if not _is_in(kiosk.world, around.shard):
        return Unenrolled.SHARD
    secret = secrets.token_hex(SECRET_BYTES)
    kiosk.key = "".join(secrets.choice(SHARE_ALPHABET) for _ in range(KEY_LENGTH))
    kiosk.sealed_key = vault.new_key()
    kiosk.sealed_secret = vault.seal(kiosk.sealed_key, secret)
    kiosk.code_taken_at = kiosk.code_taken_at or at
    kiosk.owner, kiosk.shard, kiosk.region, kiosk.position = (
        around.owner,
        around.shard,
        around.region,
        around.position,
    )
    kiosk.enrolled_at = kiosk.seen_at = at
    kiosk.url, kiosk.push_at, kiosk.push_tries = "", None, 0
    kiosk.line_told = line_of(kiosk, at=at)
    kiosk.save()
    return Enrolled(kiosk=kiosk, secret=secret)


def _is_in(world: str, shard: str) -> bool:
    """Whether a shard can be of a world. Whoever runs a grid names its shard: this finds mistakes, and no lies."""
    if world == World.SECOND_LIFE:
        return shard in LINDENS_SHARDS
    return world != World.OPENSIMULATOR or shard not in LINDENS_SHARDS


def secret_of(kiosk: Kiosk) -> str | None:
    """A kiosk's secret; None where it has none, or none of our master keys opens it."""
    if kiosk.sealed_key is None or kiosk.sealed_secret is None:
        return None
    try:
        return vault.unseal(bytes(kiosk.sealed_key), bytes(kiosk.sealed_secret))
    except SealError:
        return None


# Believing -----------------------------------------------------------------------------------------------------------
def believe(*, signed: Signed, around: Around, at: dt.datetime) -> Kiosk | Disbelieved:
    """The kiosk a request is really from, or why it is not believed. Its number is used up from then on, whatever
    becomes of the request.
    """
    kiosk = Kiosk.objects.filter(key=signed.key).first() if is_key(signed.key) else None
    secret = secret_of(kiosk) if kiosk else None
    if kiosk is None or secret is None:
        return Disbelieved.UNKNOWN
    message = message_of(
        key=signed.key, time=signed.time, nonce=signed.nonce, path=signed.path, body=signed.body
    )
    if not is_nonce(signed.nonce) or not is_signed(secret, message, signed.signature):
        return Disbelieved.WRONG
    why = _not_its_place(kiosk, signed, around, at)
    if why is not None:
        return why
    try:
        with transaction.atomic():
            if not _in_budget(kiosk, at):
                return Disbelieved.TOO_OFTEN
            Nonce.objects.create(kiosk=kiosk, nonce=signed.nonce, expires_at=at + NONCES_FOR)
            _seen(kiosk, around, at)  # on disk together with it: heartbeats come from everywhere
    except IntegrityError:
        return Disbelieved.REPEATED
    return kiosk


def _in_budget(kiosk: Kiosk, at: dt.datetime) -> bool:
    """Whether a kiosk is heard: what is refused here was not used up, and leaves nothing behind."""
    limit = ASKS_FOR_EACH * settings.KIOSK_ASKS_PER_MINUTE
    return budgets.take(door="kiosk asks", key=str(kiosk.pk), limit=limit, window=budgets.MINUTE, at=at)


def _not_its_place(kiosk: Kiosk, signed: Signed, around: Around, at: dt.datetime) -> Disbelieved | None:
    reasons = (
        (kiosk.revoked_at is not None, Disbelieved.REVOKED),
        (not is_now(signed.time, at_seconds=int(at.timestamp())), Disbelieved.LATE),
        (around.owner != kiosk.owner, Disbelieved.OWNER),
        (around.shard != kiosk.shard, Disbelieved.SHARD),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _seen(kiosk: Kiosk, around: Around, at: dt.datetime) -> None:
    """Notes that it is alive, and where; not with every touch."""
    where = (around.region, around.position)
    if kiosk.seen_at is None or at >= kiosk.seen_at + SEEN_EVERY or where != (kiosk.region, kiosk.position):
        kiosk.seen_at, (kiosk.region, kiosk.position) = at, where
        kiosk.save(update_fields=["seen_at", "region", "position"])
    if kiosk.code_taken_at is not None:
        _code_arrived(kiosk)


def _code_arrived(kiosk: Kiosk) -> None:
    """The object has what its code gave: the code is used up; not one that was made, or taken again, since."""
    taken = Kiosk.objects.filter(pk=kiosk.pk, key=kiosk.key, code_taken_at=kiosk.code_taken_at)
    taken.update(code_hash=None, code_until=None, code_taken_at=None)


def forget_nonces(*, at: dt.datetime) -> int:
    """Delete the numbers whose time would not be believed any more; returns how many."""
    return Nonce.objects.filter(expires_at__lt=at).delete()[0]
