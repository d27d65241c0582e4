"""Whoever gets past the triggers and changes the books is found, and the first wrong row is named."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from tests import cast
from tests.cast import AT_US, HOUR_US, RECRUIT, SPREAD
from vteam import appendonly
from vteam.ledger.replay import replay
from vteam.ledger.services import end_due_holds
from vteam.ledger.verify import verify
from vteam.rules.canonical import GENESIS, canonical, digest

C = 7
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_without_triggers() -> None:
    """Two fans, a recruit held and counted, arrivals; and somebody with the keys of the database."""
    cast.open_season(C, (replace(RECRUIT, hold_us=HOUR_US), SPREAD))
    cast.offer(C, cast.joined(1), cast.joined(2, recruiter=1))
    cast.offer(C, *(cast.arrival(share, share // 10, near=f"home {share}") for share in (10, 11, 20)))
    cast.move()
    end_due_holds(at_us=AT_US + HOUR_US, at_most=9)
    cast.move()
    assert verify(connection, C) is None
    assert replay(connection, C) is None
    appendonly.uninstall(connection)


def tamper(statement: str, *values: Any) -> str:
    """Run a statement behind everybody's back; returns what verify then says."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount != 0, "nothing was changed"
    return str(verify(connection, C))


def test_a_transfer_whose_points_were_changed() -> None:
    assert "transfer 2 says one thing" in tamper("UPDATE ledger_transfer SET points = 5000 WHERE seq = 2")


def test_a_transfer_that_went_to_another_account() -> None:
    found = tamper("UPDATE ledger_transfer SET target = 'confirmed:2' WHERE seq = 2")
    assert "transfer 2 says one thing" in found


@pytest.mark.parametrize("body", ['{"points":5000}', "not even JSON", ""])
def test_a_transfer_whose_text_was_changed(body: str) -> None:
    assert "transfer 3 does not follow" in tamper("UPDATE ledger_transfer SET body = %s WHERE seq = 3", body)


def test_a_transfer_whose_text_and_hash_were_changed_together() -> None:
    body = canonical({"seq": 1, "from": "issue", "to": "pending:1", "points": 5_000})
    sha256 = digest(body, after=GENESIS)
    found = tamper(
        "UPDATE ledger_transfer SET body = %s, sha256 = %s, points = 5000 WHERE seq = 1", body, sha256
    )
    assert "transfer 2 does not follow" in found


def test_a_transfer_that_was_removed() -> None:
    assert "transfer 2 is missing" in tamper("DELETE FROM ledger_transfer WHERE seq = 2")


def test_the_last_transfer_removed_shows_in_the_standings() -> None:
    found = tamper("DELETE FROM ledger_transfer WHERE seq = (SELECT MAX(seq) FROM ledger_transfer)")
    assert "standing of fan 1" in found


def test_two_transfers_that_changed_places() -> None:
    tamper("UPDATE ledger_transfer SET seq = 99 WHERE seq = 2")
    tamper("UPDATE ledger_transfer SET seq = 2 WHERE seq = 3")
    assert "transfer 2 does not follow" in tamper("UPDATE ledger_transfer SET seq = 3 WHERE seq = 99")


@pytest.mark.parametrize("column", ["confirmed", "pending"])
def test_a_total_that_was_changed(column: str) -> None:
    assert "standing of fan 2" in tamper(f"UPDATE ledger_total SET {column} = {column} + 1 WHERE fan_id = 2")


def test_a_total_that_was_removed() -> None:
    assert "confirmed:1 holds points but has no standing" in tamper(
        "DELETE FROM ledger_total WHERE fan_id = 1"
    )


@pytest.mark.parametrize(("table", "column"), [("ledger_level", "points"), ("ledger_bucket", "bucket")])
def test_a_row_of_the_histogram_that_was_changed(table: str, column: str) -> None:
    found = tamper(
        f"UPDATE {table} SET fans = fans + 1 WHERE {column} = (SELECT MIN({column}) FROM {table} WHERE fans > 0)"
    )
    assert found.startswith(f"{table} ")
    assert "fans instead of" in found


