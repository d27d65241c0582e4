"""News by mail: to those who asked and nobody else, once, in their language, at their pace, until it is stopped."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from tests import cast
from tests.cast import AT, allow
from tests.services.letters import in_the_mailbox, parts_of
from tests.services.post import post_office
from vteam.campaigns.models import Campaign, News
from vteam.campaigns.news import Draft, publish, rewrite, state, take_back, write_news
from vteam.channels.mail import mailings
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.mailings import (
    audience_of,
    begin_mailing,
    progress_of,
    put_into_outbox,
    stop_mailing,
)
from vteam.channels.mail.models import Mailing, OutboxMessage
from vteam.channels.mail.outbox import forget_ended
from vteam.people.models import Fan
from vteam.permissions.models import Subject
from vteam.permissions.services import end
from vteam.rules.grants import Pace, Purpose

DAY = dt.timedelta(days=1)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_folder")]


@pytest.fixture
def campaign() -> Campaign:
    return cast.open_campaign()


@pytest.fixture
def news(campaign: Campaign) -> News:
    found = write_news(
        campaign=campaign,
        draft=Draft(
            subjects={"en": "The tide is coming", "fr": "La marée monte"},
            texts={
                "en": "It is done.\n\nHear it at https://lune.example/ <now>.",
                "fr": "C'est fini.",
            },
        ),
        at=AT,
    )
    assert publish(news=found, at=AT)
    found.refresh_from_db()
    return found


def fans(campaign: Campaign, count: int, *, pace: Pace = Pace.AT_ONCE) -> list[Fan]:
    made = [cast.join(campaign.pk, f"{pace[0].upper()}an{number}") for number in range(count)]
    for fan in made:
        allow(fan, Purpose.NEWS, pace=pace)
    return made


def send(news: News, *, at: dt.datetime = AT) -> Mailing:
    mailing = begin_mailing(news=news, at=at)
    assert mailing is not None
    while put_into_outbox(at=at):
        pass
    while deliver_due(at=at):
        pass
    mailing.refresh_from_db()
    return mailing


def test_those_who_asked_get_it_and_nobody_else(campaign: Campaign, news: News) -> None:
    fans(campaign, 3)
    cast.join(campaign.pk, "Silent")
    other = cast.open_campaign(slug="other")
    allow(cast.join(other.pk, "Elsewhere"), Purpose.NEWS)
    pointed = cast.join(campaign.pk, "Pointed")
    allow(pointed, Purpose.POINTS)
    mailing = send(news)
    assert [letter["To"] for letter in in_the_mailbox()] == [f"aan{n}@example.org" for n in range(3)]
    assert (mailing.state, mailing.audience) == (Mailing.SENT, 3)
    told = progress_of(mailing)
    assert (told.left, told.gathering, told.failed, told.is_over, told.percent) == (3, 0, 0, True, 100)


def test_it_is_read_in_the_readers_language_with_nothing_but_its_words_as_markup(
    campaign: Campaign, news: News
) -> None:
    (bo,) = fans(campaign, 1)
    bo.person.language = "fr"
    bo.person.save()
    (cy,) = fans(campaign, 1, pace=Pace.WEEKLY)
    send(news)
    send_weekly = AT.replace(day=23, hour=9)  # the Monday after
    deliver_due(at=send_weekly)
    french, english = in_the_mailbox()
    assert french["Subject"] == "La marée monte"
    assert english["Subject"] == "The tide is coming"
    text, page = parts_of(english)
    assert "Hear it at" in text
    assert "https://lune.example/" in text
    assert "&lt;now&gt;" in page
    assert cy.name == "Wan0"


def test_it_is_sent_once(campaign: Campaign, news: News) -> None:
    fans(campaign, 2)
    send(news)
    assert begin_mailing(news=news, at=AT) is None
    put_into_outbox(at=AT)
    assert OutboxMessage.objects.count() == 2


def test_a_draft_what_was_taken_back_and_what_is_for_nobody_is_not_sent(
    campaign: Campaign, news: News
) -> None:
    assert begin_mailing(news=news, at=AT) is None, "nobody asked"
    fans(campaign, 1)
    draft = write_news(campaign=campaign, draft=Draft(subjects={"en": "x"}, texts={"en": "x"}), at=AT)
    assert begin_mailing(news=draft, at=AT) is None
    take_back(news=news, at=AT)
    assert begin_mailing(news=news, at=AT) is None


def test_a_few_at_a_time_and_where_it_was_stopped_nothing_more_leaves(
    campaign: Campaign, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailings, "SUBJECTS_A_TURN", 2)
    fans(campaign, 5)
    mailing = begin_mailing(news=news, at=AT)
    assert mailing is not None
    assert put_into_outbox(at=AT) == 2
    deliver_due(at=AT)
    assert put_into_outbox(at=AT) == 2
    assert stop_mailing(mailing=mailing, at=AT) == 2
    assert put_into_outbox(at=AT) == 0
    deliver_due(at=AT)
    assert len(in_the_mailbox()) == 2
    mailing.refresh_from_db()
    told = progress_of(mailing)
    assert (mailing.state, told.left, told.failed, told.is_over) == (Mailing.STOPPED, 2, 2, True)


def test_whoever_says_no_meanwhile_is_spared(campaign: Campaign, news: News) -> None:
    bo, *_ = fans(campaign, 2)
    begin_mailing(news=news, at=AT)
    put_into_outbox(at=AT)
    end(subject=Subject.objects.get(person=bo.person), purpose=Purpose.NEWS, act="the link", at=AT)
    deliver_due(at=AT)
    assert [letter["To"] for letter in in_the_mailbox()] == ["aan1@example.org"]
    states = Counter(OutboxMessage.objects.values_list("state", flat=True))
    assert states == {OutboxMessage.SENT: 1, OutboxMessage.GIVEN_UP: 1}


def test_what_was_taken_back_before_it_left_does_not_leave(campaign: Campaign, news: News) -> None:
    fans(campaign, 1)
    begin_mailing(news=news, at=AT)
    put_into_outbox(at=AT)
    take_back(news=news, at=AT)
    deliver_due(at=AT)
    assert in_the_mailbox() == []


def test_a_correction_reaches_who_reads_it_later(campaign: Campaign, news: News) -> None:
    fans(campaign, 1, pace=Pace.WEEKLY)
    send(news)
    better = Draft(subjects={"en": "The tide is here"}, texts={"en": "Better."})
    assert rewrite(news=news, draft=better, seen=state(news), at=AT)
    deliver_due(at=AT.replace(day=23, hour=9))
    (letter,) = in_the_mailbox()
    assert letter["Subject"] == "The tide is here"


def test_how_many_would_get_it_is_exact(campaign: Campaign, news: News) -> None:
    fans(campaign, 2)
    fans(campaign, 3, pace=Pace.WEEKLY)
    found = audience_of(news, at=AT)
    assert (found.in_all, found.by_pace) == (5, {Pace.AT_ONCE: 2, Pace.WEEKLY: 3})


def test_long_after_its_letters_are_forgotten_it_still_says_for_how_many_it_was(
    campaign: Campaign, news: News
) -> None:
    fans(campaign, 2)
    mailing = send(news)
    forget_ended(at=AT + 90 * DAY)
    told = progress_of(mailing)
    assert (told.is_long_ago, told.audience, told.percent) == (True, 2, 100)


def test_what_was_being_handed_over_when_it_was_stopped_is_not_tried_again(
    campaign: Campaign, news: News, settings: Any
) -> None:
    fans(campaign, 2)
    mailing = begin_mailing(news=news, at=AT)
    assert mailing is not None
    put_into_outbox(at=AT)
    with post_office({"RCPT": ["451 try later"]}) as office:
        settings.EMAIL_URL = office.url
        deliver_due(at=AT)
    OutboxMessage.objects.update(state=OutboxMessage.HANDING)
    assert stop_mailing(mailing=mailing, at=AT) == 0
    OutboxMessage.objects.update(state=OutboxMessage.WAITING)
    with post_office() as office:
        settings.EMAIL_URL = office.url
        deliver_due(at=AT + DAY)
    assert office.letters == []
