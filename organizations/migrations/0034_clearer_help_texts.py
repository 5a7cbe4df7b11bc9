"""Clearer help texts. No SQL."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0033_added_as_other"),
    ]

    operations = [
        migrations.AlterField(
            model_name="candidate",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("found", "Found"),
                    ("absent", "Not found"),
                    ("unanswered", "No answer"),
                    ("here", "In the portal"),
                    ("chosen", "Being added"),
                    ("taken", "Taken over"),
                    ("refused", "Not taken over"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="environmentgate",
            name="hold_asked_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Redox asked to wait until then: nothing is sent before, not even a Query or a token request.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="confirmed_part_of_oid",
            field=models.CharField(
                blank=True,
                default="",
                help_text="PartOf as it was last accepted or taken, whatever is saved here.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="confirmed_version",
            field=models.PositiveIntegerField(
                default=0, help_text="The saved versions up to this one have nothing to send."
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="carried",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Keys of the directory's record that have no field here. An Update sends those in SENT_BACK back.",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="destination_source",
            field=models.CharField(
                blank=True,
                choices=[
                    ("message", "An old message"),
                    ("dashboard", "The Redox dashboard"),
                    ("memory", "Somebody's memory"),
                    ("none", "It has none"),
                ],
                default="",
                help_text="How a person knows the destination ID. Empty if Redox accepted it, or if it is still to be sent.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="last_state_at",
            field=models.DateTimeField(blank=True, help_text="When the last submission entered its state.", null=True),
        ),
        migrations.AlterField(
            model_name="organization",
            name="stands_for",
            field=models.CharField(
                blank=True,
                choices=[("", "Not said"), ("location", "Physical location"), ("patient_index", "Patient index (MPI)")],
                default="",
                help_text="The kind of record, as pages call it. Never sent.",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="after",
            field=models.ManyToManyField(
                blank=True,
                help_text="The submissions that must be accepted before this one is sent.",
                related_name="followers",
                to="organizations.submission",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="is_proof",
            field=models.BooleanField(
                default=False,
                help_text="Its acceptance proved that Redox accepts Updates of records registered outside the portal.",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="evidence_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When Redox's answer was stored, or when the Query behind the acceptance was sent.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="state_reason",
            field=models.TextField(blank=True, help_text="Why it is in this state, if there is a reason."),
        ),
    ]
