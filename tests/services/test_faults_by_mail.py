"""What fails is mailed to operators who asked for it: what and where, never who or what was typed, never too often."""

import contextlib
import datetime as dt
import logging
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from tests import cast
from tests.cast import AT
from tests.services.letters import in_the_mailbox, parts_of
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.organisers import invite, remove, take_invitation
from vteam.channels.mail import faults
from vteam.channels.mail.alarms import tell_fault
from vteam.channels.mail.bounces import Kind, Returned
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.faults import FAULTS_AN_HOUR, Fault, Teller, fault_of
from vteam.channels.mail.models import OutboxMessage
from vteam.channels.mail.outbox import enqueue
from vteam.channels.mail.returns import hold
from vteam.jobs.loop import Job, run_due
from vteam.people.models import Person
from vteam.permissions.models import Subject
from vteam.permissions.queries import standing
from vteam.permissions.services import INSTALLATION, Said, record_said, subject_of
from vteam.permissions.wording import wording
from vteam.rules.grants import Event, Pace, Purpose

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PLACE = "KeyError · vteam.web.views.news.one:40"
SECRET = "bo-and-her-secret@example.org"
TOLD_SECONDS_MAX = 20
logger = logging.getLogger("vteam.tests")


# Who is told --------------------------------------------------------------------------------------------------
def operator(name: str = "Dov", *, at: dt.datetime = AT) -> Person:
    """Somebody who took an operator's invitation."""
    person = account(address=f"{name.lower()}@example.org", language="en", at=at)
    secret = invite(campaign=None, name=name, at=at)
    assert secret is not None
    take_invitation(secret=secret, person=person)
    return person


def say(
    person: Person,
    event: Event = Event.GIVEN,
    *,
    pace: Pace | None = Pace.AT_ONCE,
    until: dt.datetime | None = None,
    at: dt.datetime = AT,
) -> Subject:
    """An operator says something on their page."""
    what = Said(
        purpose=Purpose.FAULTS,
        event=event,
        act=f"pressed {event}",
        page="operator",
        wording=wording(Purpose.FAULTS, artist="", campaign="", language="en"),
        pace=pace,
        until=until,
    )
    assert record_said(person=person, campaign_id=INSTALLATION, said=what, at=at) is not None
    return subject_of(person=person, campaign_id=INSTALLATION)


def fault(what: str = PLACE, *, at: dt.datetime = AT) -> Fault:
    return Fault(what=what, at_us=clock.to_us(at))


def told() -> list[str]:
    """What the outbox tells of, oldest first."""
    rows = OutboxMessage.objects.filter(purpose=Purpose.FAULTS).order_by("pk")
    return [re.search(r'"what": "(.*?)"', row.about)[1].encode().decode("unicode_escape") for row in rows]  # type: ignore[index]


@pytest.mark.django_db
def test_only_an_operator_who_said_yes_is_told() -> None:
    dov, eva = operator("Dov"), operator("Eva")
    assert tell_fault(fault()) == 0
    assert not Subject.objects.exists(), "telling makes nobody known"
    subject = say(dov)
    assert tell_fault(fault()) == 1
    assert OutboxMessage.objects.get().subject == subject.pk
    say(eva)
    assert tell_fault(fault()) == 1, "Eva's; Dov's is there"


@pytest.mark.django_db
def test_while_an_operator_pauses_or_once_they_have_said_no_nothing_is_put_there() -> None:
    dov = operator()
    say(dov)
    say(dov, Event.PAUSED, pace=None, until=AT + DAY)
    assert tell_fault(fault()) == 0
    assert tell_fault(fault(at=AT + DAY)) == 1
    say(dov, Event.WITHDRAWN, pace=None, at=AT + DAY)
    assert tell_fault(fault(at=AT + DAY + HOUR)) == 0


@pytest.mark.django_db
def test_who_is_no_operator_any_more_is_told_nothing_and_their_yes_has_ended() -> None:
    subject = say(operator())
    tell_fault(fault())
    assert remove(campaign=None, name="Dov", at=AT + HOUR)
    assert tell_fault(fault(at=AT + HOUR)) == 0
    assert standing(subject.pk, Purpose.FAULTS, at_us=clock.to_us(AT + HOUR)).last is Event.WITHDRAWN
    deliver_due(at=AT + HOUR)
    assert OutboxMessage.objects.get().state == OutboxMessage.GIVEN_UP


