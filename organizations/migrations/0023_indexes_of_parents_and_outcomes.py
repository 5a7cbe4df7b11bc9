"""Indexes of the submissions that name a parent, and of old entries of the history by their outcome."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0022_search")]

    operations = [
        migrations.RemoveIndex(model_name="submission", name="submission_open_below"),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["environment", "part_of_oid", "state"], name="submission_below"),
        ),
        migrations.RemoveIndex(model_name="auditentry", name="audit_by_outcome"),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["outcome", "-sequence", "at"], name="audit_by_outcome_and_time"),
        ),
    ]
