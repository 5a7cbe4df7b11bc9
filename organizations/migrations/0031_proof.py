"""A mark at the first message that Redox accepted for a record that was registered outside the portal."""

from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef


def mark_proofs(apps: Any, schema_editor: object) -> None:
    """Mark each accepted Update before which no message to that OID of its record was accepted."""
    submissions = apps.get_model("organizations", "Submission")._default_manager
    accepted = submissions.filter(state="accepted")
    before = accepted.filter(organization=OuterRef("organization"), oid=OuterRef("oid"), pk__lt=OuterRef("pk"))
    accepted.filter(event="Update").exclude(Exists(before)).update(is_proof=True)


class Migration(migrations.Migration):
    dependencies = [("organizations", "0030_candidate_lease")]

    operations = [
        # Not AddField alone: on SQLite it would copy the table.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE organizations_submission ADD COLUMN is_proof bool DEFAULT false NOT NULL",
                    "ALTER TABLE organizations_submission DROP COLUMN is_proof",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="submission",
                    name="is_proof",
                    field=models.BooleanField(
                        default=False,
                        help_text="The first message to a record that was registered outside the portal, and Redox accepted it.",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(condition=models.Q(("is_proof", True)), fields=["environment"], name="submission_proof"),
        ),
        migrations.RunPython(mark_proofs, migrations.RunPython.noop),
    ]