@pytest.mark.django_db
def test_a_place_is_told_once_an_hour_and_no_hour_tells_more_than_its_limit() -> None:
    say(operator())
    assert [tell_fault(fault()) for _ in range(3)] == [1, 0, 0]
    assert tell_fault(fault(at=AT + HOUR)) == 1
    for number in range(40):
        tell_fault(fault(f"KeyError · vteam.x:{number}"))
    tell_fault(fault())
    of_the_hour = [what for what in told() if what != PLACE]
    assert of_the_hour == [f"KeyError · vteam.x:{number}" for number in range(FAULTS_AN_HOUR - 1)] + [""]


# What the letter says -----------------------------------------------------------------------------------------
@pytest.fixture
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def letters() -> list[tuple[str, str]]:
    return [(str(letter["Subject"]), parts_of(letter)[0]) for letter in in_the_mailbox()]


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_folder")
def test_at_once_each_is_a_letter_and_the_last_says_that_there_are_more() -> None:
    say(operator())
    for number in range(FAULTS_AN_HOUR + 5):
        tell_fault(fault(f"KeyError · vteam.x:{number}"))
    deliver_due(at=AT)
    subjects = sorted(subject for subject, _ in letters())
    assert subjects == ["More fails in vTeam"] + ["Something failed in vTeam"] * FAULTS_AN_HOUR
    (more,) = [text for subject, text in letters() if subject == "More fails in vTeam"]
    assert "More failed within an hour than is told by mail." in more
    assert any("KeyError · vteam.x:3" in text for _, text in letters())


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_folder")
def test_a_day_is_one_letter_with_each_place_once_and_says_how_many_it_leaves_out() -> None:
    say(operator(), pace=Pace.DAILY)
    begun = AT.replace(hour=1)
    for hour in range(5):
        tell_fault(fault(at=begun + hour * HOUR))
        for number in range(8):
            tell_fault(fault(f"KeyError · vteam.x{hour}:{number}", at=begun + hour * HOUR))
    deliver_due(at=begun + DAY)
    ((subject, text),) = letters()
    assert subject == "41 things failed in vTeam"
    assert text.count(PLACE) == 1
    assert "Nov. 20, 2026, 1 a.m. – Nov. 20, 2026, 5 a.m. (UTC)" in text
    assert "And 21 more." in text


# What a record becomes ----------------------------------------------------------------------------------------
def recorded(act: Any) -> logging.LogRecord:
    """The record of an exception an act raised."""
    try:
        act()
    except Exception as error:
        info = (type(error), error, error.__traceback__)
        return logging.LogRecord("x", logging.ERROR, __file__, 1, f"of {SECRET}", None, info)
    raise AssertionError("it did not fail")


def test_a_fault_is_its_kind_and_place_without_a_word_of_what_it_said() -> None:
    found = fault_of(recorded(lambda: clock.to_us(SECRET)))  # type: ignore[arg-type]
    assert found is not None
    assert re.fullmatch(r"TypeError · vteam\.clock\.to_us:\d+", found.what)


def test_where_another_s_code_failed_both_places_are_told() -> None:
    nothing = {"purpose": Purpose.FAULTS, "campaign_id": 0, "subjects": [], "key": "", "at": AT}
    found = fault_of(recorded(lambda: enqueue(about={SECRET: object()}, **nothing)))  # type: ignore[arg-type]
    assert found is not None
    ours, _, theirs = found.what.partition(" → ")
    assert re.fullmatch(r"TypeError · vteam\.channels\.mail\.outbox\.enqueue:\d+", ours)
    assert re.fullmatch(r"json\.encoder\.JSONEncoder\.default:\d+", theirs)


