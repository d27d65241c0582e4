"""Who supplies a prize says so themselves: by a link the organiser hands them, to the very words they read.

What they said is kept with those words. Their yes is good for the prize's present wording only; their no to it counts
for more than the campaign file's `confirmed = true`. Nothing is edited: the last word counts. We write to nobody.
"""

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Max

from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.models import Campaign
from vteam.people import vault
from vteam.prizes.models import Offer, SupplierLink, SupplierWord
from vteam.prizes.queries import prize_of
from vteam.rules.canonical import canonical, digest

SECRET_BYTES = 24
PURPOSE = "supplier's link"
GOOD_FOR = dt.timedelta(days=30)
WORDS_OF_A_LINK = 30
"""After so many words of one link it confirms nothing more: each change of mind would only be one more row for ever."""


class Said(StrEnum):
    """What a supplier says."""

    YES = "yes"
    NO = "no"


class Heard(StrEnum):
    """What became of what a supplier said."""

    KEPT = "kept"
    GONE = "gone"
    REWORDED = "reworded"
    OFFERED = "offered"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How sure a prize is. `by_file`: the campaign file says so; the rest is the supplier's last word, if any.

    `is_present`: it was said to the words the prize has now.
    """

    by_file: bool
    said: Said | None = None
    name: str = ""
    at: dt.datetime | None = None
    link_id: int | None = None
    is_present: bool = False

    @property
    def by_supplier(self) -> bool:
        """They said yes to the present words."""
        return self.is_present and self.said is Said.YES

    @property
    def denied(self) -> bool:
        """They said no to the present words."""
        return self.is_present and self.said is Said.NO

    @property
    def lapsed(self) -> bool:
        """They said yes, to other words than the present ones."""
        return not self.is_present and self.said is Said.YES

    @property
    def is_sure(self) -> bool:
        """Whether the prize is offered to anybody."""
        return self.by_supplier or (self.by_file and not self.denied)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a link is about. `is_open`: it may be answered; otherwise its own yes may only be taken back."""

    link: SupplierLink
    campaign: Campaign
    prize: PrizeEntry
    confirmation: Confirmation
    is_open: bool
    is_offered: bool

    @property
    def is_mine(self) -> bool:
        """The last word was said by this link."""
        return self.confirmation.link_id == self.link.pk

    @property
    def may_confirm(self) -> bool:
        """A yes by this link would say something new."""
        return self.is_open and not (self.is_mine and self.confirmation.by_supplier)

    @property
    def may_deny(self) -> bool:
        """A no by this link would say something new; a yes is not taken back once somebody was offered the prize."""
        if self.confirmation.by_supplier and self.is_offered:
            return False
        if self.is_open:
            return not (self.is_mine and self.confirmation.denied)
        return self.is_mine and self.confirmation.by_supplier


# The words --------------------------------------------------------------------------------------------------
def asked_text(campaign: Campaign, prize: PrizeEntry) -> str:
    """The canonical text of what a supplier is asked to give, in every language the campaign has it in."""
    file = campaign.file
    season = file.season.model_dump(mode="json")
    about = {"slug": file.slug, "name": file.name, "artist": file.artist, "season": season}
    return canonical({"campaign": about, "promise": _promise(file, prize)})


def _promise(file: CampaignFile, prize: PrizeEntry) -> dict[str, Any]:
    """What a yes is good for: another name, explanation, number, value, supplier, concert or way to win it is another
    promise.
    """
    concert = file.concert_of(prize)
    return {
        "prize": prize.key,
        "name": prize.name.model_dump(exclude_none=True),
        "explanation": prize.explanation.model_dump(exclude_none=True),
        "how_many": prize.stock,
        "value": prize.value.model_dump(exclude_none=True) if prize.value else None,
        "supplied_by": prize.supplied_by,
        "for": {"kind": prize.kind, "milestone": prize.milestone, "qualify": prize.qualify},
        "concert": {"places": prize.places, **concert.model_dump(mode="json")} if concert else None,
    }


# Reading ----------------------------------------------------------------------------------------------------
def confirmations(campaign_id: int, file: CampaignFile) -> dict[str, Confirmation]:
    """How sure each prize of a campaign file is, by its key."""
    last = SupplierWord.objects.filter(campaign_id=campaign_id).values("prize").annotate(last=Max("pk"))
    words = SupplierWord.objects.in_bulk([row["last"] for row in last]) if file.prizes else {}
    links = SupplierLink.objects.in_bulk([word.link_id for word in words.values()]) if words else {}
    by_prize = {word.prize: word for word in words.values()}
    return {each.key: _confirmation(file, each, by_prize.get(each.key), links) for each in file.prizes}


