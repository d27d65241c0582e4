"""Every schema that landed, with a played season in it, is migrated to today's: nothing is lost, the books hold."""

import datetime as dt
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connections, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests import cast
from tests.services import landing
from tests.services.moving import books_hold, points
from tests.services.test_append_only import attacks
from tests.services.worlds import STRANGER, Object
from vteam import appendonly, clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.organisers import invited
from vteam.channels.worlds.enrolling import secret_of
from vteam.channels.worlds.linking import link_with
from vteam.channels.worlds.models import Kiosk, WorldAct
from vteam.channels.worlds.reviewing import review
from vteam.journal.models import Fact, Inbox
from vteam.ledger.counters import place_of
from vteam.ledger.queries import rank_at
from vteam.ledger.services import end_due_holds
from vteam.people.models import Fan, Pending, Person
from vteam.people.services import Proof, address_of_person, prove_by_code
from vteam.permissions.queries import verify
from vteam.permissions.services import INSTALLATION
from vteam.prizes.claims import details_of, waiting_for_parent
from vteam.prizes.doors import Heard, door_with, scan_code
from vteam.prizes.draws import record_text
from vteam.prizes.models import Draw, Offer
from vteam.prizes.suppliers import asked
from vteam.prizes.tickets import tickets_of, told_by
from vteam.rules.drawrecords import checked
from vteam.rules.tickets import Became

LANDED = sorted((Path(__file__).parent / "landed").iterdir())
Rows = dict[str, list[dict[str, Any]]]


def having(*tables: str) -> pytest.MarkDecorator:
    """Marks what is tried with the schemas alone that had these tables already."""
    folders = [folder for folder in LANDED if all((folder / f"{table}.jsonl").exists() for table in tables)]
    assert folders, f"no schema that landed has {tables}"
    return pytest.mark.parametrize("landed", folders, indirect=True, ids=lambda folder: str(folder.name))


@contextmanager
def empty_database(folder: Path) -> Iterator[Any]:
    """Django's connection, to a database of its own that holds nothing yet; the tests' one is put back."""
    usual = connections["default"]
    url = os.environ.get("VTEAM_DATABASE_URL")
    name = f"landed_{secrets.token_hex(4)}" if url else str(folder / "landed.sqlite3")
    if url:
        _on_the_server(url, f"CREATE DATABASE {name}")
    fresh = type(usual)({**usual.settings_dict, "NAME": name}, "default")
    connections["default"] = fresh
    try:
        yield fresh
    finally:
        fresh.close()
        connections["default"] = usual
        if url:
            _on_the_server(url, f"DROP DATABASE {name}")


