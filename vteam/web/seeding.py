"""How a fan's torrent stands, in words: whether their computer is seen, what to change in their client, who downloads.

What the witness saw comes in as it was kept; nothing in it says where anybody is.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from vteam import clock
from vteam.channels.swarm.torrents.downloads import SECOND_US
from vteam.channels.swarm.torrents.programs import Program
from vteam.channels.swarm.torrents.watch import stays_us
from vteam.channels.swarm.torrents.watched import Reach
from vteam.rules.decisions import NOTHING_SEEN
from vteam.rules.facts import Doubt

MISTAKE_US = 24 * 3600 * SECOND_US
MUCH = 0.8


class Trouble(StrEnum):
    """What of a client's set-up keeps friends from their download."""

    CLOSED = "closed"
    ENCRYPTED = "encrypted"
    SUPER_SEEDING = "super_seeding"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeederLine:
    """One of the fan's own clients. `words`: how it stands; `troubles`: what is the matter, and what to change."""

    client: str
    words: str
    at: dt.datetime
    is_seeding: bool
    troubles: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadLine:
    """Somebody who downloads, or did. `percent`: of the title that they have."""

    client: str
    words: str
    percent: int
    at: dt.datetime
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingNow:
    """All of it. `seeding`: whether a computer of the fan's is seen seeding; `mistake`: a friend has its file."""

    seeders: list[SeederLine]
    downloads: list[DownloadLine]
    seeding: bool
    mistake: bool
    unkept: int


def standing_of(watched: Mapping[str, Any] | None, *, at_us: int) -> StandingNow:
    """What was kept of a torrent, in words; nothing yet where nothing was."""
    if watched is None:
        return StandingNow(seeders=[], downloads=[], seeding=False, mistake=False, unkept=0)
    pieces = watched["pieces"]
    seeders = [_seeder(told, pieces, at_us) for told in watched["seeders"]]
    here = set(watched["here"])
    shown = sorted(watched["downloads"], key=lambda told: -told["first_us"])
    downloads = [
        _download(told, pieces, told["listener"] in here)
        for told in shown
        if told["claims"] or 0 <= told["first_have"] < pieces
    ]
    return StandingNow(
        seeders=seeders,
        downloads=downloads,
        seeding=any(line.is_seeding for line in seeders),
        mistake=at_us - watched["mistake_us"] < MISTAKE_US,
        unkept=watched["unkept"],
    )


def _seeder(told: Mapping[str, Any], pieces: int, at_us: int) -> SeederLine:
    is_here = at_us - told["last_us"] < stays_us(settings.ANNOUNCE_SECONDS * SECOND_US)
    is_seeding = is_here and not told["left"]
    if is_seeding:
        words = _("It is there, with the whole title.")
    elif is_here:
        words = _("It is fetching your copy.")
    else:
        words = _("It has not been heard of since.")
    program = next((known for known in Program if known and told["client"].startswith(known)), Program.OTHER)
    troubles = [
        (_TROUBLES[trouble](), _change(trouble, program)) for trouble in _troubles(told, pieces, is_seeding)
    ]
    return SeederLine(
        client=told["client"] or _("Your client"),
        words=words,
        at=clock.from_us(told["last_us"]),
        is_seeding=is_seeding,
        troubles=troubles,
    )


def _troubles(told: Mapping[str, Any], pieces: int, is_seeding: bool) -> list[Trouble]:
    if not is_seeding:
        return []
    found = []
    if told["reach"] == Reach.CLOSED:
        found.append(Trouble.CLOSED)
    if told["reach"] in (Reach.ENCRYPTED, Reach.SILENT):
        found.append(Trouble.ENCRYPTED)
    if told["met"] and 0 <= told["has"] < MUCH * pieces:
        found.append(Trouble.SUPER_SEEDING)
    return found


