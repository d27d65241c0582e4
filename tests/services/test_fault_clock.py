"""The server's clock is set back or forward while people use the house: a dead battery, a wrong time server, a slip.

Nothing crashes, nothing pays twice, what an artist took back stays back, and a person can still come in.
"""

import datetime as dt
import os
import re
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from django.conf import settings as django_settings

from tests import cast
from tests.cast import AT, AT_US, HOUR_US, RECRUIT, SPREAD
from tests.channels.edges import eventually
from tests.services.doors import BO, HOUR, ask
from tests.services.faulty import Crowd, Installation
from tests.services.letters import code_in, in_the_mailbox
from tests.services.moving import books_hold, points
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Campaign, Title
from vteam.channels.links.services import Arrival, arrival_token, confirm_arrival
from vteam.channels.mail.codes import try_code
from vteam.channels.mail.delivery import FIRST_PAUSE, LONGEST_PAUSE, deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.jobs.loop import forget
from vteam.journal.models import Fact
from vteam.ledger.services import end_due_holds
from vteam.people.models import Pending
from vteam.people.services import Proof
from vteam.rights.queries import circulation_of
from vteam.rules.rights import Act, Way

BACK, FORWARD = AT - HOUR, AT + HOUR
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def campaign(settings: Any, tmp_path: Path) -> Campaign:
    settings.DATA = tmp_path
    return cast.open_campaign((replace(RECRUIT, hold_us=HOUR_US), SPREAD))


# The artist -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_was_withdrawn_stays_withdrawn_when_the_clock_is_set_back(campaign: Campaign) -> None:
    """It was open again until the clock came by a second time."""
    title = Title.objects.earliest("pk")
    mira = cast.holder_of(title)
    for act, at_us in ((Act.AGREED, AT_US - 2 * HOUR_US), (Act.WITHDRAWN, AT_US)):
        speak(holder=mira, person=None, title=title, way=Way.DOWNLOAD, act=act, language="en", at_us=at_us)
    back_us = AT_US - HOUR_US
    assert not circulation_of(title.pk, Way.DOWNLOAD, at_us=back_us).is_open
    speak(
        holder=mira, person=None, title=title, way=Way.DOWNLOAD, act=Act.AGREED, language="en", at_us=back_us
    )
    assert circulation_of(title.pk, Way.DOWNLOAD, at_us=back_us + 1).is_open, "the last word is the last said"
    cast.move()
    assert books_hold(campaign.pk)


# Visitors ---------------------------------------------------------------------------------------------------------
def arrives(token: str, at: dt.datetime, address: str = "203.0.113.9") -> Arrival:
    return confirm_arrival(
        token=token, visitor=cast.visitor(address), act="stayed", day=at.date().isoformat(), at=at
    )


@pytest.mark.django_db
@pytest.mark.parametrize("now", [BACK, AT + 50 * MINUTE], ids=["back", "forward"])
def test_a_landing_page_that_was_open_when_the_clock_changed_still_counts_its_reader_once(
    campaign: Campaign, now: dt.datetime
) -> None:
    share = cast.share_of(cast.join(campaign.pk, "Ana"))
    with time_machine.travel(AT, tick=False):
        token = arrival_token(share=share, visitor=cast.visitor())
    with time_machine.travel(now, tick=False):
        assert arrives(token, now) is Arrival.CONFIRMED
        assert arrives(token, now) is Arrival.SPENT
    cast.move()
    assert points(share.fan_id, campaign.pk) == (50, 0)
    assert books_hold(campaign.pk)


@pytest.mark.django_db
def test_a_day_lived_twice_pays_once(campaign: Campaign) -> None:
    """Set back over midnight, the same visitor of the same link is a new fact of another day, and no new points."""
    share = cast.share_of(cast.join(campaign.pk, "Ana"))
    midnight = AT.replace(hour=0, minute=10)
    for now in (midnight, midnight - HOUR, midnight + MINUTE):
        with time_machine.travel(now - MINUTE, tick=False):
            token = arrival_token(share=share, visitor=cast.visitor())
        with time_machine.travel(now, tick=False):
            assert arrives(token, now) is Arrival.CONFIRMED
            cast.move()
    assert Fact.objects.filter(kind="ArrivalConfirmed").count() == 2
    assert points(share.fan_id, campaign.pk) == (50, 0)
    assert books_hold(campaign.pk)


# Waiting awards ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_hold_ends_once_however_the_clock_goes(campaign: Campaign) -> None:
    ana = cast.join(campaign.pk, "Ana")
    cast.join(campaign.pk, "Bo", share=cast.share_of(ana))
    cast.move()
    assert points(ana.pk, campaign.pk) == (0, 500)
    ended = []
    for now in (AT_US - HOUR_US, AT_US + HOUR_US, AT_US - HOUR_US, AT_US + 2 * HOUR_US):
        ended.append(end_due_holds(at_us=now, at_most=10))
        ended.append(end_due_holds(at_us=now, at_most=10))
        cast.move()
    assert ended == [0, 0, 1, 0, 0, 0, 0, 0]
    assert points(ana.pk, campaign.pk) == (500, 0)
    assert books_hold(campaign.pk)


