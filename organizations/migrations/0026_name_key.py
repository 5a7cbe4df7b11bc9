"""A key that finds the records with a name in any spelling, without reading the others."""

from django.db import migrations, models

from organizations.folding import name_key

CHUNK = 2000


def fill_name_keys(apps, schema_editor):
    organizations = apps.get_model("organizations", "Organization").objects
    sql = "UPDATE organizations_organization SET name_key = %s WHERE id = %s"
    last = 0
    while chunk := list(organizations.filter(pk__gt=last).order_by("pk").values_list("pk", "name")[:CHUNK]):
        last = chunk[-1][0]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(sql, [(name_key(name), pk) for pk, name in chunk])


class Migration(migrations.Migration):
    dependencies = [("organizations", "0025_organization_by_zip")]

    # Not AddField alone: on SQLite it would copy the table, and the search index would be built again.
    # The index of the keys comes last: filling it key by key would take minutes for a million records.
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE organizations_organization ADD COLUMN name_key varchar(32) DEFAULT '' NOT NULL",
                    "ALTER TABLE organizations_organization DROP COLUMN name_key",
                )
            ],
            state_operations=[
                migrations.AddField(
                    model_name="organization",
                    name="name_key",
                    field=models.CharField(
                        blank=True,
                        default="",
                        help_text="Equal for the same name in any spelling; empty if folding leaves nothing of it.",
                        max_length=32,
                    ),
                )
            ],
        ),
        migrations.RunPython(fill_name_keys, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "name_key"], name="organization_by_name_key"),
        ),
    ]
