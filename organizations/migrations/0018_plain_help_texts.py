"""Plainer help texts, and the label of the state needs_person. No SQL."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0017_disclosed_passwords"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="body",
            field=models.BinaryField(help_text="Canonical JSON. The hash is over these bytes."),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="outcome",
            field=models.CharField(blank=True, help_text="The kind of the outcome.", max_length=20),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="raw",
            field=models.BinaryField(blank=True, help_text="The raw request or response, at most 1 MiB.", null=True),
        ),
        migrations.AlterField(
            model_name="environmentgate",
            name="hold_asked_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Redox asked to wait until then. Before it nothing is sent, not even a Query or a token request.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="environmentgate",
            name="probing",
            field=models.BooleanField(
                default=False,
                help_text="Half-open after failures in a row: the first exchange is a Query, never a write.",
            ),
        ),
        migrations.AlterField(
            model_name="environmentgate",
            name="put_back",
            field=models.BooleanField(
                default=False,
                help_text="The database was restored and is older than what was sent: open submissions are queried on resume.",
            ),
        ),
        migrations.AlterField(
            model_name="installation",
            name="demonstration",
            field=models.BooleanField(
                default=False, help_text="Marks a demonstration database: it sends to this machine only."
            ),
        ),
        migrations.AlterField(
            model_name="installation",
            name="key",
            field=models.UUIDField(
                default=uuid.uuid4, help_text="Identifies this database and the backups made from it."
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="sha256",
            field=models.CharField(
                help_text="Hash of all records and messages, so that a second click finds the first plan.",
                max_length=64,
                unique=True,
            ),
        ),
        migrations.AlterField(
            model_name="repetition",
            name="count",
            field=models.PositiveIntegerField(
                default=0, help_text="Acts since the last entry that are not in the history yet."
            ),
        ),
        migrations.AlterField(
            model_name="repetition",
            name="entry",
            field=models.TextField(help_text="The actor and the entry, as JSON."),
        ),
        migrations.AlterField(
            model_name="repetition",
            name="since",
            field=models.DateTimeField(help_text="When the first of these acts was."),
        ),
        migrations.AlterField(
            model_name="repetition",
            name="until",
            field=models.DateTimeField(db_index=True, help_text="When they are logged."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="asks",
            field=models.PositiveIntegerField(
                default=0, help_text="Queries about it since then, with or without an answer."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="authors",
            field=models.JSONField(default=list, help_text="Ids of everyone who worked on its changes."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="detail",
            field=models.TextField(blank=True, help_text="Redox's answer in short, in its words."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="evidence",
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
                help_text="The evidence of its acceptance.",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="evidence_at",
            field=models.DateTimeField(
                blank=True, help_text="When the Query behind the acceptance or the decision was sent.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="known_answer",
            field=models.CharField(blank=True, help_text="Key of the documented answer.", max_length=40),
        ),
        migrations.AlterField(
            model_name="submission",
            name="lost_attempt",
            field=models.BooleanField(
                default=False, help_text="The worker of an attempt was lost: the record is read again after acceptance."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="only_ask",
            field=models.BooleanField(
                default=False,
                help_text="Open in a restored database: the portal queries it and never sends it again on its own.",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="state",
            field=models.CharField(
                choices=[
                    ("awaiting", "Awaiting approval"),
                    ("queued", "Queued"),
                    ("sending", "Sending"),
                    ("accepted", "Accepted"),
                    ("rejected", "Rejected"),
                    ("unknown", "Unknown"),
                    ("needs_person", "Needs a decision"),
                    ("cancelled", "Cancelled"),
                ],
                default="queued",
                max_length=14,
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="state_reason",
            field=models.TextField(blank=True, help_text="Why it waits, was cancelled or needs a decision."),
        ),
        migrations.AlterField(
            model_name="submission",
            name="token",
            field=models.PositiveIntegerField(
                default=0, help_text="Goes up with every claim; only the worker that has it may settle."
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="unknown_since",
            field=models.DateTimeField(blank=True, help_text="Since when its outcome is unknown.", null=True),
        ),
        migrations.AlterField(
            model_name="throttle",
            name="until",
            field=models.DateTimeField(db_index=True, help_text="When the period ends. The next try begins a new one."),
        ),
        migrations.AlterField(
            model_name="worker",
            name="stopped_at",
            field=models.DateTimeField(blank=True, help_text="When it ended normally.", null=True),
        ),
    ]
