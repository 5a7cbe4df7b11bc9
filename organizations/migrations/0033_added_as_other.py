"""Whether a record is ours only because an approver said so. Then its children are not ours."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0032_may_have_been_sent")]

    operations = [
        # Not AddField alone: on SQLite it would copy the table.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE organizations_organization ADD COLUMN added_as_other bool DEFAULT false NOT NULL",
                    "ALTER TABLE organizations_organization DROP COLUMN added_as_other",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="organization",
                    name="added_as_other",
                    field=models.BooleanField(
                        default=False,
                        help_text="An approver took it over although it is not ours by its OID or PartOf.",
                    ),
                ),
            ],
        ),
    ]