@pytest.mark.parametrize("table", ["ledger_level", "ledger_bucket"])
def test_a_row_of_the_histogram_that_was_removed(table: str) -> None:
    assert tamper(f"DELETE FROM {table} WHERE fans > 0").startswith(f"{table} ")


def test_a_fact_that_was_removed() -> None:
    assert tamper("DELETE FROM journal_fact WHERE seq = 4") == "fact 4 is missing from the journal"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE ledger_decision SET body = REPLACE(body, '50', '90') WHERE seq = 2", "decision 2 differs"),
        ("DELETE FROM ledger_decision WHERE seq = 3", "decision 3 differs"),
        ("UPDATE journal_fact SET body = REPLACE(body, '\"fan\":2', '\"fan\":1') WHERE seq = 8", "differs"),
        ("DELETE FROM journal_fact WHERE seq = (SELECT MAX(seq) FROM journal_fact)", "differs"),
        ("UPDATE ledger_transfer SET previous = sha256 WHERE seq = 2", "transfer 2 differs"),
        ("UPDATE ledger_total SET confirmed = 0 WHERE fan_id = 1", "total of fan 1 differs"),
        ("DELETE FROM ledger_total WHERE fan_id = 2", "total of fan 2 differs"),
        ("UPDATE ledger_level SET fans = 9 WHERE fans > 0", "number of fans at points"),
    ],
)
def test_a_replay_from_the_journal_finds_what_was_changed(statement: str, named: str) -> None:
    tamper(statement)
    assert named in str(replay(connection, C))


def test_a_replay_finds_points_given_with_a_chain_made_to_fit() -> None:
    """Verify sees books that agree with themselves; only the journal knows that nobody earned this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, sha256 FROM ledger_transfer ORDER BY seq DESC LIMIT 1")
        seq, last = cursor.fetchone()
        body = canonical({"seq": seq + 1, "from": "issue", "to": "confirmed:2", "points": 950})
        cursor.execute(
            "INSERT INTO ledger_transfer (campaign_id, seq, source, target, points, body, previous, sha256) "
            "VALUES (%s, %s, 'issue', 'confirmed:2', 950, %s, %s, %s)",
            [C, seq + 1, body, last, digest(body, after=last)],
        )
        cursor.execute("UPDATE ledger_total SET confirmed = confirmed + 950 WHERE fan_id = 2")
        cursor.execute("DELETE FROM ledger_level WHERE points = 50")
        cursor.execute("INSERT INTO ledger_level (campaign_id, points, fans) VALUES (%s, 1000, 1)", [C])
        cursor.execute("INSERT INTO ledger_bucket (campaign_id, bucket, fans) VALUES (%s, 1, 1)", [C])
        cursor.execute("UPDATE ledger_bucket SET fans = fans - 1 WHERE bucket = 0")
    assert verify(connection, C) is None
    assert f"transfer {seq + 1} differs" in str(replay(connection, C))


def test_a_replay_tells_how_far_it_is() -> None:
    seen: list[int] = []
    assert replay(connection, C, progress=seen.append) is None
    assert seen == [9]


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("UPDATE ledger_counter SET n = n + 1 WHERE key LIKE '%%:fan:%%'", "counter"),
        ("UPDATE ledger_bucket SET fans = fans + 1", "bucket"),
        ("DELETE FROM ledger_ruling WHERE seq = 1", "ruling"),
        (
            "INSERT INTO ledger_hold (campaign_id, decision_seq, due_at_us, announced) VALUES (7, 99, 5, FALSE)",
            "hold",
        ),
    ],
)
def test_replay_notices_a_cache_that_is_not_what_the_journal_gives(tampering: str, named: str) -> None:
    tamper(tampering)
    assert named in (replay(connection, C) or "")


def test_a_fact_that_was_changed() -> None:
    assert "fact 5" in tamper("UPDATE journal_fact SET body = '{}' WHERE seq = 5")


def test_a_decision_whose_outcome_was_changed() -> None:
    assert "decision 1 says one thing" in tamper(
        "UPDATE ledger_decision SET outcome = 'refused' WHERE seq = 1"
    )


def test_a_decision_that_was_removed() -> None:
    assert "decision 1 is missing" in tamper("DELETE FROM ledger_decision WHERE seq = 1")
