"""Places of the histogram where nobody stands are left out from now on (`ledger.posting`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_totals_in_one_tree")]
    operations = [
        migrations.RunSQL(
            "DELETE FROM ledger_bucket WHERE fans = 0", reverse_sql=migrations.RunSQL.noop
        ),
        migrations.RunSQL("DELETE FROM ledger_level WHERE fans = 0", reverse_sql=migrations.RunSQL.noop),
    ]
