"""Whatever is said and put into the outbox: nothing leaves outside a yes in force, and all within it does."""

import datetime as dt
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests import cast
from tests.cast import AT, allow
from tests.services.doors import ask as ask_code_for
from tests.services.letters import in_the_mailbox, parts_of
from tests.services.post import SILENCE, post_office
from vteam.campaigns.models import Campaign, Title
from vteam.channels.mail import servers
from vteam.channels.mail.delivery import HANDING_MAX, deliver_due, postman, settle_left_behind, settle_unsure
from vteam.channels.mail.handover import Handover, Mark, path
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.outbox import enqueue_for, forget_ended
from vteam.people.models import Fan
from vteam.permissions.models import Subject
from vteam.permissions.services import Said, end, record_said
from vteam.rules.grants import Event, Pace, Purpose

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_folder")]


@pytest.fixture
def campaign() -> Campaign:
    return cast.open_campaign()


@pytest.fixture
def bo(campaign: Campaign) -> Fan:
    return cast.join(campaign.pk, "Bo")


def ask_for(fan: Fan, *, key: str = "first", at: dt.datetime = AT, title: int = 0) -> None:
    """Somebody asks a fan for a title."""
    titles = Title.objects.filter(campaign_id=fan.campaign_id).order_by("position")
    enqueue_for(
        purpose=Purpose.ASKED,
        campaign_id=fan.campaign_id,
        person_id=fan.person_id,
        about={"title": titles[title].pk},
        key=key,
        at=at,
    )


def states() -> Counter[str]:
    return Counter(OutboxMessage.objects.values_list("state", flat=True))


def said(fan: Fan, event: Event, *, at: dt.datetime = AT, **more: Any) -> None:
    what = Said(purpose=Purpose.ASKED, event=event, act="pressed", page="messages", **more)
    record_said(person=fan.person, campaign_id=fan.campaign_id, said=what, at=at)


# One message ----------------------------------------------------------------------------------------------------
def test_a_message_by_a_yes_leaves_says_why_and_how_to_stop_it(bo: Fan, settings: Any) -> None:
    settings.PUBLIC_URL = "https://maree.example"
    subject = allow(bo, Purpose.ASKED)
    ask_for(bo)
    assert deliver_due(at=AT) == 1
    (letter,) = in_the_mailbox()
    assert letter["To"] == "bo@example.org"
    assert letter["Subject"] == "Somebody asks you for “Les digues”"
    text, page = parts_of(letter)
    stop = str(letter["List-Unsubscribe"]).strip("<>")
    assert stop.startswith("https://maree.example/en/stop/")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for shown in (text, page):
        assert stop in shown
        assert "asked for it on Nov. 20, 2026" in shown
        assert "https://maree.example/en/maree-haute/titles/title-1/pass-on" in shown
        assert "Les digues" in shown
        assert set(re.findall(r"https?://[^/\"\s]+", shown)) == {"https://maree.example"}, "no other address"
    assert "<img" not in page
    assert "prefers-color-scheme" in page, "its sheet stays for programs that read it"
    assert re.search(r'<a [^>]*style="[^"]*background', page), "and stands in the tags for those that do not"
    assert letter["List-ID"] == "<asked.maree-haute.localhost>"
    assert letter["Feedback-ID"] == "asked:maree-haute:mail:vteam"
    row = OutboxMessage.objects.get()
    assert (row.state, row.grant_seq, row.ended_at) == (OutboxMessage.SENT, 1, AT)
    assert row.subject == subject.pk


def test_it_speaks_the_readers_language(bo: Fan) -> None:
    bo.person.language = "fr"
    bo.person.save()
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    deliver_due(at=AT)
    (letter,) = in_the_mailbox()
    text, page = parts_of(letter)
    assert "20 novembre 2026" in text
    assert "20 novembre 2026" in page
    assert "/fr/stop/" in text


def test_without_a_yes_nothing_is_even_put_there_and_what_was_is_given_up(bo: Fan) -> None:
    ask_for(bo)
    assert not OutboxMessage.objects.exists()
    allow(bo, Purpose.POINTS)
    ask_for(bo)
    deliver_due(at=AT)
    assert in_the_mailbox() == []
    row = OutboxMessage.objects.get()
    assert (row.state, row.reason) == (OutboxMessage.GIVEN_UP, "not allowed: never asked for")


