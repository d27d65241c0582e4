"""On SQLite a fan's total is one entry in one tree, found and changed without going through an index."""

from django.db import migrations

STATEMENTS = (
    "CREATE TABLE ledger_total_in_one_tree (campaign_id bigint NOT NULL, fan_id bigint NOT NULL, "
    "confirmed bigint NOT NULL, pending bigint NOT NULL, PRIMARY KEY (campaign_id, fan_id)) WITHOUT ROWID",
    "INSERT INTO ledger_total_in_one_tree SELECT campaign_id, fan_id, confirmed, pending FROM ledger_total "
    "ORDER BY campaign_id, fan_id",
    "DROP TABLE ledger_total",
    "ALTER TABLE ledger_total_in_one_tree RENAME TO ledger_total",
    "CREATE INDEX total_by_points ON ledger_total (campaign_id, confirmed DESC, fan_id)",
)


def in_one_tree(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            for statement in STATEMENTS:
                cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_counters_by_fan")]
    operations = [migrations.RunPython(in_one_tree)]
