"""Plainer help texts. No SQL."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0020_status_columns"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="body",
            field=models.BinaryField(help_text="Canonical JSON. The hash is computed from these bytes."),
        ),
        migrations.AlterField(
            model_name="environmentgate",
            name="put_back",
            field=models.BooleanField(
                default=False,
                help_text="The restored database is older than what was sent. Open submissions are queried on resume.",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="carried",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Parts of the directory's record that the portal does not know. They are sent back unchanged.",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="changes",
            field=models.PositiveIntegerField(
                default=0, help_text="The number of fields with saved changes that were not sent."
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="confirmed_evidence",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "nothing"),
                    ("answer", "Redox's answer"),
                    ("query", "a Query showed what was sent"),
                    ("both", "Redox's answer and a Query"),
                    ("person", "a person's decision"),
                    ("equivalent", "a Query showed something equivalent"),
                ],
                default="",
                help_text="The evidence of the acceptance.",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="confirmed_part_of_oid",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The PartOf that the directory has, whatever is saved here.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="confirmed_version",
            field=models.PositiveIntegerField(default=0, help_text="The version of the record that was last accepted."),
        ),
        migrations.AlterField(
            model_name="organization",
            name="destination_id",
            field=models.CharField(blank=True, help_text="Empty if the record has none.", max_length=36),
        ),
        migrations.AlterField(
            model_name="organization",
            name="destination_known",
            field=models.BooleanField(
                default=True,
                help_text="False if the record was read from the directory, which does not show the destination ID.",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="differs",
            field=models.PositiveIntegerField(
                default=0,
                help_text="The number of fields in which a later reading differs from the accepted or taken values.",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="differs_since",
            field=models.DateTimeField(blank=True, help_text="When a reading first showed a difference.", null=True),
        ),
        migrations.AlterField(
            model_name="organization",
            name="foreign_name",
            field=models.CharField(
                blank=True, help_text="The name that the directory showed for that organization.", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="foreign_since",
            field=models.DateTimeField(
                blank=True, help_text="When a person decided that the OID belongs to another organization.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="known_at",
            field=models.DateTimeField(
                blank=True,
                help_text="A reading is newer than the accepted or taken values if its Query was sent at this time or later.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="not_visible_yet",
            field=models.BooleanField(
                default=False,
                help_text="The last reading still showed the values from before the last acceptance. Nobody changed them.",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="seen_at",
            field=models.DateTimeField(blank=True, help_text="When that Query was sent.", null=True),
        ),
        migrations.AlterField(
            model_name="organization",
            name="shown_active",
            field=models.BooleanField(
                blank=True,
                help_text="Active in a later reading, if it differs from the accepted or taken value.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="shown_part_of_oid",
            field=models.CharField(
                blank=True,
                default="",
                help_text="PartOf in a later reading, if it differs from the accepted or taken value.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="taken",
            field=models.TextField(
                blank=True,
                help_text="Canonical JSON of the values that a person took from the directory since the last acceptance. The next message is compared with them.",
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="state_at",
            field=models.DateTimeField(help_text="When it entered this state."),
        ),
        migrations.AlterField(
            model_name="repetition",
            name="count",
            field=models.PositiveIntegerField(
                default=0, help_text="Acts since the last entry. The history does not have them yet."
            ),
        ),
        migrations.AlterField(
            model_name="repetition",
            name="since",
            field=models.DateTimeField(help_text="When the first of these acts happened."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="absent_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When, since it became unknown, the directory first answered that it does not have the OID.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="asks",
            field=models.PositiveIntegerField(
                default=0, help_text="Queries about it since it became unknown, with or without an answer."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="before",
            field=models.TextField(
                blank=True, help_text="Canonical JSON of what was known of the directory at the review."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="detail",
            field=models.TextField(blank=True, help_text="Redox's answer, shortened, in its own words."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="lost_attempt",
            field=models.BooleanField(
                default=False,
                help_text="The worker of an attempt died. The directory is queried again after the acceptance.",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="only_ask",
            field=models.BooleanField(
                default=False,
                help_text="It was open when the database was restored. The portal queries it and never resends it on its own.",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                help_text="The plan that it belongs to, if any.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="submissions",
                to="organizations.plan",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="read_back_at",
            field=models.DateTimeField(blank=True, help_text="When that Query is due.", null=True),
        ),
        migrations.AlterField(
            model_name="submission",
            name="state_at",
            field=models.DateTimeField(help_text="When it entered this state."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="token",
            field=models.PositiveIntegerField(
                default=0, help_text="Increases with each claim. Only the worker with the current token may settle."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="tries",
            field=models.PositiveIntegerField(
                default=0, help_text="Attempts that count against the limit. A refused sign-in does not count."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="unknown_since",
            field=models.DateTimeField(blank=True, help_text="When its outcome became unknown.", null=True),
        ),
        migrations.AlterField(
            model_name="submission",
            name="wanted_hash",
            field=models.CharField(
                blank=True, help_text="Hash of the saved record when the last answer was settled.", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="warnings",
            field=models.JSONField(
                blank=True, default=list, help_text="The accepted warnings, each with key, value and text."
            ),
        ),
    ]
