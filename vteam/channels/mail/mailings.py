"""News by mail to those who asked for news: begun by an organiser once, put into the outbox some at a time, stopped at
any moment.

No list is ever uploaded: who gets it is whoever has a yes in force, asked for again when each letter leaves.
"""

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Count, QuerySet

from vteam import clock
from vteam.campaigns.models import News
from vteam.channels.mail.models import Mailing, OutboxMessage
from vteam.channels.mail.outbox import enqueue
from vteam.permissions.queries import Audience, allowing, audience
from vteam.rules.grants import Purpose

SUBJECTS_A_TURN = 500
STOPPED = "the organiser stopped it"


def audience_of(news: News, *, at: dt.datetime) -> Audience:
    """Who would get news by mail now, in numbers."""
    return audience(campaign_id=news.campaign_id, purpose=Purpose.NEWS, at_us=clock.to_us(at))


def begin_mailing(*, news: News, at: dt.datetime) -> Mailing | None:
    """Send published news to those who asked for it; None where it was begun before, is no longer there or is for
    nobody.
    """
    for_now = audience_of(news, at=at).in_all
    with transaction.atomic():
        kept = News.objects.select_for_update().get(pk=news.pk)
        is_out = kept.published_at is not None and kept.withdrawn_at is None
        if not is_out or not for_now or Mailing.objects.filter(news=kept).exists():
            return None
        return Mailing.objects.create(news=kept, audience=for_now, started_at=at)


@transaction.atomic
def stop_mailing(*, mailing: Mailing, at: dt.datetime) -> int:
    """Nothing more of it leaves; returns how many letters were held back. What has left stays with its readers."""
    stopped = Mailing.objects.filter(pk=mailing.pk).exclude(state=Mailing.STOPPED)
    stopped.update(state=Mailing.STOPPED, ended_at=at)
    waiting = _letters(mailing.news_id).filter(state=OutboxMessage.WAITING)
    return waiting.update(state=OutboxMessage.GIVEN_UP, reason=STOPPED, ended_at=at)


def put_into_outbox(*, at: dt.datetime) -> int:
    """A turn of the mailings under way: letters for the next who asked for news; returns how many."""
    return sum(
        _put(mailing.pk, at) for mailing in Mailing.objects.filter(state=Mailing.SENDING).order_by("pk")
    )


@transaction.atomic
def _put(pk: int, at: dt.datetime) -> int:
    mailing = Mailing.objects.select_for_update().select_related("news").get(pk=pk)
    if mailing.state != Mailing.SENDING:
        return 0
    if mailing.news.withdrawn_at is not None:
        mailing.state, mailing.ended_at = Mailing.STOPPED, at
        mailing.save(update_fields=["state", "ended_at"])
        return 0
    asked = allowing(
        campaign_id=mailing.news.campaign_id,
        purpose=Purpose.NEWS,
        at_us=clock.to_us(at),
        after=mailing.after,
    )
    page = list(islice(asked, SUBJECTS_A_TURN))
    put = enqueue(
        purpose=Purpose.NEWS,
        campaign_id=mailing.news.campaign_id,
        subjects=[subject for subject, found in page if found.is_live],
        about={"news": mailing.news_id},
        key=str(mailing.news_id),
        at=at,
    )
    if page:
        mailing.after = page[-1][0]
    if len(page) < SUBJECTS_A_TURN:
        mailing.state, mailing.ended_at = Mailing.SENT, at
    mailing.save(update_fields=["after", "state", "ended_at"])
    return put


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a mailing has come, in letters.

    `gathering`: those that leave with their reader's weekly letter or in the morning. `failed`: given up or come back.
    """

    audience: int
    put: int
    left: int
    gathering: int
    failed: int
    is_over: bool

    @property
    def is_long_ago(self) -> bool:
        """Whether its letters' rows are forgotten by now."""
        return self.is_over and not self.put

    @property
    def percent(self) -> int:
        """How much of it has ended, well or not."""
        if self.is_long_ago:
            return 100
        return min(100, (self.left + self.failed) * 100 // max(1, self.audience))


def progress_of(mailing: Mailing) -> Progress:
    """How far a mailing has come."""
    counted = _letters(mailing.news_id).order_by().values_list("state").annotate(n=Count("pk"))
    states: Counter[str] = Counter(dict(counted))
    left = states[OutboxMessage.SENT] + states[OutboxMessage.UNSURE]
    waiting = states[OutboxMessage.WAITING] + states[OutboxMessage.HANDING]
    return Progress(
        audience=mailing.audience,
        put=sum(states.values()),
        left=left,
        gathering=waiting,
        failed=states[OutboxMessage.GIVEN_UP] + states[OutboxMessage.BOUNCED],
        is_over=mailing.state != Mailing.SENDING and not waiting,
    )


def _letters(news_id: int) -> QuerySet[OutboxMessage]:
    """Every letter about one news."""
    return OutboxMessage.objects.filter(purpose=Purpose.NEWS, about=json.dumps({"news": news_id}))
