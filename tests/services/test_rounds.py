"""The beacon's round fetched by `jobs`: from a real server on loopback, believed only where it is the network's."""

import datetime as dt
import itertools
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.cast import AT
from tests.rules.test_beacons import ROUNDS
from tests.services import beaconserver
from tests.services.beaconserver import Beacon, answer_of, drop_by_drop, serving, with_body
from tests.services.test_draws import record_of, stage
from vteam.fetching import Failed
from vteam.jobs import drand
from vteam.jobs.rounds import fetch_due, fetching
from vteam.logs import Line
from vteam.prizes.draws import announce, take_randomness
from vteam.prizes.models import Draw, RoundTry
from vteam.prizes.rounds import COMES_AFTER, LONGEST_PAUSE, NotIts, Why
from vteam.rules.beacons import QUICKNET
from vteam.rules.drawrecords import checked, from_beacon
from vteam.settings import _is_beacon

pytestmark = pytest.mark.django_db(transaction=True)
ROUND = 657_413
COMES = dt.datetime.fromtimestamp(QUICKNET.time_of(ROUND), dt.UTC)
DUE = COMES + COMES_AFTER
MINUTE = dt.timedelta(minutes=1)
GOOD = answer_of(ROUND)


@pytest.fixture
def beacon(settings: Any) -> Iterator[Beacon]:
    with serving(with_body(GOOD)) as found:
        settings.BEACON = found.address
        yield found


def announced() -> Draw:
    """A draw that waits for a recorded round: it is of 2023, so the draw was announced then."""
    campaign, its, _ = stage()
    before = COMES - dt.timedelta(hours=1)
    source = from_beacon(QUICKNET, ROUND)
    draw = announce(campaign=campaign, prize=its, randomness=source, draws_at=COMES, at=before)
    assert isinstance(draw, Draw)
    return draw


def now(draw: Draw) -> Draw:
    return Draw.objects.get(pk=draw.pk)


def test_a_round_is_fetched_once_it_has_come_and_draws(beacon: Beacon) -> None:
    draw = announced()
    assert fetch_due(at=COMES) == 0
    assert beacon.asked == []
    assert fetch_due(at=DUE) == 1
    assert beacon.asked == [f"/{QUICKNET.chain}/public/{ROUND}"]
    assert now(draw).drawn_at == DUE
    assert checked(record_of(now(draw)), announced=draw.announced).faults == ()
    assert fetch_due(at=DUE + MINUTE) == 0
    assert (len(beacon.asked), RoundTry.objects.count()) == (1, 0)


def test_nothing_is_fetched_where_no_server_is_named(settings: Any) -> None:
    draw = announced()
    with serving(with_body(GOOD)) as beacon:
        settings.BEACON = ""
        assert fetch_due(at=DUE) == 0
        with fetching():
            time.sleep(0.2)
        assert beacon.asked == []
    assert now(draw).drawn_at is None


@pytest.mark.parametrize(
    ("answering", "why"),
    [
        (with_body(json.dumps({"round": ROUND, "signature": ROUNDS[1000][0]}).encode()), NotIts.NOT_ITS),
        (with_body(json.dumps({"round": ROUND, "signature": "zz"}).encode()), NotIts.NOT_ITS),
        (with_body(answer_of(1000)), NotIts.OTHER_ROUND),
        (with_body(b"<html>"), Failed.UNREADABLE),
        (with_body(b"[" * 5_000), Failed.UNREADABLE),
        (with_body(b"\xff\xfe"), Failed.UNREADABLE),
        (with_body(b"[]"), Failed.UNREADABLE),
        (with_body(b""), Failed.UNREADABLE),
        (with_body(json.dumps({"round": True, "signature": "00"}).encode()), Failed.UNREADABLE),
        (with_body(json.dumps({"round": ROUND, "signature": 5}).encode()), Failed.UNREADABLE),
        (with_body(json.dumps({"round": ROUND, "signature": "0" * 999}).encode()), Failed.UNREADABLE),
        (with_body(GOOD + b" " * drand.BYTES_MAX), Failed.TOO_BIG),
        (beaconserver.without_end, Failed.TOO_BIG),
        (with_body(GOOD, 302, Location="/elsewhere"), Failed.REDIRECTED),
        (with_body(b"", 304), Failed.REDIRECTED),
        (with_body(b"not yet", 404), Failed.REFUSED),
        (with_body(GOOD, 500), Failed.REFUSED),
        (beaconserver.hung_up, Failed.UNREADABLE),
        (beaconserver.no_http, Failed.UNREADABLE),
    ],
)
def test_a_wrong_answer_changes_nothing_and_is_told(
    beacon: Beacon, answering: Any, why: Why, caplog: pytest.LogCaptureFixture
) -> None:
    draw, beacon.answering = announced(), answering
    assert fetch_due(at=DUE) == 0
    assert (now(draw).drawn_at, now(draw).randomness) == (None, "")
    tried = RoundTry.objects.get()
    assert (tried.why, tried.failures, tried.since) == (why, 1, DUE)
    assert f"could not be fetched ({why})" in caplog.text