def _confirmation(
    file: CampaignFile, prize: PrizeEntry, word: SupplierWord | None, links: Mapping[int, SupplierLink]
) -> Confirmation:
    if word is None:
        return Confirmation(by_file=prize.confirmed)
    return Confirmation(
        by_file=prize.confirmed,
        said=Said(word.said),
        name=links[word.link_id].name,
        at=word.at,
        link_id=word.link_id,
        is_present=json.loads(word.text)["promise"] == _promise(file, prize),
    )


def confirmation_of(campaign: Campaign, prize: PrizeEntry) -> Confirmation:
    """How sure one prize is."""
    word = SupplierWord.objects.filter(campaign_id=campaign.pk, prize=prize.key).order_by("pk").last()
    return _confirmation(
        campaign.file, prize, word, SupplierLink.objects.in_bulk([word.link_id]) if word else {}
    )


def is_confirmed(campaign: Campaign, prize: PrizeEntry) -> bool:
    """Whether a prize is sure: its supplier says so of its present wording, or the file does and they deny nothing."""
    return confirmation_of(campaign, prize).is_sure


def asked(secret: str, *, at: dt.datetime) -> Asked | None:
    """What a supplier's link is about; None where it is no good any more, or the prize is not in the file."""
    link = SupplierLink.objects.filter(secret_hash__in=vault.keyed_hashes(PURPOSE, secret)).first()
    campaign = Campaign.objects.filter(pk=link.campaign_id).first() if link else None
    prize = prize_of(campaign, link.prize) if link and campaign else None
    if link is None or campaign is None or prize is None:
        return None
    is_open = link.replaced_at is None and at < link.until
    if not is_open and not SupplierWord.objects.filter(link_id=link.pk).exists():
        return None
    return Asked(
        link=link,
        campaign=campaign,
        prize=prize,
        confirmation=confirmation_of(campaign, prize),
        is_open=is_open,
        is_offered=Offer.objects.filter(campaign_id=campaign.pk, prize=prize.key).exists(),
    )


# Writing ----------------------------------------------------------------------------------------------------
@transaction.atomic
def make_link(*, campaign: Campaign, prize: PrizeEntry, at: dt.datetime) -> str:
    """The secret of a new link for a prize's supplier, which replaces the one before. Only its hash is kept."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    SupplierLink.objects.filter(campaign_id=campaign.pk, prize=prize.key, replaced_at=None).update(
        replaced_at=at
    )
    secret = secrets.token_urlsafe(SECRET_BYTES)
    SupplierLink.objects.create(
        campaign_id=campaign.pk,
        prize=prize.key,
        secret_hash=vault.keyed_hash(PURPOSE, secret),
        made_at=at,
        until=at + GOOD_FOR,
    )
    return secret


@transaction.atomic
def speak(*, secret: str, said: Said, seen: str, at: dt.datetime, name: str = "") -> Heard:
    """Keeps what a supplier says. `seen`: the hash of the text they read; `name`: of who says yes, one line.

    Saying the same again changes nothing.
    """
    found = asked(secret, at=at)
    if found is None:
        return Heard.GONE
    # As offering does, so that nobody is offered a prize while its supplier takes it back.
    Campaign.objects.select_for_update().get(pk=found.campaign.pk)
    now = asked(secret, at=at)
    return _keep(now, said, seen, name, at) if now else Heard.GONE


def _keep(now: Asked, said: Said, seen: str, name: str, at: dt.datetime) -> Heard:
    text = asked_text(now.campaign, now.prize)
    if digest(text) != seen:
        return Heard.REWORDED
    if not (now.may_confirm if said is Said.YES else now.may_deny):
        is_same = now.is_mine and now.confirmation.is_present and now.confirmation.said is said
        return Heard.KEPT if is_same else Heard.OFFERED if now.is_offered else Heard.GONE
    # A no follows a yes, so it needs no limit of its own: taking it back is never refused for being often.
    if said is Said.YES and SupplierWord.objects.filter(link_id=now.link.pk).count() >= WORDS_OF_A_LINK:
        return Heard.TOO_OFTEN
    SupplierWord.objects.create(
        campaign_id=now.campaign.pk, prize=now.prize.key, link_id=now.link.pk, said=said, at=at, text=text,
        sha256=seen,
    )  # fmt: skip
    if said is Said.YES:
        SupplierLink.objects.filter(pk=now.link.pk).update(name=name)
    return Heard.KEPT
