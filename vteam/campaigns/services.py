"""Applying a campaign file that was checked: files stored, titles, holders and missions brought up to date.

Applying the same file again changes nothing. Nothing is applied in part: either the whole file, or none of it.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from vteam import clock
from vteam.campaigns import files
from vteam.campaigns.audio import Audio, inspect_bytes
from vteam.campaigns.file import CampaignFile, HolderEntry, TitleEntry
from vteam.campaigns.missions import new_versions, season_of
from vteam.campaigns.models import Campaign, CampaignVersion, MadeIn, MissionVersion, Title
from vteam.campaigns.pictures import cover_from_file
from vteam.errors import CampaignFileError
from vteam.journal.services import record_fact
from vteam.ledger.queries import waits_until
from vteam.permissions.services import expire
from vteam.rights.models import Holder, RightEvent
from vteam.rights.queries import holders_of
from vteam.rights.services import has_spoken, invite, name_holder, set_holders
from vteam.rules.canonical import canonical
from vteam.rules.facts import campaign_versioned, mission_versioned, result_frozen
from vteam.rules.missions import Mission, mission_of

YESES_AT_ONCE = 1_000
NETWORK_KEY_BYTES = 32
Pictures = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A holder who has no account yet, and the secret of the link their organiser hands them."""

    holder: Holder
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying did. `changed` is False where the file was in force already."""

    campaign: Campaign
    changed: bool
    invitations: tuple[Invitation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A title's audio as stored: its body without tags."""

    sha256: str
    size: int
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The files a campaign file names, as they are stored: pictures and gifts by their names, recordings by title.

    `pictures`: of the campaign under "", of a title under its key. `gifts`: by the prize's key, SHA-256 and bytes.
    """

    pictures: Mapping[str, Pictures]
    recordings: Mapping[str, Recording]
    gifts: Mapping[str, list[Any]]


def apply_campaign(*, file: CampaignFile, folder: Path, at: dt.datetime, seen: int | None = None) -> Applied:
    """Bring a campaign to what `file` says; the files it names stand in `folder`.

    `seen`: the version whoever applies it was shown the differences from. CampaignFileError where another one is in
    force by now, or where a title's recording is another than the one its holders spoke about.
    """
    stored = Stored(
        pictures=_store_pictures(file, folder),
        recordings={entry.key: _store_recording(folder / entry.file) for entry in file.titles},
        gifts={entry.key: _store_gift(folder / entry.file) for entry in file.prizes if entry.file},
    )
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().filter(slug=file.slug).first()
        if campaign is not None and seen not in (None, campaign.version):
            raise CampaignFileError(
                "The campaign was changed in the browser meanwhile. Apply the file again."
            )
        return _apply(campaign, file, stored, at)


def bring_as_stored(campaign: Campaign, file: CampaignFile, at: dt.datetime) -> Applied:
    """Bring a campaign, whose row is locked, to a file made in the browser: what it has stored stays."""
    stored = _stored(campaign)
    there = {prize.key for prize in file.prizes if prize.file}
    kept = replace(stored, gifts={key: gift for key, gift in stored.gifts.items() if key in there})
    return _apply(campaign, file, kept, at, made_in=MadeIn.BROWSER)


def _apply(
    campaign: Campaign | None,
    file: CampaignFile,
    stored: Stored,
    at: dt.datetime,
    *,
    made_in: MadeIn = MadeIn.FILE,
) -> Applied:
    document = file.canonical()
    if campaign and campaign.document == document and _stored(campaign) == stored:
        return Applied(campaign=campaign, changed=False)
    if campaign is not None:
        _refuse_another_season(campaign, file)
    campaign = _new_version(campaign, file, document, stored, at, made_in)
    titles = _bring_titles(campaign, file, stored.pictures, stored.recordings, at)
    invitations = _bring_holders(campaign, file, titles, at)
    _bring_missions(campaign, file, at)
    return Applied(campaign=campaign, changed=True, invitations=invitations)


def _stored(campaign: Campaign) -> Stored:
    titles = list(campaign.titles.filter(retired_at=None))
    pictures: dict[str, Pictures] = {"": campaign.pictures}
    pictures |= {title.key: title.pictures for title in titles if title.pictures}
    recordings = {
        title.key: Recording(sha256=title.body_sha256, size=title.body_bytes, milliseconds=title.milliseconds)
        for title in titles
    }
    return Stored(pictures=pictures, recordings=recordings, gifts=campaign.gifts)


def _new_version(
    campaign: Campaign | None,
    file: CampaignFile,
    document: str,
    stored: Stored,
    at: dt.datetime,
    made_in: MadeIn,
) -> Campaign:
    if campaign is None:
        campaign = Campaign(
            slug=file.slug, version=0, network_key=secrets.token_bytes(NETWORK_KEY_BYTES), created_at=at
        )
    campaign.version += 1
    campaign.document, campaign.gifts = document, dict(stored.gifts)
    campaign.pictures = dict(stored.pictures[""])
    campaign.__dict__.pop("file", None)
    campaign.save()
    sha256 = hashlib.sha256(document.encode()).hexdigest()
    CampaignVersion.objects.create(
        campaign_id=campaign.pk,
        version=campaign.version,
        document=document,
        sha256=sha256,
        applied_at=at,
        made_in=made_in,
    )
    fact = campaign_versioned(
        version=campaign.version, season=asdict(season_of(file)), sha256=sha256, at_us=clock.to_us(at)
    )
    record_fact(campaign_id=campaign.pk, fact=fact)
    return campaign


def _refuse_another_season(campaign: Campaign, file: CampaignFile) -> None:
    """What is final stays so: a season that went on would promise points that cannot be given any more."""
    if campaign.settled_at is not None and campaign.file.season != file.season:
        raise CampaignFileError("The result of this season is final: leave [season] as it was.")


@transaction.atomic
def freeze_results(*, at: dt.datetime) -> int:
    """Says of campaigns whose season has settled that their result is final, once each; returns of how many.

    What waited until then comes first: the facts that it may count are in the inbox before this one.
    """
    frozen = 0
    for campaign in Campaign.objects.select_for_update().filter(settled_at=None):
        season = campaign.file.season
        if at < season.settled_at or waits_until(campaign.pk, clock.to_us(season.settled_at)):
            continue
        fact = result_frozen(
            season_ends_at_us=clock.to_us(season.ends_at), at_us=clock.to_us(season.settled_at)
        )
        record_fact(campaign_id=campaign.pk, fact=fact)
        campaign.settled_at = at
        campaign.save(update_fields=["settled_at"])
        frozen += 1
    return frozen


# Titles -----------------------------------------------------------------------------------------------------
def _bring_titles(
    campaign: Campaign,
    file: CampaignFile,
    pictures: Mapping[str, Pictures],
    recordings: Mapping[str, Recording],
    at: dt.datetime,
) -> dict[str, Title]:
    campaign.titles.exclude(key__in=recordings).filter(retired_at=None).update(retired_at=at)
    return {
        entry.key: _bring_title(
            campaign, file, entry, position, pictures.get(entry.key, {}), recordings[entry.key]
        )
        for position, entry in enumerate(file.titles)
    }


def _bring_title(
    campaign: Campaign,
    file: CampaignFile,
    entry: TitleEntry,
    position: int,
    pictures: Pictures,
    recording: Recording,
) -> Title:
    before = campaign.titles.filter(key=entry.key).first()
    if (
        before
        and before.body_sha256 != recording.sha256
        and RightEvent.objects.filter(title_id=before.pk).exists()
    ):
        raise CampaignFileError(
            f"The file of “{entry.name}” is another recording than the one its holders spoke about. "
            f"Give the new recording a title of its own, with another key than {entry.key!r}."
        )
    title, _ = Title.objects.update_or_create(
        campaign=campaign,
        key=entry.key,
        defaults={
            "name": entry.name,
            "artist": file.artist_of(entry),
            "body_sha256": recording.sha256,
            "body_bytes": recording.size,
            "milliseconds": recording.milliseconds,
            "pictures": dict(pictures),
            "position": position,
            "retired_at": None,
        },
    )
    return title


def _store_recording(path: Path) -> Recording:
    content = path.read_bytes()
    audio: Audio = inspect_bytes(content)
    body = content[audio.body_start : audio.body_end]
    return Recording(sha256=files.store(body), size=len(body), milliseconds=audio.milliseconds)


def _store_gift(path: Path) -> list[Any]:
    """What winners of a prize download, as stored: its SHA-256 and its bytes."""
    content = path.read_bytes()
    return [files.store(content), len(content)]


def _store_pictures(file: CampaignFile, folder: Path) -> dict[str, Pictures]:
    """The stored pictures of the campaign (under "") and of the titles that have a cover of their own."""
    covers = {"": file.theme.cover} | {entry.key: entry.cover for entry in file.titles if entry.cover}
    stored: dict[str, Pictures] = {}
    for key, name in covers.items():
        cover = cover_from_file(folder / name, colours=file.theme.colours)
        stored[key] = {use: files.store(getattr(cover, use)) for use in ("page", "small", "tag", "card")}
    return stored


# Holders and missions ---------------------------------------------------------------------------------------
def _bring_holders(
    campaign: Campaign, file: CampaignFile, titles: Mapping[str, Title], at: dt.datetime
) -> tuple[Invitation, ...]:
    holders, invitations = {}, []
    for entry in file.holders:
        _refuse_renaming(campaign, entry)
        holder, is_new = name_holder(campaign_id=campaign.pk, key=entry.key, name=entry.name, role=entry.role)
        holders[entry.key] = holder
        if is_new:
            invitations.append(Invitation(holder=holder, secret=invite(holder=holder, at=at)))
    for key, title in titles.items():
        named = [holders[entry.key] for entry in file.holders_of(key)]
        _refuse_silencing(title, named)
        set_holders(title_id=title.pk, holders=named)
    return tuple(invitations)


def _refuse_renaming(campaign: Campaign, entry: HolderEntry) -> None:
    """What one person agreed to must not become another's word."""
    before = Holder.objects.filter(campaign_id=campaign.pk, key=entry.key).first()
    if before and before.name != entry.name and has_spoken(holder=before):
        raise CampaignFileError(
            f"“{before.name}” has spoken under the key {entry.key!r}. Give “{entry.name}” a key of their own."
        )


