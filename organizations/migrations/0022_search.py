"""An index for searching the records by parts of words."""

from django.db import migrations

from organizations.services import search_index


def ensure_index(apps, schema_editor):
    search_index.ensure_indexes()


def remove_index(apps, schema_editor):
    search_index.remove_indexes()


class Migration(migrations.Migration):
    dependencies = [("organizations", "0021_help_texts")]

    operations = [migrations.RunPython(ensure_index, remove_index)]
