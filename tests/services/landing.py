"""A whole database as text: what a schema that landed held, kept so that later migrations are tried on it.

    python -m tests.services.landing tests/services/landed/02

makes a folder anew, with the code that stands here: twelve fans' played week and a row or more in every table.
Do so as a change with migrations lands, under the next number, and keep the folders before. `landed.json` names the
migrations and the (invented) keys; each `TABLE.jsonl` holds one row a line, in a form no database has a hand in.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db import models
    from django.db.migrations.executor import MigrationExecutor

    from vteam.campaigns.models import Campaign
    from vteam.channels.links.models import Share
    from vteam.people.models import Fan

ABOUT = "landed.json"
FANS = 12
# Sealed under these is nothing but invented addresses.
KEYS = {"MASTER_KEY": "landed-master-" * 4, "SECRET_KEY": "landed-secret-" * 4}
CODE_ADDRESS = "cy@example.org"
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
    """Write the database Django is set up for."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    folder.mkdir(parents=True, exist_ok=False)
    leaves = sorted(MigrationLoader(connection).graph.leaf_nodes())
    content = {"migrations": leaves, **KEYS, **told}
    (folder / ABOUT).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    for model in apps.get_models(include_auto_created=True):
        found = [as_text(row) for row in model._default_manager.order_by("pk")]
        if found and model._meta.db_table not in DERIVED:
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in found]
            (folder / f"{model._meta.db_table}.jsonl").write_text("".join(lines))


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
    names = ", ".join(field.column for field in fields)
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
    from vteam.demo.opening import open_demo
    from vteam.demo.season import play_season

    at = clock.now()
    with override_settings(**KEYS):
        call_command("migrate", verbosity=0)
        campaign = open_demo()
        play_season(campaign, fans=FANS)
        told = _what_a_season_has_besides(campaign, at)
    dump(folder, made_at=at.isoformat(), campaign=campaign.slug, **told)


def _what_a_season_has_besides(campaign: "Campaign", at: dt.datetime) -> dict[str, Any]:
    """A row in the tables a played season leaves empty; returns what a later reader cannot know from the rows."""
    from django.test import Client

    from tests import cast
    from vteam.channels.mail.codes import Asker, ask_code
    from vteam.people import vault
    from vteam.people.models import Fan
    from vteam.permissions.codes import refuse_for_ever

    _an_award_that_waits()
    refuse_for_ever(lookup=vault.lookup_of("never@example.org"), act="the mail's own link", at=at)
    asker = Asker(network="near", base_url="http://localhost:8000")
    ask_code(address=CODE_ADDRESS, entry=cast.entry(campaign.pk, "Cy"), asker=asker, link_path="/code", at=at)
    fan = Fan.objects.filter(campaign_id=campaign.pk).earliest("pk")
    browser = Client()
    browser.force_login(fan.person)
    share = fan.shares.filter(kind="place").earliest("pk")
    _rows_of_the_movers(campaign, fan, share)
    return {"session": browser.cookies["vteam"].value, "fan": fan.pk, "code": _code_in_the_outbox()}


def _an_award_that_waits() -> None:
    """A second, small campaign whose recruits count a day later, and one refused fact."""
    from tests import cast

    small = cast.open_campaign((replace(cast.RECRUIT, hold_us=cast.DAY_US), cast.SPREAD), slug="maree-basse")
    ana = cast.join(small.pk, "Ana")
    cast.join(small.pk, "Bo", share=cast.share_of(ana))
    cast.move()


def _rows_of_the_movers(campaign: "Campaign", fan: "Fan", share: "Share") -> None:
    """A place in the edge's file, a fact that was refused, and one still waiting when the change lands."""
    from django.conf import settings

    from tests import cast
    from tests.services.moving import EdgeInbox, row_of, still
    from vteam.jobs.edgefile import EdgeFile
    from vteam.jobs.moving import Mover

    path = Path(settings.DATA) / "edge.sqlite3"
    arrived = cast.arrival(share.pk, fan.pk, near="edge", by=None)
    EdgeInbox(path).write(row_of(arrived, campaign.pk))
    Mover(EdgeFile(path)).move(pause=still)
    cast.offer(campaign.pk, replace(cast.joined(fan.pk), kind="Unheard"))
    cast.move()
    cast.offer(campaign.pk, cast.arrival(share.pk, fan.pk, near="waiting"))


def _code_in_the_outbox() -> str:
    from vteam.channels.mail.models import OutboxMessage
    from vteam.people import vault

    letter = OutboxMessage.objects.get()
    return str(json.loads(vault.unseal(bytes(letter.sealed_key), bytes(letter.sealed)))["code"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