def test_after_wrong_answers_the_right_one_draws(beacon: Beacon) -> None:
    draw, beacon.answering = announced(), with_body(answer_of(1000))
    assert fetch_due(at=DUE) == 0
    beacon.answering = with_body(GOOD)
    assert fetch_due(at=DUE + MINUTE) == 1
    assert (now(draw).drawn_at, RoundTry.objects.count()) == (DUE + MINUTE, 0)


def test_a_round_in_chunks_is_read_too(beacon: Beacon) -> None:
    announced()
    beacon.answering = beaconserver.in_chunks(GOOD)
    assert fetch_due(at=DUE) == 1


def test_a_server_that_is_slow_is_given_up(beacon: Beacon, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, beacon.answering = announced(), drop_by_drop
    monkeypatch.setattr(drand, "SECONDS", 0.5)
    begun = time.monotonic()
    assert fetch_due(at=DUE) == 0
    assert time.monotonic() - begun < 10
    assert (RoundTry.objects.get().why, now(draw).drawn_at) == (Failed.SLOW, None)


def test_a_server_that_is_away_is_told(settings: Any) -> None:
    announced()
    with serving(with_body(GOOD)) as gone:
        settings.BEACON = gone.address
    assert fetch_due(at=DUE) == 0
    assert RoundTry.objects.get().why == Failed.UNREACHABLE


def test_who_speaks_no_tls_is_not_believed(beacon: Beacon, settings: Any) -> None:
    announced()
    settings.BEACON = beacon.address.replace("http:", "https:")
    assert fetch_due(at=DUE) == 0
    assert RoundTry.objects.get().why == Failed.UNREACHABLE


def test_it_is_asked_for_once_a_minute_at_most_and_ever_later(beacon: Beacon) -> None:
    announced()
    beacon.answering = with_body(b"", 503)
    asked, at = [], DUE
    while at < DUE + dt.timedelta(hours=4):
        before = len(beacon.asked)
        fetch_due(at=at)
        if len(beacon.asked) > before:
            asked.append(at)
        at += dt.timedelta(seconds=30)
    pauses = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert pauses[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert max(pauses) == LONGEST_PAUSE
    tried = RoundTry.objects.get()
    assert (tried.since, tried.failures) == (DUE, len(asked))


def test_a_process_that_ended_while_it_asked_asks_no_sooner(
    beacon: Beacon, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced()

    def ended(*_: Any, **__: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("vteam.jobs.rounds.ask", ended)
        fetch_due(at=DUE)
    assert fetch_due(at=DUE + MINUTE / 2) == 0
    assert beacon.asked == []
    assert fetch_due(at=DUE + MINUTE) == 1


def test_what_an_organiser_pasted_meanwhile_stands(beacon: Beacon) -> None:
    draw = announced()

    def answer(asked: beaconserver.Answerer) -> None:
        take_randomness(draw=draw, came={"signature": ROUNDS[ROUND][0]}, at=AT)
        connection.close()  # this thread's own
        asked.say(GOOD)

    beacon.answering = answer
    assert fetch_due(at=DUE) == 0
    assert now(draw).drawn_at == AT
    assert RoundTry.objects.count() == 0


def test_one_beacon_is_asked_beside_the_loop(beacon: Beacon) -> None:
    draw = announced()
    with fetching():
        until = time.monotonic() + 20
        while now(draw).drawn_at is None and time.monotonic() < until:
            time.sleep(0.05)
    assert now(draw).drawn_at is not None


def test_a_password_is_given_to_the_server_and_never_logged(
    beacon: Beacon, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    announced()
    settings.BEACON = beacon.address.replace("http://", "http://ana:s3cr%2Ft@")
    beacon.answering = with_body(b"", 401)
    with caplog.at_level(logging.DEBUG):
        fetch_due(at=DUE)
    assert beacon.authorization == ["Basic YW5hOnMzY3IvdA=="]
    assert "s3cr" not in caplog.text
    assert "127.0.0.1" not in "".join(map(Line().format, caplog.records))


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://api.drand.sh", True),
        ("https://api.drand.sh/v1", True),
        ("https://ana:s3cret@drand.example:8443", True),
        ("https://127.0.0.1:9", True),
        ("http://127.0.0.1:9", True),
        ("http://[::1]:9", True),
        ("http://localhost", True),
        ("http://api.drand.sh", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1@drand.example", False),
        ("https://", False),
        ("https://drand.example:0", False),
        ("https://drand.example/?round=1", False),
        ("https://drand.example/\r\nX: y", False),
        ("ftp://127.0.0.1", False),
        ("api.drand.sh", False),
    ],
)
def test_rounds_are_asked_for_by_https_or_on_this_machine(address: str, may: bool) -> None:
    assert _is_beacon(address) is may
