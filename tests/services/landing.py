"""A whole database as text: what a schema that landed held, kept so that later migrations are tried on it.

    python -m tests.services.landing tests/services/landed/03

makes a folder anew, with the code that stands here: twelve fans' played week, a season that is over, and a row or more
in every table. Do so as a change with migrations lands, under the next number, and keep the folders before.
`landed.json` names the migrations, the (invented) keys and what was handed out in secret; each `TABLE.jsonl` holds one
row a line, in a form no database has a hand in.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db import models
    from django.db.migrations.executor import MigrationExecutor

ABOUT = "landed.json"
FANS = 12
# Sealed under these is nothing but invented addresses.
KEYS = {"MASTER_KEY": "landed-master-" * 4, "SECRET_KEY": "landed-secret-" * 4}
# What Django derives from the models after every migrate, and tables of its own that nobody uses here.
DERIVED = frozenset({"django_content_type", "auth_permission"})
UNUSED = frozenset({"auth_group", "auth_group_permissions"})


# Reading and writing --------------------------------------------------------------------------------------------
def about(folder: Path) -> dict[str, Any]:
    """What `landed.json` says."""
    found: dict[str, Any] = json.loads((folder / ABOUT).read_text())
    return found


def rows(folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each table's name and rows, in the order of their names."""
    for path in sorted(folder.glob("*.jsonl")):
        yield path.stem, [json.loads(line) for line in path.read_text().splitlines()]


def as_text(row: "models.Model") -> dict[str, Any]:
    """A row's columns in the form they are kept in: texts, numbers, null, JSON, bytes as base64."""
    return {field.attname: _plain(field, row) for field in columns(type(row))}


def columns(model: type["models.Model"]) -> "list[models.Field[Any, Any]]":
    """The fields that are columns: a key made of several is none."""
    return [field for field in model._meta.concrete_fields if field.column]


def _plain(field: "models.Field[Any, Any]", row: "models.Model") -> Any:
    value = getattr(row, field.attname)
    if isinstance(value, bytes | memoryview | dt.datetime | dt.date):
        return field.value_to_string(row)
    return value


def dump(folder: Path, **told: Any) -> None:
    """Write the database Django is set up for. Refuses one with an empty table: it would be migrated unseen."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    kept = {
        model._meta.db_table: [as_text(row) for row in model._default_manager.order_by("pk")]
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table not in DERIVED | UNUSED
    }
    empty = sorted(table for table, found in kept.items() if not found)
    if empty:
        raise SystemExit(f"No rows in {', '.join(empty)}: let landingrows.py or pastseason.py fill them.")
    folder.mkdir(parents=True, exist_ok=False)
    leaves = sorted(MigrationLoader(connection).graph.leaf_nodes())
    content = {"migrations": leaves, **KEYS, **told}
    (folder / ABOUT).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    for table, found in kept.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in found]
        (folder / f"{table}.jsonl").write_text("".join(lines))


def load(executor: "MigrationExecutor", folder: Path) -> None:
    """Bring an empty database to the schema that landed, triggers included, with the rows it held.

    Each of its tables must have some: an empty one would be migrated unseen.
    """
    from django.core.management.color import no_style
    from django.db import transaction

    from vteam import appendonly

    connection = executor.connection
    targets = [(app, name) for app, name in about(folder)["migrations"]]
    state = executor.migrate(targets)
    appendonly.install(connection)
    as_they_were = state.apps.get_models(include_auto_created=True)
    tables = {model._meta.db_table: model for model in as_they_were}
    kept = dict(rows(folder))
    assert kept.keys() == tables.keys() - DERIVED - UNUSED
    with transaction.atomic(), connection.cursor() as cursor:
        for table, found in kept.items():
            for row in found:
                _insert(executor, cursor, tables[table], row)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables.values())):
            cursor.execute(statement)


def _insert(
    executor: "MigrationExecutor", cursor: Any, model: type["models.Model"], row: dict[str, Any]
) -> None:
    """By SQL: the ORM would have a say in what is stored."""
    fields = columns(model)
    assert {field.attname for field in fields} == row.keys(), f"{model._meta.db_table} has other columns"
    values = [
        field.get_db_prep_save(field.to_python(row[field.attname]), executor.connection) for field in fields
    ]
    # Quoted: one of them is called `right`, which SQL has a use for.
    quoted = executor.connection.ops.quote_name
    names = ", ".join(quoted(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks})", values)


# Making ---------------------------------------------------------------------------------------------------------
def main(folder: Path) -> None:
    """Make a folder with the code that stands here."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import override_settings

    from vteam import clock

    at = clock.now()
    with override_settings(**KEYS, ALLOWED_HOSTS=["testserver"]):
        call_command("migrate", verbosity=0)
        told = _fill(at)
    dump(folder, made_at=at.isoformat(), **told)


def _fill(at: dt.datetime) -> dict[str, Any]:
    """A demo with a season that is over beside it; returns what a later reader cannot know from the rows.

    The past one is played first: nobody in the demo may be offered anything days before they came.
    """
    from tests.services.landingrows import rows_besides_a_season
    from tests.services.pastseason import past_season
    from vteam.demo.opening import open_demo
    from vteam.demo.season import play_season

    campaign = open_demo()
    told = past_season(at)
    play_season(campaign, fans=FANS)
    return {"campaign": campaign.slug, **told, **rows_besides_a_season(campaign, at)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
