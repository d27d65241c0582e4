"""What residents do for a campaign's missions: once for each mission and avatar, and once for each fan.

Facts name fans. What an avatar does before they are linked to one waits 30 days, at most until the season's last day;
then it vanishes.
"""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from vteam import clock
from vteam.campaigns.file import MissionEntry
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.avatars import Resident, avatar_of, locked_avatar, purse_of
from vteam.channels.worlds.lines import is_here
from vteam.channels.worlds.models import Avatar, Kiosk, WorldAct
from vteam.journal.services import record_fact
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.rules.facts import Act, world_acted

WAITS_FOR = dt.timedelta(days=30)
SALT_BYTES = 16


class Acted(StrEnum):
    """What became of something a resident did."""

    DONE = "done"
    BEFORE = "before"
    AS_ANOTHER = "as_another"
    CLOSED = "closed"
    NOT_HERE = "not_here"
    KIOSK_FULL = "kiosk_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a resident did: which choice (from 1), or what they told of what they brought."""

    choice: int | None = None
    text: str = ""


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
    known = avatar_of(campaign, kiosk, resident)
    before = before_by(known, mission) if known else None
    if before is not None:
        return before
    limit, purse = kiosk.acts_per_day, purse_of(kiosk)
    today = budgets.in_days_of(campaign.file.season.time_zone, at)
    if not budgets.take(door="kiosk acts", key=purse, limit=limit, window=budgets.DAY, at=today):
        return Acted.KIOSK_FULL, None
    avatar = locked_avatar(campaign, kiosk, resident, at=at)
    if avatar is None:
        return Acted.KIOSK_FULL, None
    if avatar.fan_id:
        # Two avatars of one fan wait for each other.
        Fan.objects.select_for_update(no_key=True).get(pk=avatar.fan_id)
    return before_by(avatar, mission) or (Acted.DONE, _keep(campaign, kiosk, avatar, mission, deed, at))


def before_by(avatar: Avatar, mission: MissionEntry) -> tuple[Acted, WorldAct | None] | None:
    """What was done for a mission already, by the avatar or by another one of their fan's; None: nothing."""
    done = WorldAct.objects.filter(avatar=avatar, mission=mission.key).first()
    if done is not None:
        return Acted.BEFORE, done
    if avatar.fan_id and has_acted(avatar.fan_id, mission.key):
        return Acted.AS_ANOTHER, None
    return None


def has_acted(fan_id: int, mission: str) -> bool:
    """Whether a fan has a result for a mission, by whichever avatar: a fan has one, not as many as avatars."""
    return WorldAct.objects.filter(fan=fan_id, mission=mission).exists()


def _keep(
    campaign: Campaign, kiosk: Kiosk, avatar: Avatar, mission: MissionEntry, deed: Deed, at: dt.datetime
) -> WorldAct:
    done = WorldAct.objects.create(
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
    if avatar.fan_id:
        record(done, fan_id=avatar.fan_id, at=at)
    return done


def record(done: WorldAct, *, fan_id: int, at: dt.datetime) -> None:
    """What an avatar did is a fact from now on, and its fan's; in the caller's transaction."""
    done.fan_id, done.waits_until, done.recorded_at = fan_id, None, at
    done.save(update_fields=["fan", "waits_until", "recorded_at"])
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
