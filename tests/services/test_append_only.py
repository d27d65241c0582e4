"""What may only be added to is attacked in every way a database offers; each is refused, and a gap is named."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from tests.services.concurrency import at_once
from vteam import appendonly
from vteam.appendonly import APPEND_ONLY
from vteam.journal.models import Fact

TABLES = sorted(APPEND_ONLY)
SQLITE = connection.vendor == "sqlite"


def model_of(table: str) -> type[models.Model]:
    return next(model for model in apps.get_models() if model._meta.db_table == table)


def columns_of(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if field.column]


def value_for(field: models.Field) -> Any:
    if isinstance(field, models.CharField | models.TextField):
        return "x"
    if isinstance(field, models.BinaryField):
        return b"x"
    return "2026-11-20 12:00:00+00:00" if isinstance(field, models.DateTimeField) else 1


def add_row(table: str, verb: str = "INSERT", ending: str = "") -> int:
    fields = columns_of(model_of(table))
    names = ", ".join(field.column for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            f"{verb} INTO {table} ({names}) VALUES ({marks}) {ending}", [value_for(field) for field in fields]
        )
        return cursor.rowcount


def rows(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor.fetchall()]


def key_of(table: str) -> str:
    key = model_of(table)._meta.pk
    assert key is not None
    return ", ".join(getattr(key, "field_names", (key.column,)))


def attacks(table: str) -> list[str]:
    """Every way to change or remove rows, as far as the database speaks it."""
    victim = columns_of(model_of(table))[-1].column
    common = [f"UPDATE {table} SET {victim} = {victim}", f"DELETE FROM {table}"]
    if SQLITE:
        again = f"INTO {table} SELECT * FROM {table}"
        replacing = [f"INSERT OR REPLACE {again}", f"REPLACE {again}"]
        return [*common, f"UPDATE OR REPLACE {table} SET {victim} = {victim}", *replacing]
    return [*common, f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"]


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_a_row_can_be_added_and_then_neither_changed_nor_removed(table: str) -> None:
    assert add_row(table) == 1
    before = rows(table)
    for attack in attacks(table):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(attack)
    assert rows(table) == before


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_a_row_cannot_be_replaced_by_inserting_it_again(table: str) -> None:
    add_row(table)
    before = rows(table)
    victim = columns_of(model_of(table))[-1].column
    upsert = f"ON CONFLICT ({key_of(table)}) DO UPDATE SET {victim} = excluded.{victim}"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        add_row(table, ending=upsert)
    if SQLITE:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            add_row(table, verb="INSERT OR REPLACE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            add_row(table, verb="REPLACE")
    assert rows(table) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", TABLES)
def test_each_new_connection_is_refused_as_well(table: str) -> None:
    """What SQLite needs for it is set by the settings, on every connection anew."""
    add_row(table)
    before = rows(table)

    def attack(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    for statement in attacks(table):
        (refusal,) = at_once(lambda: attack(statement))  # noqa: B023
        assert "append-only" in str(refusal), statement
    assert rows(table) == before


@pytest.mark.django_db
def test_the_orm_is_refused_like_everybody_else() -> None:
    add_row("journal_fact")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Fact.objects.update(body="{}")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Fact.objects.all().delete()
    assert Fact.objects.get().body == "x"


# Triggers that go missing ---------------------------------------------------------------------------------------
def errors() -> list[str]:
    return [f"{found.id} {found.msg}" for found in run_checks(tags=["database"], databases=["default"])]


def drop(table: str, event: str) -> str:
    name = f"append_only_{table}_{event}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}" + ("" if SQLITE else f" ON {table}"))
    return name


@pytest.mark.django_db
def test_with_every_trigger_in_place_the_system_check_has_nothing_to_say() -> None:
    assert errors() == []


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("event", ["update", "delete"] if SQLITE else ["update", "delete", "truncate"])
def test_the_system_check_names_a_missing_trigger(table: str, event: str) -> None:
    name = drop(table, event)
    assert errors() == [f"vteam.E006 The trigger {name} is missing."]
    appendonly.install(connection)
    assert errors() == []


@pytest.mark.django_db
@pytest.mark.skipif(SQLITE, reason="SQLite's triggers cannot be switched off one by one")
def test_a_trigger_that_was_switched_off_counts_as_missing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal_fact DISABLE TRIGGER append_only_journal_fact_update")
    assert errors() == ["vteam.E006 The trigger append_only_journal_fact_update is missing."]


@pytest.fixture
def _without_recursive_triggers() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=OFF")
        yield
        cursor.execute("PRAGMA recursive_triggers=ON")


@pytest.mark.django_db
@pytest.mark.skipif(not SQLITE, reason="SQLite's own trap")
@pytest.mark.usefixtures("_without_recursive_triggers")
def test_the_system_check_finds_a_connection_on_which_replacing_would_slip_through() -> None:
    add_row("journal_fact")
    assert add_row("journal_fact", verb="INSERT OR REPLACE") == 1
    assert any("vteam.E007" in found for found in errors())


@pytest.mark.django_db(transaction=True)
def test_a_table_django_rebuilt_has_its_triggers_again_after_migrating() -> None:
    if SQLITE:
        old = Fact._meta.get_field("body")
        new = models.CharField(max_length=9_000)
        new.set_attributes_from_name("body")
        new.model = Fact
        with connection.schema_editor() as editor:
            editor.alter_field(Fact, old, new, strict=False)
        with connection.schema_editor() as editor:
            editor.alter_field(Fact, new, old, strict=False)
    else:
        for event in ("update", "delete", "truncate"):
            drop("journal_fact", event)
    assert "append_only_journal_fact_update" in appendonly.missing(connection)
    call_command("migrate", verbosity=0)
    assert appendonly.missing(connection) == []
    add_row("journal_fact")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Fact.objects.update(body="{}")


def test_every_table_that_calls_itself_append_only_is_declared() -> None:
    said = {model._meta.db_table for model in apps.get_models() if "Append-only" in (model.__doc__ or "")}
    assert said <= set(APPEND_ONLY)
    assert {"journal_fact", "rights_rightevent", "permissions_refusal"} <= said