_TROUBLES: dict[Trouble, Callable[[], str]] = {
    Trouble.CLOSED: lambda: _(
        "Your computer cannot be called from outside. Friends who can be called still get the title: yours calls them. "
        "Two who both cannot be called never meet."
    ),
    Trouble.ENCRYPTED: lambda: _(
        "It takes encrypted connections only. Friends whose client does not encrypt cannot download from it."
    ),
    Trouble.SUPER_SEEDING: lambda: _(
        "Super-seeding is on. With few people about, downloads stop just before the end."
    ),
}


def _change(trouble: Trouble, program: Program) -> str:
    """What to change in a client; the general words where we do not know it."""
    return _CHANGES.get((trouble, program), _CHANGES[trouble, Program.OTHER])()


_CHANGES: dict[tuple[Trouble, Program], Callable[[], str]] = {
    (Trouble.CLOSED, Program.QBITTORRENT): lambda: _(
        "qBittorrent: Options → Connection → “Use UPnP / NAT-PMP port forwarding from my router”."
    ),
    (Trouble.CLOSED, Program.TRANSMISSION): lambda: _(
        "Transmission: Preferences → Network → “Use UPnP or NAT-PMP port forwarding from my router”."
    ),
    (Trouble.CLOSED, Program.DELUGE): lambda: _("Deluge: Preferences → Network → UPnP and NAT-PMP."),
    (Trouble.CLOSED, Program.ARIA2): lambda: _(
        "aria2: forward a TCP port in your router, and name it with --listen-port."
    ),
    (Trouble.CLOSED, Program.OTHER): lambda: _(
        "In its settings switch on UPnP or NAT-PMP, or forward its port in your router."
    ),
    (Trouble.ENCRYPTED, Program.QBITTORRENT): lambda: _(
        "qBittorrent: Options → BitTorrent → Encryption mode → “Allow encryption”."
    ),
    (Trouble.ENCRYPTED, Program.TRANSMISSION): lambda: _(
        "Transmission: Preferences → Privacy → Encryption mode → “Allow encryption”."
    ),
    (Trouble.ENCRYPTED, Program.DELUGE): lambda: _(
        "Deluge: Preferences → Network → Encryption → Inbound and Outbound: “Enabled”."
    ),
    (Trouble.ENCRYPTED, Program.ARIA2): lambda: _(
        "aria2: leave out --bt-require-crypto and --bt-force-encryption."
    ),
    (Trouble.ENCRYPTED, Program.OTHER): lambda: _(
        "In its settings allow encryption instead of requiring it."
    ),
    (Trouble.SUPER_SEEDING, Program.QBITTORRENT): lambda: _(
        "qBittorrent: right-click the torrent → switch off “Super seeding mode”."
    ),
    (Trouble.SUPER_SEEDING, Program.DELUGE): lambda: _(
        "Deluge: the torrent’s Options → switch off “Super seeding”."
    ),
    (Trouble.SUPER_SEEDING, Program.OTHER): lambda: _(
        "Switch off super-seeding (initial seeding) for this torrent."
    ),
}


def _download(told: Mapping[str, Any], pieces: int, is_here: bool) -> DownloadLine:
    have = max(told["have"], pieces if told["whole_us"] and told["met"] else 0)
    return DownloadLine(
        client=told["client"],
        words=_words_of(told, is_here),
        percent=100 * have // pieces,
        at=clock.from_us(told["judged_us"] or told["last_us"]),
        is_over=bool(told["judged_us"]),
    )


def _words_of(told: Mapping[str, Any], is_here: bool) -> str:
    if told["judged_us"]:
        return _judged(told)
    if told["whole_us"]:
        return _("All of it is there. We wait for what both clients say.")
    if not told["met"]:
        return _("On the way; we have not met this client yet.")
    return _("Downloading now.") if is_here else _("Not here at the moment.")


def _judged(told: Mapping[str, Any]) -> str:
    if told["same"]:
        return _("It went to where your own computer is: that does not count.")
    if not told["doubt"]:
        return _("The whole title left your computer.")
    if Doubt(told["doubt"]) in NOTHING_SEEN:
        return _("We saw nothing of it, or the wrong thing: it does not count.")
    return _("Not all of it could be seen: a person will look at it.")
