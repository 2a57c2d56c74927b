from django.core.management import call_command
from django.db import migrations


def make_table(apps, schema_editor):
    call_command("createcachetable", "cache_entries", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    """The table of the database cache (see CACHES): made here, nobody can forget it."""

    dependencies = [("accounts", "0002_people_and_their_data")]
    operations = [migrations.RunPython(make_table, migrations.RunPython.noop)]
