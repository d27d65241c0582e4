"""A lively, plausible week: fans who join, share, recruit and download, at the pace real ones would.

Everything goes through the services a request would call, with the times at which it would have happened, so the
books of the demo are books like any others. The same number of fans gives the same season.
"""

import datetime as dt
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from vteam import clock
from vteam.campaigns.joining import come_in
from vteam.campaigns.missions import season_of
from vteam.campaigns.models import Campaign, Title
from vteam.channels.copies.ranges import Span
from vteam.channels.copies.services import count_sent, personal_copy
from vteam.channels.links.models import Share
from vteam.channels.links.services import (
    Visitor,
    count_visits,
    make_share,
    record_arrival,
    share_inside_copies,
)
from vteam.jobs.moving import InboxTable, Mover
from vteam.people.models import Fan
from vteam.people.services import Entry, open_pending
from vteam.rules.networks import Networks

NAMES = [
    "Inès", "Malo", "Jade", "Elio", "Nour", "Sacha", "Lina", "Timéo", "Maya", "Noé", "Zoé", "Idris", "Alba",
    "Robin", "Mila", "Yanis", "Ambre", "Swann", "Léonie", "Marius", "Salomé", "Gaspard", "Anouk", "Basile",
    "Celeste", "Dario", "Elsa", "Fadila", "Greta", "Hugo", "Iris", "Jonas", "Kenza", "Louise", "Mona",
    "Nils", "Olga", "Pablo", "Rosa", "Samir", "Thelma", "Ulysse", "Vera", "Willem", "Xenia", "Youri",
    "Zadie", "Aïssa", "Björn", "Clément", "Dina", "Emil", "Flora", "Gildas", "Hanaé",
]  # fmt: skip
PLACES = (
    "the ska forum",
    "mes amis",
    "poster at the bar",
    "la chorale",
    "group chat",
    "record shop window",
    "lycée",
    "Discord",
    "my page",
    "le marché",
    "concert queue",
    "flyers",
    "radio associative",
    "skatepark",
)


@dataclass(slots=True)
class Season:
    """A season being played: its dice, its clock and who is there so far."""

    campaign: Campaign
    dice: random.Random
    begins: dt.datetime
    until: dt.datetime
    titles: list[Title]
    fans: list[Fan] = field(default_factory=list)
    shares: dict[int, list[Share]] = field(default_factory=dict)

    def moment(self, share: float) -> dt.datetime:
        """The moment when this share (0 to 1) of the time has passed."""
        return self.begins + (self.until - self.begins) * share


def play_season(
    campaign: Campaign, *, fans: int, progress: Callable[[int], None] = lambda done: None
) -> None:
    """Add `fans` fans to a campaign and what they did so far; `progress` is told how many are done.

    Plays on from where an earlier call stopped, and does nothing where there are as many fans already.
    """
    at = clock.now()
    season = Season(
        campaign=campaign,
        dice=random.Random(1789),
        begins=max(campaign.file.season.starts_at, at - dt.timedelta(days=7)),
        until=at,
        titles=list(campaign.titles.filter(retired_at=None).order_by("position")),
        fans=list(Fan.objects.filter(campaign_id=campaign.pk).order_by("pk")),
    )
    mover = Mover(InboxTable())
    first = len(season.fans)
    for number in range(first, fans):
        _live(season, number, season.moment((number + season.dice.random()) / (fans + 1)))
        if number % 20 == 0:
            mover.move()
        progress(number + 1 - first)
    mover.move()


def _live(season: Season, number: int, joined: dt.datetime) -> None:
    fan = _join(season, number, joined)
    season.fans.append(fan)
    keenness = season.dice.paretovariate(1.3)
    for title in season.titles:
        if season.dice.random() < 0.75:
            _download(season, fan, title, _later(season, joined))
    for _ in range(min(int(keenness), 9)):
        _share(season, fan, joined, keenness)


def _join(season: Season, number: int, at: dt.datetime) -> Fan:
    """Two in three come through somebody's share, the busier ones drawing more."""
    share = None
    if season.shares and season.dice.random() < 0.66:
        owners = list(season.shares)
        share = season.dice.choice(season.shares[season.dice.choice(owners)])
    name = NAMES[number % len(NAMES)]
    if number >= len(NAMES):
        name = f"{name} {chr(65 + number // len(NAMES) % 26)}."
    entry = Entry(
        campaign_id=season.campaign.pk,
        name=name,
        language=season.dice.choice(season.campaign.file.languages),
        share_id=share.pk if share else None,
        recruiter_id=share.fan_id if share else None,
    )
    opened = open_pending(address=f"fan{number}@fan.invalid", entry=entry, at=at)
    arrived = come_in(
        pending=opened.pending,
        entry=entry,
        network=_somewhere(season).near,
        signed_in_fan=None,
        at_us=clock.to_us(at),
    )
    assert arrived.fan is not None, "a campaign and a name make a fan"
    return arrived.fan


def _download(season: Season, fan: Fan, title: Title, at: dt.datetime) -> None:
    code = share_inside_copies(fan=fan, at=at).code
    size = personal_copy(campaign=season.campaign, title=title, link=f"http://localhost/r/{code}").size
    span = Span(start=0, stop=size, size=size, partial=False)
    count_sent(fan=fan, title=title, span=span, taken=size, at_us=clock.to_us(at))


def _share(season: Season, fan: Fan, joined: dt.datetime, keenness: float) -> None:
    made_at = _later(season, joined)
    share = make_share(fan=fan, place=season.dice.choice(PLACES), at=made_at)
    if not isinstance(share, Share):
        return
    season.shares.setdefault(fan.pk, []).append(share)
    visits = min(int(season.dice.paretovariate(0.9) * keenness), 400)
    count_visits((share.pk, clock.to_us(_later(season, made_at))) for _ in range(visits))
    days = season_of(season.campaign.file)
    for _ in range(min(visits // 3, 12)):
        at = _later(season, made_at)
        record_arrival(
            share=share,
            visitor=Visitor(networks=_somewhere(season), fan_id=None),
            nonce=secrets.token_urlsafe(12),
            act=season.dice.choice(["stayed", "played"]),
            day=days.day_of(clock.to_us(at)),
            at=at,
        )


def _later(season: Season, after: dt.datetime) -> dt.datetime:
    return after + (season.until - after) * season.dice.random()


def _somewhere(season: Season) -> Networks:
    """The networks of an address in a range kept for documentation (RFC 3849)."""
    address = f"2001:db8:{season.dice.randrange(65536):x}:{season.dice.randrange(65536):x}::1"
    return Networks.of(address, key=bytes(season.campaign.network_key))