def test_a_fault_without_an_exception_is_where_it_was_logged() -> None:
    said = logging.LogRecord("vteam.x", logging.ERROR, __file__, 7, "to %s", (SECRET,), None, func="tell")
    found = fault_of(said)
    assert found is not None
    assert found.what == "vteam.x.tell:7"


def test_a_page_that_answers_503_by_itself_is_no_fault() -> None:
    said = logging.LogRecord("django.request", logging.ERROR, __file__, 7, "x", None, None)
    said.status_code = 503
    assert fault_of(said) is None


# Telling ------------------------------------------------------------------------------------------------------
class Told:
    """Somewhere faults go; `fails` is raised instead, as long as it is there."""

    def __init__(self, *fails: Exception) -> None:
        self.fails, self.told, self.asked = list(fails), list[Fault](), 0

    def __call__(self, fault: Fault) -> None:
        self.asked += 1
        logger.error("telling fails itself: no fault to tell")
        if self.fails:
            raise self.fails.pop(0)
        self.told.append(fault)


@pytest.fixture
def tells(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Begins to tell, as `site` and `jobs` do, until the test ends."""
    monkeypatch.setattr(faults, "_teller", None)
    monkeypatch.setattr(faults, "RETRY_SECONDS", 0.05)
    yield faults.begin
    if faults._teller is not None:
        assert faults._teller.wait(TOLD_SECONDS_MAX), "all was told"


def test_a_process_that_tells_notes_a_place_once_an_hour_and_never_its_own_faults(tells: Any) -> None:
    there = Told()
    teller = tells(there)
    for _ in range(3):
        logger.error("to %s", SECRET)
        logger.warning("to %s", SECRET)
    assert teller.wait(TOLD_SECONDS_MAX)
    assert [one.what for one in there.told] == [there.told[0].what]
    assert there.told[0].what.startswith("vteam.tests.test_a_process_that_tells")


def test_a_flood_of_places_is_cut_off_and_said_to_be_longer() -> None:
    there = Told()
    teller = Teller(there)
    for number in range(1_000):
        teller.note(fault(f"x:{number}"))
    assert teller.wait(TOLD_SECONDS_MAX)
    assert len(there.told) == FAULTS_AN_HOUR + 1
    assert there.told[-1].what == ""
    teller.note(fault("x:0", at=AT + HOUR))
    assert teller.wait(TOLD_SECONDS_MAX)
    assert there.told[-1].what == "x:0"


def test_what_an_outage_keeps_from_being_told_is_told_after_it_and_said_once(
    capsys: pytest.CaptureFixture[str], tells: Any
) -> None:
    there = Told(*[OSError(28, f"No space left of {SECRET}")] * 3)
    teller = tells(there)
    logger.error("x")
    assert teller.wait(TOLD_SECONDS_MAX)
    assert (there.asked, len(there.told)) == (4, 1)
    said = capsys.readouterr().err
    assert said.count("faults cannot be told by mail (OSError: ") == 1
    assert SECRET not in said


def test_what_fails_by_our_own_fault_is_let_go_and_the_next_is_told(
    capsys: pytest.CaptureFixture[str], tells: Any
) -> None:
    there = Told(ValueError(SECRET))
    teller = tells(there)
    logger.error("x")
    assert teller.wait(TOLD_SECONDS_MAX)
    assert there.told == []
    logger.error("y")
    assert teller.wait(TOLD_SECONDS_MAX)
    assert len(there.told) == 1
    said = capsys.readouterr().err
    assert "ERROR   vteam.channels.mail.faults: faults cannot be told by mail (ValueError: …)" in said


def test_a_record_nobody_can_read_harms_nobody(capsys: pytest.CaptureFixture[str], tells: Any) -> None:
    tells(Told())
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "x", None, None)
    del record.funcName
    faults.FaultHandler().emit(record)
    assert "faults cannot be told by mail (AttributeError" in capsys.readouterr().err


# Where it fails -----------------------------------------------------------------------------------------------
def fails(request: HttpRequest) -> HttpResponse:
    raise KeyError(request.GET["secret"])


def fails_within(request: HttpRequest) -> HttpResponse:
    """In the middle of a transaction that nothing more can be asked in."""
    with transaction.atomic():
        account(address=SECRET, language="en", at=AT)
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
    return HttpResponse()


urlpatterns = [
    path("fails", fails),
    path("within", fails_within),
    path("", fails, name="index"),
    path("mailbox", fails, name="mailbox"),
]
handler500 = "django.views.defaults.server_error"


@pytest.mark.django_db(transaction=True)
def test_a_page_that_fails_is_told_and_what_it_did_is_undone(tells: Any) -> None:
    say(operator())
    tells(tell_fault)
    with override_settings(ROOT_URLCONF=__name__):
        browser = Client(raise_request_exception=False, headers={"Host": "localhost"})
        for address in (f"/fails?secret={SECRET}", f"/fails?secret={SECRET}", "/within"):
            assert browser.get(address).status_code == 500
    assert faults.begin(tell_fault).wait(TOLD_SECONDS_MAX)
    first, second = told()
    assert re.fullmatch(r"KeyError · tests\.services\.test_faults_by_mail\.fails:\d+", first)
    assert re.match(r"(Operational|Programming)Error · ", second)
    assert not Person.objects.filter(pk__gt=Person.objects.earliest("pk").pk).exists()
    assert SECRET not in "".join(OutboxMessage.objects.values_list("about", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_is_told_once_however_often_it_is_tried(tells: Any) -> None:
    say(operator())
    tells(tell_fault)
    job = Job("look", lambda: int(SECRET))
    for _ in range(5):
        run_due([job], at=job.due)
    assert faults.begin(tell_fault).wait(TOLD_SECONDS_MAX)
    (only,) = told()
    assert only.startswith("ValueError · ")


@pytest.mark.django_db(transaction=True)
def test_whoever_logs_in_the_middle_of_a_transaction_waits_for_nothing_and_loses_nothing(tells: Any) -> None:
    """On SQLite the writer's own lock is in the way of telling, on PostgreSQL the transaction is broken."""
    say(operator())
    teller = tells(tell_fault)
    with contextlib.suppress(InterruptedError), transaction.atomic():
        account(address=SECRET, language="en", at=AT)
        begun = time.monotonic()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")
        except Exception:
            logger.exception("it broke")
        assert time.monotonic() - begun < 10, "the lock would be waited for twenty seconds"
        time.sleep(0.3)
        raise InterruptedError
    assert teller.wait(TOLD_SECONDS_MAX)
    assert len(told()) == 1
    assert Person.objects.count() == 1, "what was rolled back stays so"


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_came_back_by_our_fault_is_told_unless_it_told_of_a_fault(tells: Any) -> None:
    subject = say(operator())
    bo = cast.join(cast.open_campaign().pk, "Bo")
    news = cast.allow(bo, Purpose.NEWS)
    OutboxMessage.objects.all().delete()
    for token, who, purpose in (("a" * 32, news, Purpose.NEWS), ("b" * 32, subject, Purpose.FAULTS)):
        OutboxMessage.objects.create(
            campaign_id=who.campaign_id, purpose=purpose, subject=who.pk, token=token, about='{"what": "x"}',
            state=OutboxMessage.SENT, created_at=AT, due_at=AT, useless_at=AT,
        )  # fmt: skip
    teller = tells(tell_fault)
    ours = {"kind": Kind.OURS, "status": "5.7.1", "words": "spam", "is_final": True}
    assert hold(Returned(token="b" * 32, **ours), at=AT)  # type: ignore[arg-type]
    assert teller.wait(TOLD_SECONDS_MAX)
    assert told() == ["x"]
    assert hold(Returned(token="a" * 32, **ours), at=AT)  # type: ignore[arg-type]
    assert teller.wait(TOLD_SECONDS_MAX)
    assert re.fullmatch(r"vteam\.channels\.mail\.returns\._tell:\d+", told()[-1])
    assert len(told()) == 2


def test_many_threads_that_fail_at_once_are_told_of_once(tells: Any) -> None:
    there = Told()
    teller = tells(there)
    threads = [threading.Thread(target=logger.error, args=("x",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert teller.wait(TOLD_SECONDS_MAX)
    assert len(there.told) == 1
