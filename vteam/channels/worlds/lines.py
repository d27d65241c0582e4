"""The one line above each object, and telling an object that has an address when it changes."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from vteam.campaigns.models import Campaign
from vteam.channels.worlds.models import Kiosk
from vteam.channels.worlds.pages import LINE_BYTES, cut
from vteam.channels.worlds.visits import one_line

PUSHES_AT_ONCE = 20
TRIES_AT_MOST = 6
FIRST_AGAIN = dt.timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A line to tell an object that has an address."""

    kiosk: Kiosk
    line: str


def line_of(kiosk: Kiosk, *, at: dt.datetime, campaign: Campaign | None = None) -> str:
    """What stands above a kiosk now, in its language: one line."""
    campaign = campaign or Campaign.objects.get(pk=kiosk.campaign_id)
    artist = campaign.file.artist
    with translation.override(kiosk.language):
        if is_here(kiosk, at=at):
            return cut(_("touch me: %(artist)s play here now") % {"artist": artist}, LINE_BYTES)
        return neutral_line(artist)


def neutral_line(artist: str) -> str:
    """What stands above an artist's kiosk that announces nothing, in the language that is active: one line."""
    return cut(_("touch me: %(artist)s's vTeam") % {"artist": one_line(artist)}, LINE_BYTES)


def is_here(kiosk: Kiosk, *, at: dt.datetime) -> bool:
    """Whether a concert is announced at a kiosk."""
    return kiosk.here_until is not None and at < kiosk.here_until


def told(kiosk: Kiosk, line: str) -> None:
    """An object has been told its line with an answer."""
    if kiosk.line_told != line or kiosk.push_at is not None:
        pushed(kiosk=kiosk, line=line)


def announce(*, kiosk: Kiosk, mission: str, until: dt.datetime, at: dt.datetime) -> None:
    """A concert begins at a kiosk: until then residents can say there that they are at it."""
    kiosk.here_mission, kiosk.here_until = mission, until
    kiosk.push_at, kiosk.push_tries = at, 0
    kiosk.save(update_fields=["here_mission", "here_until", "push_at", "push_tries"])


def end_announcement(*, kiosk: Kiosk, at: dt.datetime) -> None:
    """It is over."""
    kiosk.here_until = kiosk.here_until and min(kiosk.here_until, at)
    kiosk.push_at, kiosk.push_tries = at, 0
    kiosk.save(update_fields=["here_until", "push_at", "push_tries"])


def pushes_due(*, at: dt.datetime) -> list[Push]:
    """Which objects to tell their line now: at most PUSHES_AT_ONCE; those that show it already need nothing."""
    ended = Kiosk.objects.filter(here_until__lte=at, push_at=None, revoked_at=None).exclude(here_mission="")
    over = list(ended.values_list("pk", flat=True)[:PUSHES_AT_ONCE])
    # Announced anew this very moment: then it goes on.
    Kiosk.objects.filter(pk__in=over, here_until__lte=at).update(here_mission="", push_at=at, push_tries=0)
    found = []
    for kiosk in Kiosk.objects.filter(push_at__lte=at).order_by("push_at")[:PUSHES_AT_ONCE]:
        line = line_of(kiosk, at=at)
        if kiosk.revoked_at is not None or not kiosk.url or line == kiosk.line_told:
            pushed(kiosk=kiosk, line=kiosk.line_told)
        else:
            found.append(Push(kiosk=kiosk, line=line))
    return found


def pushed(*, kiosk: Kiosk, line: str) -> None:
    """Nothing more is to be told; `line`: what the object shows."""
    _as_it_was(kiosk).update(line_told=line, push_at=None, push_tries=0)


def push_failed(*, kiosk: Kiosk, at: dt.datetime) -> dt.datetime | None:
    """When to try again, ever later; None where its next heartbeat has to do."""
    tries = kiosk.push_tries + 1
    again = at + FIRST_AGAIN * 2**tries if tries < TRIES_AT_MOST else None
    _as_it_was(kiosk).update(push_at=again, push_tries=tries)
    return again


def _as_it_was(kiosk: Kiosk) -> "QuerySet[Kiosk]":
    """The row, unless something else is to be told since it was read: that is told then."""
    return Kiosk.objects.filter(pk=kiosk.pk, push_at=kiosk.push_at)
