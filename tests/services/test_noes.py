"""A no survives a restore: who said it after the backup was made is not written to once that backup is back."""

import datetime as dt
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from tests import cast
from tests.cast import AT, AT_US, allow
from tests.services.concurrency import at_once, raised
from vteam import clock
from vteam.channels.erasing import erase
from vteam.channels.rekeying import bring_to_newest
from vteam.people import vault
from vteam.people.models import Fan
from vteam.permissions import again
from vteam.permissions.again import agree, note_missing_noes, say_noes_again
from vteam.permissions.codes import refuse_for_ever, refused
from vteam.permissions.models import GrantEvent, Refusal, Subject
from vteam.permissions.noes import Never, No, log_path, note, noted
from vteam.permissions.queries import standing, verify
from vteam.permissions.services import Said, end, end_all, record_said
from vteam.rules.grants import Event, Grant, Purpose

SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
LATER = AT + DAY
NEVER = "never@example.org"
in_database = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def bo() -> Fan:
    return cast.join(cast.open_campaign().pk, "Bo")


def said(fan: Fan, event: Event, purpose: Purpose = Purpose.NEWS, *, at: dt.datetime = LATER) -> None:
    what = Said(purpose=purpose, event=event, act="pressed", page="messages")
    assert record_said(person=fan.person, campaign_id=fan.campaign_id, said=what, at=at) is not None


def forgotten(*what: Callable[[], object]) -> None:
    """Something is said, and the database is back at what it was before."""
    with transaction.atomic():
        for act in what:
            act()
        transaction.set_rollback(True)


def stands(subject: Subject, purpose: Purpose = Purpose.NEWS, *, at: dt.datetime = LATER + DAY) -> Grant:
    return standing(subject.pk, purpose, at_us=clock.to_us(at))


def chain() -> list[tuple[str, str]]:
    return list(GrantEvent.objects.order_by("campaign_id", "seq").values_list("event", "purpose"))


