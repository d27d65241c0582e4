"""A campaign with shares, and facts waiting in its inbox as channels leave them. Imported once Django is set up."""

from collections.abc import Iterator

from django.db import connection, transaction

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.links.models import Share
from vteam.channels.links.redirect import InboxRow
from vteam.demo.opening import open_demo
from vteam.demo.season import play_season
from vteam.journal.models import Inbox
from vteam.journal.sql import INSERT_INBOX, for_sqlite
from vteam.rules.canonical import canonical
from vteam.rules.facts import arrival_confirmed

FANS = 20


def campaign_with_shares() -> tuple[int, str]:
    """The demo's campaign, a week in, by its id; and the code of one of its shares."""
    campaign = open_demo()
    play_season(campaign, fans=FANS)
    return campaign.pk, _shares(campaign)[0].code


def fill_the_inbox(campaign_id: int, facts: int) -> None:
    """That many arrivals, each of a network of its own, through all the campaign's shares in turn."""
    shares = _shares(Campaign.objects.get(pk=campaign_id))
    rows = _arrivals(campaign_id, shares, facts)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.connection.executemany(for_sqlite(INSERT_INBOX), rows)


def waiting() -> int:
    """How many facts `jobs` has not posted yet."""
    return Inbox.objects.count()


def _shares(campaign: Campaign) -> list[Share]:
    return list(Share.objects.filter(campaign_id=campaign.pk, ended_at=None).order_by("pk"))


def _arrivals(campaign_id: int, shares: list[Share], facts: int) -> Iterator[InboxRow]:
    at_us = clock.now_us()
    day = clock.from_us(at_us).date().isoformat()
    for number in range(facts):
        share, network = shares[number % len(shares)], f"{number:032x}"
        fact = arrival_confirmed(
            share=share.pk,
            owner=share.fan_id,
            networks=(network, network, network),
            day=day,
            by=None,
            act="stayed",
            at_us=at_us,
        )
        yield campaign_id, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body)
