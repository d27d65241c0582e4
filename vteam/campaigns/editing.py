"""Changing a campaign without its folder: what an organiser edits in the browser becomes a version like any other.

Recordings and pictures stay as they are stored. Refuses to build on a version that is no longer in force, what the
file's own checks refuse, and what `refuse` does (promises kept above this layer). Nothing is changed in part.
"""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ValidationError

from vteam.campaigns.changes import Change, changes
from vteam.campaigns.coherence import contradictions
from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.findings import KEY_LENGTH, Finding, findings, plain_key
from vteam.campaigns.models import Campaign, CampaignVersion, MadeIn, read_file
from vteam.campaigns.services import Applied, bring_as_stored
from vteam.campaigns.writing import Tables

Refuse = Callable[[CampaignFile], None]
"""Raises CampaignFileError where a file may not come into force."""


def read_tables(tables: Tables) -> tuple[CampaignFile | None, list[Finding]]:
    """The campaign in edited tables, or everything that is wrong with them: what `vteam campaign check` would say."""
    found = contradictions(tables)
    try:
        file = CampaignFile.model_validate(tables)
    except ValidationError as error:
        return None, findings(error, tables) + found
    return (None if found else file), found


def edit_campaign(
    *, campaign: Campaign, file: CampaignFile, seen: int, refuse: Refuse, at: dt.datetime
) -> Applied | None:
    """Bring a campaign to `file`, made from version `seen`; None where another version is in force by now.

    CampaignFileError where the file is refused: by `refuse`, for another season once the result is final, or for
    the word of a holder it would undo.
    """
    with transaction.atomic():
        now = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if now.version != seen:
            return None
        refuse(file)
        return bring_as_stored(now, file, at)


def key_for(campaign: Campaign, name: str) -> str:
    """A key for a new prize of this name that no prize of any version had: what was noted under one stays its own."""
    versions = CampaignVersion.objects.filter(campaign_id=campaign.pk).values_list("document", flat=True)
    taken = {
        prize["key"] for document in versions.iterator() for prize in json.loads(document).get("prizes", ())
    }
    taken |= {prize.key for prize in campaign.file.prizes}
    plain = plain_key(name, otherwise="prize")
    numbered = (f"{plain[: KEY_LENGTH - len(str(n)) - 1].strip('-')}-{n}" for n in itertools.count(2))
    return next(key for key in itertools.chain([plain], numbered) if key not in taken)


# What a file from a folder would undo ---------------------------------------------------------------------------
def undone(campaign: Campaign, file: CampaignFile) -> list[Change]:
    """What `file` would make of what was edited in the browser since the last file came from a folder."""
    versions = CampaignVersion.objects.filter(campaign_id=campaign.pk)
    newest = versions.order_by("-version").first()
    if newest is None or newest.made_in != MadeIn.BROWSER:
        return []
    base = versions.filter(made_in=MadeIn.FILE).order_by("-version").first()
    before, now = read_file(base.document) if base else None, campaign.file
    return changes(now, _without_edits(before, now, file)) if before else changes(now, file)


def _without_edits(before: CampaignFile, now: CampaignFile, new: CampaignFile) -> CampaignFile:
    """What is in force, but where it was edited as `new` has it."""
    prizes = [_merged(*each) for each in _matched(before, now, new)]
    rules = new.rules if before.rules != now.rules else now.rules
    return now.model_copy(update={"prizes": tuple(filter(None, prizes)), "rules": rules})


def _matched(
    *files: CampaignFile,
) -> Iterator[tuple[PrizeEntry | None, PrizeEntry | None, PrizeEntry | None]]:
    before, now, new = ({prize.key: prize for prize in file.prizes} for file in files)
    for key in dict.fromkeys((*now, *new)):
        yield before.get(key), now.get(key), new.get(key)


def _merged(before: PrizeEntry | None, now: PrizeEntry | None, new: PrizeEntry | None) -> PrizeEntry | None:
    """A prize as it would be, where it was edited; where it was not, as it is."""
    if before is None or now is None or new is None:
        return now if before == now else new
    edited = {name: getattr(new, name) for name in _different(before, now)}
    return now.model_copy(update=edited)


def _different(one: BaseModel, other: BaseModel) -> Iterator[Any]:
    return (name for name in type(one).model_fields if getattr(one, name) != getattr(other, name))