def _on_the_server(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(statement.encode())


@pytest.fixture(params=LANDED, ids=lambda folder: str(folder.name))
def landed(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Any, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """A schema that landed, full of what it held, migrated to today's as `vteam run` does."""
    folder: Path = request.param
    told = landing.about(folder)
    settings.MASTER_KEY, settings.SECRET_KEY = told["MASTER_KEY"], told["SECRET_KEY"]
    settings.DATA = tmp_path
    at = dt.datetime.fromisoformat(told["made_at"])
    with django_db_blocker.unblock(), empty_database(tmp_path) as fresh, time_machine.travel(at):
        landing.load(MigrationExecutor(fresh), folder)
        call_command("migrate", verbosity=0)
        yield folder


def model_of(table: str) -> type[models.Model]:
    return next(m for m in apps.get_models(include_auto_created=True) if m._meta.db_table == table)


def _in_order(table: str, *sides: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], ...]:
    """Counters stood by their names until each had a place (`ledger.counters`)."""
    if table != "ledger_counter":
        return sides
    placed = [[{**row, "key": place_of(row["key"])} for row in sides[0]], *sides[1:]]
    return tuple(sorted(rows, key=lambda row: (row["campaign_id"], row["key"])) for rows in placed)


def test_every_value_of_every_row_is_still_there(landed: Path) -> None:
    """Whoever takes a table or a column away on purpose says so here, and who keeps its rows under other keys."""
    for table, rows in landing.rows(landed):
        # Places of the histogram where nobody stands are left out since.
        before = [row for row in rows if row.get("fans") != 0]
        now = [landing.as_text(row) for row in model_of(table)._default_manager.order_by("pk")]
        assert len(now) == len(before), table
        for old, new in zip(*_in_order(table, before, now), strict=True):
            assert {column: new.get(column, "gone") for column in old} == old, table


def test_the_books_hold_and_replay_to_the_same_bytes(landed: Path) -> None:
    found = list(Campaign.objects.order_by("pk").values_list("pk", flat=True))
    assert found == [row["id"] for row in dict(landing.rows(landed))["campaigns_campaign"]]
    assert Fact.objects.filter(campaign_id=found[0]).count() > 100
    assert books_hold(*found)


def _has_rows(table: str) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")
        return cursor.fetchone() is not None


def test_what_is_append_only_is_so_again(landed: Path) -> None:
    assert appendonly.missing(connections["default"]) == []
    for table in appendonly.APPEND_ONLY:
        # Of a table this schema did not have yet there is nothing to attack.
        for attack in attacks(table) if _has_rows(table) else []:
            with (
                pytest.raises(DatabaseError, match="append-only"),
                transaction.atomic(),
                connections["default"].cursor() as cursor,
            ):
                cursor.execute(attack)


def test_each_fan_has_their_points_and_their_address(landed: Path) -> None:
    rows: Rows = dict(landing.rows(landed))
    for total in rows["ledger_total"]:
        kept = (total["confirmed"], total["pending"])
        assert points(total["fan_id"], total["campaign_id"]) == kept
    campaign = Campaign.objects.get(slug=landing.about(landed)["campaign"])
    fans = Fan.objects.filter(campaign_id=campaign.pk).order_by("pk")
    addresses = [address_of_person(fan.person) for fan in fans]
    assert addresses == [f"fan{number}@fan.invalid" for number in range(landing.FANS)]


def test_a_signed_in_fans_page_says_what_it_said(landed: Path) -> None:
    told, rows = landing.about(landed), dict(landing.rows(landed))
    total = next(row for row in rows["ledger_total"] if row["fan_id"] == told["fan"])
    assert total["confirmed"] > 0
    better = [
        row
        for row in rows["ledger_total"]
        if row["campaign_id"] == total["campaign_id"] and row["confirmed"] > total["confirmed"]
    ]
    assert rank_at(total["campaign_id"], total["confirmed"]) == len(better) + 1
    browser = Client(headers={"Host": "localhost"})
    browser.cookies["vteam"] = told["session"]
    for page in ("home", "points"):
        answer = browser.get(f"/en/{told['campaign']}/{page}")
        assert answer.status_code == 200, page
        shown = answer.content.decode().replace("\N{NO-BREAK SPACE}", "").replace(",", "")
        assert str(total["confirmed"]) in shown, page


def test_a_code_on_its_way_still_opens_the_door(landed: Path) -> None:
    told = landing.about(landed)
    at = dt.datetime.fromisoformat(told["made_at"])
    assert prove_by_code(pending=Pending.objects.get(), typed=told["code"], at=at) is Proof.RIGHT
    assert not Person.objects.filter(lookup=bytes(Pending.objects.get().lookup)).exists()


def test_what_waited_is_moved_and_new_facts_pay(landed: Path) -> None:
    told, rows = landing.about(landed), dict(landing.rows(landed))
    campaign, fan = Campaign.objects.get(slug=told["campaign"]), told["fan"]
    before, journaled = points(fan, campaign.pk)[0], Fact.objects.count()
    assert Inbox.objects.count() == len(rows["journal_inbox"]) == 1
    at = dt.datetime.fromisoformat(told["made_at"])
    newcomer = cast.join(campaign.pk, "Dov", at=at)
    assert newcomer.pk > max(row["id"] for row in rows["people_fan"])
    recruit = cast.joined(newcomer.pk + 1, recruiter=fan, network="new", at_us=clock.to_us(at))
    cast.offer(campaign.pk, recruit)
    assert cast.move() == 3
    assert Fact.objects.count() == journaled + 3
    assert points(fan, campaign.pk)[0] >= before + 500
    assert books_hold(campaign.pk)


def test_an_award_that_waited_counts_when_its_time_has_come(landed: Path) -> None:
    rows: Rows = dict(landing.rows(landed))
    (held,) = [hold for hold in rows["ledger_hold"] if hold["due_at_us"]]
    pending = [total for total in rows["ledger_total"] if total["pending"]]
    (waiting,) = [total for total in pending if total["campaign_id"] == held["campaign_id"]]
    assert end_due_holds(at_us=held["due_at_us"], at_most=10) == 1
    cast.move()
    now = points(waiting["fan_id"], waiting["campaign_id"])
    assert now == (waiting["confirmed"] + waiting["pending"], 0)
    assert books_hold(waiting["campaign_id"])


# Of later schemas ---------------------------------------------------------------------------------------------------
@having("worlds_worldact")
def test_what_waits_for_a_person_counts_once_they_have_accepted_it(landed: Path) -> None:
    told, rows = landing.about(landed), dict(landing.rows(landed))
    (waiting,) = [total for total in rows["ledger_total"] if total["fan_id"] == told["fan"]]
    assert waiting["pending"] > 0
    done = WorldAct.objects.get(act="bring", accepted=None)
    at = dt.datetime.fromisoformat(told["made_at"])
    assert review(done=done, accepted=True, reason="it shines", at_us=clock.to_us(at))
    cast.move()
    confirmed, pending = points(waiting["fan_id"], waiting["campaign_id"])
    assert confirmed >= waiting["confirmed"] + waiting["pending"]
    assert pending == 0
    assert books_hold(waiting["campaign_id"])


@having("worlds_kiosk")
def test_an_enrolled_kiosks_secret_opens_and_what_it_signs_is_believed(landed: Path) -> None:
    kiosk = Kiosk.objects.filter(fan=None, revoked_at=None).exclude(key=None).get()
    secret = secret_of(kiosk)
    assert kiosk.key is not None
    assert secret is not None
    there = Object(key=kiosk.key, secret=secret)
    address = there.choose("link", STRANGER)["open"]["address"]
    assert link_with(address.rpartition("/")[2], at=clock.now()) is not None


@having("prizes_ticket")
def test_what_winners_told_opens_and_a_ticket_lets_in_once(landed: Path) -> None:
    told = landing.about(landed)
    at = dt.datetime.fromisoformat(told["made_at"])
    assert {str(offer.pk): details_of(offer) for offer in Offer.objects.exclude(details=None)} == told[
        "claims"
    ]
    door = door_with(told["door"], at=at)
    assert door is not None
    ticket = tickets_of(door.campaign_id, door.concert).filter(entered_at=None).earliest("pk")
    its = told_by(ticket)
    assert its is not None
    scans = (Heard(scan=bytes([number] * 16), at=at) for number in range(2))
    became = [scan_code(door=door, code=its.code, heard=heard).became for heard in scans]
    assert became == [Became.IN, Became.ALREADY_IN]
    cast.move()
    assert books_hold(door.campaign_id)


@having("campaigns_organiser", "prizes_supplierlink", "worlds_avatarlink")
def test_links_that_were_handed_out_still_open(landed: Path) -> None:
    told = landing.about(landed)
    at = dt.datetime.fromisoformat(told["made_at"])
    assert invited(told["invitation"]) is not None
    assert waiting_for_parent(told["parent"]) is not None
    assert link_with(told["avatar"], at=at) is not None
    of_supplier = asked(told["supplier"], at=at)
    assert of_supplier is not None
    assert of_supplier.confirmation.by_supplier


@having("permissions_grantevent", "prizes_draw")
def test_what_anybody_can_check_still_holds(landed: Path) -> None:
    campaigns = [INSTALLATION, *Campaign.objects.values_list("pk", flat=True)]
    assert [verify(connections["default"], campaign) for campaign in campaigns] == [None] * len(campaigns)
    drawn = Draw.objects.exclude(drawn_at=None)
    assert drawn.exists()
    for draw in drawn:
        assert checked(json.loads("".join(record_text(draw))), announced=draw.announced).faults == ()


@pytest.mark.django_db
def test_a_folder_in_which_a_table_would_be_empty_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"No rows in .*prizes_door, .*worlds_worldact: let"):
        landing.dump(tmp_path / "none")
    assert not (tmp_path / "none").exists()