# Coming in --------------------------------------------------------------------------------------------------------
def typed(pending: Pending, at: dt.datetime) -> Proof:
    return try_code(pending=pending, typed=code_in(in_the_mailbox()[-1]), network="near", at=at)


@pytest.mark.django_db
def test_a_code_asked_for_before_the_clock_was_set_back_is_mailed_at_once_and_opens_the_door(
    campaign: Campaign,
) -> None:
    """It waited in the outbox until the clock came by a second time."""
    pending = ask(at=AT)
    assert deliver_due(at=BACK) == 1
    assert [str(letter["To"]) for letter in in_the_mailbox()] == [BO]
    assert typed(pending, BACK) is Proof.RIGHT


@pytest.mark.django_db
def test_no_pause_between_two_tries_of_a_letter_looks_like_a_clock_set_back(campaign: Campaign) -> None:
    ask(at=AT)
    for pause in (FIRST_PAUSE, LONGEST_PAUSE):
        OutboxMessage.objects.update(due_at=AT + pause)
        assert deliver_due(at=AT) == 0


@pytest.mark.django_db
def test_whoever_the_clock_ran_away_from_asks_again_and_comes_in(campaign: Campaign) -> None:
    late = ask(at=AT)
    deliver_due(at=AT)
    assert typed(late, FORWARD) is Proof.EXPIRED
    again = ask(at=FORWARD)
    deliver_due(at=FORWARD)
    codes = {code_in(letter) for letter in in_the_mailbox()}
    proofs = [try_code(pending=again, typed=code, network="near", at=FORWARD) for code in codes]
    assert Proof.RIGHT in proofs


@pytest.mark.django_db
def test_an_hour_too_far_and_back_forgets_nothing_that_is_still_good(campaign: Campaign) -> None:
    pending = ask(at=AT)
    deliver_due(at=AT)
    with time_machine.travel(FORWARD, tick=False):
        forget()
    assert typed(pending, AT + MINUTE) is Proof.RIGHT


# Real processes ---------------------------------------------------------------------------------------------------
# Every Python process of the installation takes its time from here: the machine's own clock stays as it is.
FOLLOWING = """
    import os, pathlib, threading, time
    import time_machine

    begun, ticks = time.time(), time.monotonic()
    told = pathlib.Path(os.environ["CLOCK_OFFSET"])

    def follow(known="0"):
        while True:
            seconds = told.read_text()
            if seconds and seconds != known:
                known = seconds
                time_machine.travel(begun + time.monotonic() - ticks + float(known), tick=True).start()
            time.sleep(0.02)

    def begin():
        threading.Thread(target=follow, daemon=True).start()

    os.register_at_fork(after_in_child=begin)
    begin()
"""


class Clock:
    """The clock of the installations started with its `environment`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._offset = folder / "offset"
        self.set(0)
        (folder / "sitecustomize.py").write_text(textwrap.dedent(FOLLOWING))
        path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environment = {"PYTHONPATH": path, "CLOCK_OFFSET": str(self._offset)}

    def set(self, seconds: int) -> None:
        """So many seconds beside the true time, from now on."""
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self._offset)


@pytest.fixture
def url() -> Iterator[dict[str, str]]:
    """A database of the test's own on the server of the tests, where they run on one."""
    server = str(django_settings.DATABASE_URL)
    if not server:
        yield {}
        return
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE clock")
        yield {"VTEAM_DATABASE_URL": re.sub(r"(//[^/]*/)[^?]*", r"\1clock", server, count=1)}
        connection.execute("DROP DATABASE clock WITH (FORCE)")


def test_an_installation_lives_through_a_clock_set_back_and_forward(
    tmp_path: Path, url: dict[str, str]
) -> None:
    clock = Clock(tmp_path / "clock")
    environment = {**clock.environment, **url, "VTEAM_SITE_WORKERS": "1"}
    one = Installation(tmp_path / "data", environment=environment).prepared()
    try:
        crowd, cy = one.opened().crowd(), one.join("Cy")
        assert [crowd.arrive(), crowd.visit()] == [204, 302]
        for turn, seconds in enumerate((-3600, 0, 3600, 0)):
            clock.set(seconds)
            eventually(lambda: abs(last_seen_at(crowd) - time.time() - seconds) < 300)  # noqa: B023
            assert cy.see("home").status == 200, "who was signed in still is"
            assert crowd.visit() == 302
            assert one.join(f"Dov{turn}").points() == 0
            crowd.all_counted()
        assert "Traceback" not in one.told
        one.books_hold()
    finally:
        one.stop()


def last_seen_at(crowd: Crowd) -> float:
    """When the house says that somebody came just now, in seconds since 1970."""
    assert crowd.arrive() == 204
    crowd.all_counted()
    newest = "SELECT seen_at_us FROM journal_fact WHERE kind = 'ArrivalConfirmed' ORDER BY seq DESC LIMIT 1"
    return crowd.installation.rows(newest)[0][0] / 1_000_000