def test_the_same_content_is_one_message_however_often_it_is_put_there(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    for _ in range(3):
        ask_for(bo)
        deliver_due(at=AT)
    ask_for(bo, key="second")
    deliver_due(at=AT)
    assert len(in_the_mailbox()) == 2


def test_a_withdrawal_stops_what_is_waiting(bo: Fan) -> None:
    subject = allow(bo, Purpose.ASKED)
    ask_for(bo)
    end(subject=subject, purpose=Purpose.ASKED, act="the mail's own link", at=AT)
    with post_office() as office:
        deliver_due(at=AT)
    assert office.commands == []
    assert states() == {OutboxMessage.GIVEN_UP: 1}


def test_nobody_is_written_to_at_night_but_who_asked_for_a_code(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    night = AT.replace(hour=22)  # 23 o'clock in Paris
    ask_for(bo, at=night)
    deliver_due(at=night)
    assert in_the_mailbox() == []
    morning = (AT + DAY).replace(hour=8)  # 9 o'clock in Paris
    assert OutboxMessage.objects.get().due_at == morning
    assert deliver_due(at=morning - HOUR) == 0
    deliver_due(at=morning)
    assert len(in_the_mailbox()) == 1


def test_a_digest_gathers_what_came_together_in_one_letter(bo: Fan) -> None:
    allow(bo, Purpose.ASKED, pace=Pace.DAILY)
    for number in range(3):
        ask_for(bo, key=str(number), title=number, at=AT + number * HOUR)
        deliver_due(at=AT + number * HOUR)
    morning = (AT + DAY).replace(hour=8)
    ask_for(bo, key="at night", title=0, at=morning - HOUR)
    assert in_the_mailbox() == []
    deliver_due(at=morning)
    (letter,) = in_the_mailbox()
    text, _ = parts_of(letter)
    assert [text.count(f"Pass “{name}” on") for name in ("Les digues", "Phare éteint", "Sel")] == [1, 1, 1]
    assert states() == {OutboxMessage.SENT: 4}


def test_another_pace_holds_for_what_is_waiting_already(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    night = AT.replace(hour=22)
    ask_for(bo, at=night)
    said(bo, Event.PACE_CHANGED, pace=Pace.DAILY)
    deliver_due(at=night)
    assert OutboxMessage.objects.get().due_at == (AT + DAY).replace(hour=8)


def test_what_is_not_offered_any_more_is_not_told(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    Title.objects.update(retired_at=AT)
    deliver_due(at=AT)
    assert in_the_mailbox() == []
    assert OutboxMessage.objects.get().reason == "there is nothing left to say"


def test_a_domain_is_written_to_no_faster_than_it_is_set(campaign: Campaign, settings: Any) -> None:
    settings.MAILS_PER_DOMAIN_MINUTE = 2
    for number in range(5):
        fan = cast.join(campaign.pk, f"Fan{number}")
        allow(fan, Purpose.ASKED)
        ask_for(fan)
    with postman() as one:
        one.deliver_due(at=AT)
        assert states() == {OutboxMessage.SENT: 2, OutboxMessage.WAITING: 3}
        one.deliver_due(at=AT + dt.timedelta(minutes=1))
        one.deliver_due(at=AT + dt.timedelta(minutes=2))
    assert states() == {OutboxMessage.SENT: 5}


def test_letters_of_a_turn_and_the_next_share_one_connection(campaign: Campaign, settings: Any) -> None:
    for number in range(5):
        allow(cast.join(campaign.pk, f"Fan{number}"), Purpose.ASKED)
    with post_office() as office:
        settings.EMAIL_URL = office.url
        with postman() as one:
            for number, fan in enumerate(Fan.objects.order_by("pk")):
                ask_for(fan)
                if number in {2, 4}:
                    one.deliver_due(at=AT)
        assert len(office.letters) == 5
        verbs = Counter(command.partition(" ")[0].lower() for command in office.commands)
        assert (verbs["ehlo"], verbs["data"], verbs["quit"]) == (1, 5, 1)


def test_a_letter_comes_back_to_its_own_token_and_nobody_elses(bo: Fan, settings: Any) -> None:
    settings.BOUNCES_ADDRESS = "bounces@vteam.test"
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    with post_office() as office:
        settings.EMAIL_URL = office.url
        deliver_due(at=AT)
    token = OutboxMessage.objects.get().token
    assert any(
        command.lower().startswith(f"mail from:<bounces+{token}@vteam.test>") for command in office.commands
    )


def test_a_letter_the_server_was_given_whole_and_did_not_answer_for_is_not_sent_again(
    bo: Fan, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "ANSWER_SECONDS", 0.3)
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    with post_office({"END": [SILENCE]}) as office:
        settings.EMAIL_URL = office.url
        for turn in range(3):
            deliver_due(at=AT + turn * HOUR)
        assert sum(command.lower() == "data" for command in office.commands) == 1
    assert states() == {OutboxMessage.UNSURE: 1}


def test_a_code_stands_behind_no_news(campaign: Campaign, settings: Any) -> None:
    for number in range(3):
        fan = cast.join(campaign.pk, f"Fan{number}")
        allow(fan, Purpose.ASKED)
        ask_for(fan)
    ask_code_for("cy@example.org")
    with post_office() as office:
        settings.EMAIL_URL = office.url
        deliver_due(at=AT)
    assert office.letters[0]["To"] == "cy@example.org"
    assert len(office.letters) == 4


# Dying in the middle --------------------------------------------------------------------------------------------
def test_what_a_dead_process_was_handing_over_is_said_to_be_unsure_and_not_sent_again(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    OutboxMessage.objects.update(state=OutboxMessage.HANDING, due_at=AT + HANDING_MAX)
    assert settle_unsure(at=AT) == 0, "it may still be at it"
    assert settle_unsure(at=AT + HANDING_MAX) == 1
    deliver_due(at=AT + HANDING_MAX)
    assert states() == {OutboxMessage.UNSURE: 1}
    assert in_the_mailbox() == []


@pytest.mark.parametrize(
    ("mark", "state", "arrived"),
    [
        (Mark.TAKEN, OutboxMessage.WAITING, 1),
        (Mark.BEGUN, OutboxMessage.UNSURE, 0),
        (Mark.SENT, OutboxMessage.SENT, 0),
        (Mark.REFUSED, OutboxMessage.WAITING, 1),
    ],
)
def test_a_new_process_goes_on_where_the_killed_one_was(
    bo: Fan, mark: Mark, state: str, arrived: int
) -> None:
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    message = OutboxMessage.objects.get()
    OutboxMessage.objects.update(state=OutboxMessage.HANDING, due_at=AT + HANDING_MAX)
    killed = Handover()
    killed.begin([message.pk])
    killed.mark([message.pk], mark)
    assert settle_left_behind(at=AT) == 1
    assert states() == {state: 1}
    deliver_due(at=AT)
    assert len(in_the_mailbox()) == arrived


def test_marks_of_before_the_machine_went_down_are_not_believed(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    message = OutboxMessage.objects.get()
    OutboxMessage.objects.update(state=OutboxMessage.HANDING, due_at=AT + HANDING_MAX)
    path().write_text(f"another start of the machine\n{Mark.TAKEN} {message.pk}\n")
    assert settle_left_behind(at=AT) == 0
    assert settle_unsure(at=AT + HANDING_MAX) == 1
    assert states() == {OutboxMessage.UNSURE: 1}


def test_rows_stay_for_their_reader_to_see_what_reached_them_and_then_go(bo: Fan) -> None:
    allow(bo, Purpose.ASKED)
    ask_for(bo)
    deliver_due(at=AT)
    assert forget_ended(at=AT + 59 * DAY) == 0
    assert forget_ended(at=AT + 61 * DAY) == 1


# Everything -----------------------------------------------------------------------------------------------------
@dataclass
class Model:
    """What may happen, kept apart from our own rules: whoever said what, and what has arrived."""

    yes: dict[int, bool] = field(default_factory=dict)
    paused_until: dict[int, dt.datetime] = field(default_factory=dict)

    def may(self, who: int, at: dt.datetime) -> bool:
        return self.yes.get(who, False) and at >= self.paused_until.get(who, at)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(
            ["yes", "no", "withdraw", "pause", "ask", "ask", "deliver", "deliver", "wait", "erase"]
        ),
    ),
    min_size=4,
    max_size=24,
)
_examples = itertools.count()


@given(steps=STEPS)
@hypothesis_settings(max_examples=80, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_no_message_leaves_outside_a_live_yes_and_every_one_within_it_does(
    steps: list[tuple[int, str]],
) -> None:
    campaign = cast.open_campaign(slug=f"example-{next(_examples)}")
    fans = [cast.join(campaign.pk, f"{name}{campaign.pk}") for name in ("Bo", "Cy", "Di")]
    model, at, arrived, gone = Model(), AT.replace(hour=10), 0, set[int]()
    for number, (who, step) in enumerate(steps):
        if who in gone:
            continue
        fan = fans[who]
        match step:
            case "yes":
                say_yes(fan, at)
                model.yes[who] = True
                model.paused_until.pop(who, None)
            case "no":
                said(fan, Event.REFUSED, at=at)
            case "withdraw":
                said(fan, Event.WITHDRAWN, at=at)
                model.yes[who] = False
            case "pause":
                said(fan, Event.PAUSED, at=at, until=at + HOUR)
                model.paused_until[who] = at + HOUR
            case "ask":
                ask_for(fan, key=f"{campaign.pk}-{number}", at=at)
            case "wait":
                at += HOUR / 2
            case "erase":
                from vteam.channels.erasing import erase

                erase(person=fan.person, at=at)
                gone.add(who)
            case "deliver":
                waiting = waiting_by(fans)
                deliver_due(at=at)
                expected = sum(n for who, n in waiting.items() if model.may(who, at))
                letters = sum(campaign.slug in letter["List-ID"] for letter in in_the_mailbox())
                assert letters == arrived + expected
                arrived = letters
    assert not OutboxMessage.objects.filter(state=OutboxMessage.SENT, grant_seq=None).exists()


def say_yes(fan: Fan, at: dt.datetime) -> None:
    said(fan, Event.GIVEN, at=at, pace=Pace.AT_ONCE)


def waiting_by(fans: list[Fan]) -> dict[int, int]:
    """How many messages wait for each of the three."""
    subjects = {
        subject: who
        for who, fan in enumerate(fans)
        for subject in Subject.objects.filter(person_id=fan.person_id).values_list("pk", flat=True)
    }
    rows = OutboxMessage.objects.filter(state=OutboxMessage.WAITING, subject__in=subjects)
    return Counter(subjects[subject] for subject in rows.values_list("subject", flat=True))
