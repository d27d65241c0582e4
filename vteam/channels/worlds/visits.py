"""Somebody at a kiosk, and how their pages are written: in the language their viewer speaks, in a few bytes."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vteam.campaigns.file import MissionEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.values import Words
from vteam.channels.worlds.avatars import Resident, avatar_of
from vteam.channels.worlds.models import Avatar, Kiosk
from vteam.channels.worlds.pages import Ask, Opening, Page, cut

EXPLANATION_BYTES = 200
TEXT_LENGTH_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where our pages are, as objects are to show them: each a function of what it leads to."""

    campaign: Callable[[str], str]
    share: Callable[[str], str]
    link: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody at a kiosk, now."""

    campaign: Campaign
    kiosk: Kiosk
    resident: Resident
    addresses: Addresses
    at: dt.datetime

    @property
    def avatar(self) -> Avatar | None:
        """Who they are to us, if anybody."""
        return avatar_of(self.campaign, self.kiosk, self.resident)


def refused(visit: Visit, said: str) -> Page:
    """A page that says why nothing was done."""
    return page_for(visit, said, [back()])


def page_for(
    visit: Visit,
    text: str,
    choices: Sequence[tuple[str, str]],
    *,
    ask: Ask | None = None,
    opening: Opening | None = None,
) -> Page:
    """A page under the campaign's name."""
    file = visit.campaign.file
    return Page(title=f"{file.artist} · {file.name}", text=text, choices=choices, ask=ask, opening=opening)


def world_mission(campaign: Campaign, key: str) -> MissionEntry | None:
    """The mission in a world with a key."""
    return next(
        (entry for entry in campaign.file.missions if entry.kind == "world" and entry.key == key), None
    )


def explained(entry: MissionEntry) -> str:
    """What a mission's file says of it, as much as there is room for."""
    return cut(in_words(entry.explanation), EXPLANATION_BYTES)


def in_words(words: Words) -> str:
    """A text of the campaign in the resident's language."""
    return words.in_language(get_language() or "en")


def one_line(text: str) -> str:
    """What somebody typed, without line ends and marks nobody sees."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:TEXT_LENGTH_MAX]


def number(value: int) -> str:
    """12450 is "12 450", with a space that does not break."""
    return f"{value:,}".replace(",", "\u00a0")


def back() -> tuple[str, str]:
    """The way to the first page."""
    return "home", _("Back")
