"""A key that finds the own identifiers that fold to the same text, without reading the others."""

from typing import Any

from django.db import migrations, models

from organizations.folding import name_key

CHUNK = 2000


def fill_value_keys(apps: Any, schema_editor: Any) -> None:
    identifiers = apps.get_model("organizations", "Identifier").objects.using(schema_editor.connection.alias)
    sql = "UPDATE organizations_identifier SET value_key = %s WHERE id = %s"
    last = 0
    while chunk := list(identifiers.filter(pk__gt=last).order_by("pk").values_list("pk", "value")[:CHUNK]):
        last = chunk[-1][0]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(sql, [(name_key(value), pk) for pk, value in chunk])


class Migration(migrations.Migration):
    dependencies = [("organizations", "0035_probes_in_steps")]

    operations = [
        migrations.AddField(
            model_name="identifier",
            name="value_key",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Equal for the same value in any spelling; empty if folding leaves nothing of it.",
                max_length=32,
            ),
        ),
        migrations.RunPython(fill_value_keys, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="identifier",
            index=models.Index(fields=["value_key"], name="identifier_by_value_key"),
        ),
    ]
