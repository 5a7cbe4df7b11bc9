"""Whether a byte of a message may have reached Redox. Earlier releases did not store that, so it may have."""

from typing import Any

from django.db import migrations, models


def mark_attempted(apps: Any, schema_editor: object) -> None:
    """Mark each submission with an attempt."""
    submissions = apps.get_model("organizations", "Submission")._default_manager
    submissions.filter(attempt__gt=0).update(may_have_been_sent=True)


class Migration(migrations.Migration):
    dependencies = [("organizations", "0031_proof")]

    operations = [
        # Not AddField alone: on SQLite it would copy the table.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE organizations_submission ADD COLUMN may_have_been_sent bool DEFAULT false NOT NULL",
                    "ALTER TABLE organizations_submission DROP COLUMN may_have_been_sent",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="submission",
                    name="may_have_been_sent",
                    field=models.BooleanField(
                        default=False,
                        help_text="An attempt has ended, and a byte of the message may have reached Redox.",
                    ),
                ),
            ],
        ),
        migrations.RunPython(mark_attempted, migrations.RunPython.noop),
    ]
