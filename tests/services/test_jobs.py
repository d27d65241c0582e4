"""A turn of the loop does everything that is due; what fails is said and tried again, and the rest goes on."""

import datetime as dt
import itertools
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection

from tests import cast
from tests.cast import AT, AT_US, HOUR_US, RECRUIT, SPREAD
from tests.services.letters import in_the_mailbox
from vteam.channels.mail.codes import Asker, ask_code
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.jobs.checkpoints import WriteAheadLog
from vteam.jobs.loop import TROUBLE_SECONDS_MAX, TURN_SECONDS, Job, forget, jobs, run_due
from vteam.journal import sql
from vteam.journal.sql import for_sqlite
from vteam.ledger import queries
from vteam.people.models import Pending
from vteam.rules.canonical import canonical

C = 7
ANA, BO = 1, 2


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.mark.django_db
def test_one_turn_moves_facts_and_ends_holds_and_the_courier_delivers() -> None:
    asker = Asker(network="n", base_url="http://localhost")
    cast.open_season(C, (replace(RECRUIT, hold_us=HOUR_US), SPREAD))
    cast.offer(C, cast.joined(BO, recruiter=ANA), cast.arrival(10, ANA))
    ask_code(address="cy@example.org", entry=cast.entry(C), asker=asker, link_path="/code", at=AT)
    loop = jobs(WriteAheadLog())
    with time_machine.travel(AT, tick=False):
        assert run_due(loop, at=100.0) > 0
        assert queries.points_of(C, ANA) == (50, 500)
        assert in_the_mailbox() == [], "mail waits for the courier, not for the loop"
        deliver_due(at=AT)
        assert [letter["To"] for letter in in_the_mailbox()] == ["cy@example.org"]
    with time_machine.travel(AT + dt.timedelta(hours=1), tick=False):
        run_due(loop, at=101.0)
    assert queries.points_of(C, ANA) == (550, 0)
    assert run_due(loop, at=102.0) == 0, "nothing is left to do"


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the edge writes into PostgreSQL itself")
def test_one_turn_moves_what_the_edge_left_in_its_own_file(tmp_path: Path) -> None:
    cast.open_season(C)
    edge = sqlite3.connect(tmp_path / "edge.sqlite3")
    edge.execute(sql.CREATE_EDGE_INBOX)
    fact = cast.arrival(10, ANA)
    with edge:
        edge.execute(for_sqlite(sql.INSERT_INBOX), (C, fact.kind, fact.key, AT_US, canonical(fact.body)))
    cast.move()
    run_due(jobs(WriteAheadLog()), at=100.0)
    assert queries.points_of(C, ANA) == (50, 0)
    assert edge.execute("SELECT COUNT(*) FROM journal_inbox").fetchone() == (0,)
    edge.close()


@pytest.mark.django_db
def test_a_job_that_fails_is_reported_tried_again_later_and_later_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []
    broken = Job("broken", lambda: 1 // 0)
    fine = Job("fine", lambda: done.append("x") or 3)
    pauses, at = [], 100.0
    for _ in range(12):
        assert run_due([broken, fine], at=at) == 3
        pauses.append(broken.due - at)
        at = broken.due
    assert len(done) == 12
    assert all(later >= sooner - 0.001 for sooner, later in itertools.pairwise(pauses))
    assert (pauses[0], pauses[-1]) == (pytest.approx(TURN_SECONDS * 2), pytest.approx(TROUBLE_SECONDS_MAX))
    assert run_due([broken], at=at - 0.1) == 0, "not yet"
    assert "broken failed" in caplog.text
    broken.run = lambda: 5
    assert run_due([broken], at=at) == 5
    assert broken.failures == 0


@pytest.mark.django_db
def test_a_job_that_fails_for_days_does_not_end_the_loop() -> None:
    """The pause was reckoned as a power of two too large for a float after a thousand failures."""
    broken = Job("broken", lambda: 1 // 0, failures=5_000)
    assert run_due([broken], at=100.0) == 0
    assert broken.due == 100.0 + TROUBLE_SECONDS_MAX


@pytest.mark.django_db
def test_a_job_with_a_rhythm_keeps_it() -> None:
    turns: list[float] = []
    slow = Job("slow", lambda: turns.append(1) or 1, every=60.0)
    assert [run_due([slow], at=at) for at in (0.0, 30.0, 59.9, 60.0)] == [1, 0, 0, 1]


@pytest.mark.django_db
def test_what_has_expired_is_forgotten_and_what_has_not_is_kept() -> None:
    asker = Asker(network="n", base_url="http://localhost")
    for address in ("cy@example.org", "cy@example.org"):
        ask_code(address=address, entry=cast.entry(C), asker=asker, link_path="/code", at=AT)
    deliver_due(at=AT)
    with time_machine.travel(AT + dt.timedelta(hours=1), tick=False):
        forget()
        assert (Pending.objects.count(), OutboxMessage.objects.count()) == (1, 1)
    with time_machine.travel(AT + dt.timedelta(days=8), tick=False):
        assert forget() > 0
    assert not Pending.objects.exists()
    assert not OutboxMessage.objects.exists(), "whoever types addresses must not fill the disk for ever"
