"""An index for searching the history by parts of words."""

from django.db import migrations

from organizations.services import search_index


def ensure_indexes(apps, schema_editor):
    search_index.ensure_indexes()


class Migration(migrations.Migration):
    dependencies = [("organizations", "0023_indexes_of_parents_and_outcomes")]

    operations = [migrations.RunPython(ensure_indexes, migrations.RunPython.noop)]
