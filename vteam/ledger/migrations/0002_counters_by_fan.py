"""Counters about one fan stand side by side (`ledger.counters`), on SQLite in one tree instead of table and index."""

from django.db import migrations

from vteam.ledger.counters import place_of

CREATE = (
    "CREATE TABLE ledger_counter_by_fan (campaign_id bigint NOT NULL, key varchar(160) NOT NULL, n bigint NOT NULL, "
    "PRIMARY KEY (campaign_id, key)) WITHOUT ROWID"
)
READ = "SELECT campaign_id, key, n FROM ledger_counter"
UPDATE = (
    "UPDATE ledger_counter SET key = split_part(key, ':', 3) || ':' || key "
    "WHERE split_part(key, ':', 1) IN ('same', 'fan', 'day')"
)


def by_fan(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute(UPDATE)
            return
        cursor.execute(CREATE)
        with connection.cursor() as old:
            old.execute(READ)
            cursor.executemany(
                "INSERT INTO ledger_counter_by_fan VALUES (%s, %s, %s)",
                ((campaign, place_of(name), n) for campaign, name, n in old),
            )
        cursor.execute("DROP TABLE ledger_counter")
        cursor.execute("ALTER TABLE ledger_counter_by_fan RENAME TO ledger_counter")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(by_fan)]
