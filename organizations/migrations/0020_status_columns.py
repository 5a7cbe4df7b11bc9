"""Columns for the directory status and the open work, which the database computes from the row.

They were computed from each record and its last submission whenever a page was read.
"""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery

COLUMNS = {"last_state": "state", "last_state_at": "state_at", "last_wanted_hash": "wanted_hash"}


def mirror_last_submissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy what the open work needs from the last submission of each record."""
    last = apps.get_model("organizations", "Submission").objects.filter(pk=OuterRef("last_submission"))
    values = {column: Subquery(last.values(source)) for column, source in COLUMNS.items()}
    apps.get_model("organizations", "Organization").objects.exclude(last_submission=None).update(**values)


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0019_index_of_changes"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="organization",
            name="organization_words",
        ),
        migrations.RemoveIndex(model_name="organization", name="organization_changed"),
        migrations.RemoveIndex(model_name="organization", name="organization_differing"),
        migrations.AddField(
            model_name="organization",
            name="last_state",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The state of the last submission, kept beside the record.",
                max_length=14,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="last_state_at",
            field=models.DateTimeField(
                blank=True, help_text="Since when the last submission is in its state.", null=True
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="last_wanted_hash",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The wanted record when the last submission was settled.",
                max_length=64,
            ),
        ),
        migrations.RunPython(mirror_last_submissions, migrations.RunPython.noop),
        migrations.AddField(
            model_name="organization",
            name="standing",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(presence="unknown", then=models.Value("unknown")),
                    models.When(presence__in=("never", "absent"), then=models.Value("not_registered")),
                    models.When(presence_basis="stated", then=models.Value("stated")),
                    models.When(presence_basis="seen", then=models.Value("seen")),
                    models.When(confirmed_active=True, then=models.Value("active")),
                    default=models.Value("deactivated"),
                ),
                output_field=models.CharField(max_length=14),
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="open_work",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(last_state="needs_person", then=models.Value("needs_person")),
                    models.When(last_state="unknown", then=models.Value("unknown")),
                    models.When(
                        last_state="rejected", last_wanted_hash=models.F("wanted_hash"), then=models.Value("rejected")
                    ),
                    models.When(last_state__in=("sending", "queued", "awaiting"), then=models.F("last_state")),
                    models.When(changes__gt=0, then=models.Value("changes_not_sent")),
                    default=models.Value(""),
                ),
                output_field=models.CharField(max_length=16),
            ),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "standing", "oid_key", "id"], name="organization_by_standing"),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(
                fields=["environment", "open_work", "oid_key", "id", "part_of_oid"], name="organization_by_work"
            ),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "open_work", "last_state_at"], name="organization_work_since"),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(
                fields=["environment", "open_work", "edited_by", "edited_at"], name="organization_work_of"
            ),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "presence", "seen_at"], name="organization_compared"),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "differs", "part_of_oid"], name="organization_differing"),
        ),
    ]
