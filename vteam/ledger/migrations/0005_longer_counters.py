"""Counters of copies have longer names. SQLite asks nothing of a text's length; its table has no row numbers and stays."""

from django.db import migrations, models


def longer(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE ledger_counter ALTER COLUMN key TYPE varchar(200)")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_no_empty_places")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="counter", name="key", field=models.CharField(max_length=200)
                )
            ],
            database_operations=[migrations.RunPython(longer)],
        )
    ]
