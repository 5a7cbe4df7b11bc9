"""Require evidence for each acceptance, and remove the columns that it replaces."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0011_evidence_of_what_is_stored"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="organization",
            name="confirmed_readable_hash",
        ),
        migrations.RemoveField(
            model_name="organization",
            name="seen_counts",
        ),
        migrations.RemoveField(
            model_name="organization",
            name="seen_hash",
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("confirmed_evidence__in", ["", "answer", "query", "both", "person", "equivalent"])),
                name="organization_evidence_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.CheckConstraint(
                condition=models.Q(("evidence__in", ["", "answer", "query", "both", "person", "equivalent"])),
                name="submission_evidence_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "accepted"), _negated=True),
                    models.Q(("evidence", ""), _negated=True),
                    _connector="OR",
                ),
                name="submission_accepted_by_evidence",
            ),
        ),
    ]