# What is noted --------------------------------------------------------------------------------------------------
@in_database
def test_a_no_is_noted_with_ids_and_hashes_alone_for_its_owner_alone(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    said(bo, Event.REFUSED, Purpose.POINTS)
    said(bo, Event.WITHDRAWN)
    lookup = vault.lookup_of(NEVER)
    for _ in range(2):
        refuse_for_ever(lookup=lookup, act="the mail's own link", at=LATER)
    hashes = list(GrantEvent.objects.filter(seq__gt=1).order_by("seq").values_list("sha256", flat=True))
    at_us = clock.to_us(LATER)
    assert list(noted(log_path())) == [
        No(subject=subject.pk, purpose=Purpose.POINTS, at_us=at_us, sha256=hashes[0]),
        No(subject=subject.pk, purpose=Purpose.NEWS, at_us=at_us, sha256=hashes[1]),
        Never(lookup=lookup, at_us=at_us),
    ]
    assert log_path().read_text().split() == [
        *("no", subject.pk, "points", str(at_us), hashes[0]),
        *("no", subject.pk, "news", str(at_us), hashes[1]),
        *("never", lookup.hex(), str(at_us)),
    ]
    assert log_path().stat().st_mode & 0o777 == 0o600


@in_database
def test_of_a_yes_a_pause_and_what_says_nothing_new_nothing_is_noted(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    what = Said(purpose=Purpose.NEWS, event=Event.PAUSED, act="pressed", page="messages", until=LATER)
    record_said(person=bo.person, campaign_id=bo.campaign_id, said=what, at=AT)
    assert end(subject=subject, purpose=Purpose.POINTS, act="never given", at=LATER) is None
    assert not log_path().exists()
    assert end_all(subject=subject, act="nothing at all", at=LATER) == 1
    assert len(list(noted(log_path()))) == 1


@in_database
def test_what_a_power_cut_left_of_a_line_spoils_none_of_the_others(
    bo: Fan, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [Never(lookup=bytes([n]) * 32, at_us=n) for n in (1, 2)]
    note(lines[:1], log=log_path())
    with log_path().open("a") as file:
        file.write("\nno 0123 ne")
    note(lines[1:], log=log_path())
    assert list(noted(log_path())) == lines
    assert "line 4 cannot be read: a no that was interrupted" in caplog.text


@in_database
@pytest.mark.parametrize(
    "line",
    [
        f"no {'a' * 32} dreams 1 {'b' * 64}",
        f"no {'A' * 32} news 1 {'b' * 64}",
        f"no {'a' * 32} news -1 {'b' * 64}",
        f"no {'a' * 32} news {'9' * 19} {'b' * 64}",
        f"never {'a' * 63} 1",
        f"yes {'a' * 32} news 1 {'b' * 64}",
    ],
)
def test_a_line_that_is_none_of_ours_is_reported_and_passed_over(
    line: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_path().write_text(f"\n{line}\n")
    assert say_noes_again(at=LATER, log=log_path()) == 0
    assert "cannot be read" in caplog.text


# What an older database forgot ----------------------------------------------------------------------------------
@in_database
def test_a_forgotten_no_is_said_again_with_its_own_time_once(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    allow(bo, Purpose.POINTS)
    forgotten(lambda: end(subject=subject, purpose=Purpose.NEWS, act="a link", at=LATER))
    assert stands(subject).is_live
    assert say_noes_again(at=LATER + DAY, log=log_path()) == 1
    event = GrantEvent.objects.latest("pk")
    assert (event.event, event.at_us) == ("withdrawn", clock.to_us(LATER))
    assert "forgotten by the database, recorded again on 2026-11-22 12:00 UTC" in event.body
    assert not stands(subject).is_given
    assert stands(subject, Purpose.POINTS).is_live
    for _ in range(2):
        assert say_noes_again(at=LATER + 2 * DAY, log=log_path()) == 0
    assert verify(connection, bo.campaign_id) is None


@in_database
@pytest.mark.parametrize("page", [1, 2, 100])
def test_however_many_were_forgotten_all_are_said_again(
    bo: Fan, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "LINES_AT_ONCE", page)
    subjects = [allow(cast.join(bo.campaign_id, f"Fan{n}"), Purpose.NEWS) for n in range(5)]
    nos = [
        lambda subject=subject: end_all(subject=subject, act="nothing at all", at=LATER)
        for subject in subjects
    ]
    forgotten(*nos, lambda: refuse_for_ever(lookup=vault.lookup_of(NEVER), act="a link", at=LATER))
    assert say_noes_again(at=LATER, log=log_path()) == 6
    assert not any(stands(subject).is_given for subject in subjects)
    assert refused(vault.lookups_of(NEVER))


@in_database
def test_a_yes_given_after_the_no_stands_however_often_vteam_starts(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    forgotten(lambda: said(bo, Event.WITHDRAWN))
    say_noes_again(at=LATER, log=log_path())
    allow(bo, Purpose.NEWS, at=LATER + SECOND)
    for _ in range(2):
        agree(at=LATER + DAY)
    assert stands(subject).is_live


@in_database
def test_a_no_the_database_knows_ends_no_yes_whatever_the_clock_said(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    said(bo, Event.WITHDRAWN)
    allow(bo, Purpose.NEWS, at=LATER - 2 * DAY)
    assert say_noes_again(at=LATER + DAY, log=log_path()) == 0
    assert stands(subject).is_live


@in_database
def test_a_no_said_while_the_clock_was_behind_ends_the_yes_it_ended(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    forgotten(lambda: said(bo, Event.WITHDRAWN, at=AT - DAY))
    assert say_noes_again(at=LATER, log=log_path()) == 1
    assert not stands(subject).is_given


@in_database
def test_who_refused_is_not_asked_again_though_nothing_they_said_is_left(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)
    forgotten(lambda: said(bo, Event.REFUSED, Purpose.POINTS))
    for _ in range(2):
        say_noes_again(at=LATER, log=log_path())
    assert stands(subject, Purpose.POINTS).last is Event.REFUSED
    assert chain() == [("given", "news"), ("refused", "points")]


@in_database
def test_of_whoever_came_later_or_is_gone_there_is_nothing_to_say(bo: Fan) -> None:
    subject = allow(bo, Purpose.NEWS)

    def cy_comes_and_says_no() -> None:
        cy = cast.join(bo.campaign_id, "Cy")
        allow(cy, Purpose.NEWS)
        said(cy, Event.WITHDRAWN)

    forgotten(cy_comes_and_says_no, lambda: said(bo, Event.WITHDRAWN))
    erase(person=bo.person, at=LATER)
    before = chain()
    assert say_noes_again(at=LATER, log=log_path()) == 0
    assert chain() == before
    assert not Subject.objects.filter(pk=subject.pk).exists()
    assert len(list(noted(log_path()))) == 2


@in_database
def test_never_again_holds_under_the_key_of_its_time(settings: Any) -> None:
    forgotten(lambda: refuse_for_ever(lookup=vault.lookup_of(NEVER), act="a link", at=AT))
    newest = secrets.token_urlsafe(48)
    settings.MASTER_KEYS, settings.MASTER_KEY = (*settings.MASTER_KEYS, newest), newest
    bring_to_newest(tell=lambda what, done, total: None)
    for _ in range(2):
        say_noes_again(at=LATER, log=log_path())
    assert refused(vault.lookups_of(NEVER))
    assert [(refusal.at_us, refusal.act) for refusal in Refusal.objects.all()] == [
        (clock.to_us(LATER), "recorded again on 2026-11-21 12:00 UTC")
    ]


@in_database
def test_without_a_log_nothing_is_said() -> None:
    assert say_noes_again(at=LATER, log=log_path()) == 0
    assert note_missing_noes() == 0
    assert not log_path().exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_said_while_log_and_database_are_compared_is_said_once_and_later_yeses_stand() -> None:
    campaign = cast.open_campaign()
    fans = [cast.join(campaign.pk, f"Fan{number}") for number in range(4)]

    def change_their_mind(fan: Fan) -> None:
        for number in range(5):
            allow(fan, Purpose.NEWS, at=AT + 2 * number * SECOND)
            said(fan, Event.WITHDRAWN, at=AT + (2 * number + 1) * SECOND)
        allow(fan, Purpose.NEWS, at=LATER)

    def compare() -> None:
        for _ in range(10):
            agree(at=LATER)

    changes = [lambda fan=fan: change_their_mind(fan) for fan in fans]
    assert raised(at_once(*changes, compare, compare)) == []
    assert GrantEvent.objects.count() == 4 * 11
    assert all(stands(subject).is_live for subject in Subject.objects.all())
    assert verify(connection, campaign.pk) is None


# Where the log cannot be written --------------------------------------------------------------------------------
@in_database
def test_without_room_on_the_disk_the_no_holds_it_is_told_and_the_next_start_notes_it(
    bo: Fan, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subject = allow(bo, Purpose.NEWS)
    log_path().mkdir()  # nothing can be added to a folder, whoever tries
    said(bo, Event.WITHDRAWN)
    refuse_for_ever(lookup=vault.lookup_of(NEVER), act="a link", at=LATER)
    assert not stands(subject).is_given
    assert refused(vault.lookups_of(NEVER))
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2
    assert "noes.log cannot be written (Is a directory)" in told[0].getMessage()
    log_path().rmdir()
    assert note_missing_noes() == 2
    assert [type(line) for line in noted(log_path())] == [Never, No]
    assert note_missing_noes() == 0


@in_database
def test_what_is_noted_late_says_the_same_and_of_who_is_gone_nothing(bo: Fan) -> None:
    cy = cast.join(bo.campaign_id, "Cy")
    for fan in (bo, cy):
        allow(fan, Purpose.NEWS)
        said(fan, Event.WITHDRAWN, at=AT - DAY)
    lines = list(noted(log_path()))
    assert isinstance(lines[0], No)
    assert lines[0].at_us == AT_US
    log_path().unlink()
    erase(person=cy.person, at=LATER)
    assert note_missing_noes() == 1
    assert list(noted(log_path())) == lines[:1]