def _refuse_silencing(title: Title, named: Sequence[Holder]) -> None:
    """Somebody who spoke about a title stays one of its holders: taking them out would undo their no."""
    for before in holders_of(title.pk):
        if before not in named and has_spoken(holder=before, title_id=title.pk):
            raise CampaignFileError(
                f"“{before.name}” has spoken about “{title.name}” and stays a holder of it. "
                "If the music is another, give it a title of its own with another key."
            )


def _bring_missions(campaign: Campaign, file: CampaignFile, at: dt.datetime) -> None:
    at_us = clock.to_us(at)
    for mission in new_versions(file, known_missions(campaign), at_us=at_us):
        body = mission.body()
        MissionVersion.objects.create(
            campaign_id=campaign.pk, key=mission.key, version=mission.version, body=canonical(body)
        )
        record_fact(campaign_id=campaign.pk, fact=mission_versioned(mission=body, at_us=at_us))


def known_missions(campaign: Campaign) -> list[Mission]:
    """Every version of every mission so far, each key's in order."""
    versions = MissionVersion.objects.filter(campaign_id=campaign.pk).order_by("key", "version")
    return [mission_of(json.loads(body)) for body in versions.values_list("body", flat=True)]


def close_past(*, at: dt.datetime) -> int:
    """Campaigns whose season and appeals are over may write to nobody any more; then their network keys are destroyed.

    The hashes in their facts are then nobody's: not even we can tell whether an address was among them. Returns how
    many yeses and keys ended; of many yeses some at a time, so that other campaigns' facts need not wait.
    """
    ended = 0
    for campaign in Campaign.objects.filter(networks_forgotten_at=None):
        if at >= campaign.file.season.ends_at + dt.timedelta(days=settings.APPEAL_DAYS):
            expired = expire(campaign_id=campaign.pk, at=at, at_most=YESES_AT_ONCE)
            if not expired:
                campaign.network_key, campaign.networks_forgotten_at = (
                    secrets.token_bytes(NETWORK_KEY_BYTES),
                    at,
                )
                campaign.save(update_fields=["network_key", "networks_forgotten_at"])
            ended += expired or 1
    return ended
