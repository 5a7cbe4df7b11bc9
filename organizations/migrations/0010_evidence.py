"""The evidence for an acceptance, and what is known about the directory since then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0009_hold_asked_for"),
    ]

    operations = [
        migrations.AddField(
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
                help_text="What the acceptance rests on.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="differs",
            field=models.PositiveIntegerField(
                default=0,
                help_text="In how many fields a later reading shows something else than was accepted or taken.",
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="differs_since",
            field=models.DateTimeField(blank=True, help_text="The first reading that showed a difference.", null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="foreign_name",
            field=models.CharField(
                blank=True, help_text="Whose it seems to be: the name that the directory showed.", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="foreign_since",
            field=models.DateTimeField(
                blank=True, help_text="Since a person decided that the OID belongs to another organization.", null=True
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="known_at",
            field=models.DateTimeField(
                blank=True,
                help_text="A reading asked for from then on is newer than what was accepted or taken.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="not_visible_yet",
            field=models.BooleanField(
                default=False,
                help_text="The last reading showed what was there before the last acceptance: nobody's change.",
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="taken",
            field=models.TextField(
                blank=True,
                help_text="Canonical JSON of what somebody took from the directory since the last acceptance: the next message is compared with it.",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="decided_by",
            field=models.CharField(blank=True, help_text="Who decided what became of it.", max_length=150),
        ),
        migrations.AddField(
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
                help_text="What its acceptance rests on.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="evidence_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the Query was asked that it rests on, or that a person decided by.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="presence_basis",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "none"),
                    ("accepted", "a message of ours was accepted"),
                    ("seen", "a Query showed it"),
                    ("stated", "a person says so, with a reason"),
                ],
                default="",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="seen",
            field=models.TextField(blank=True, help_text="Canonical JSON of the last understood answer to a Query."),
        ),
        migrations.AlterField(
            model_name="organization",
            name="seen_at",
            field=models.DateTimeField(blank=True, help_text="When that Query was asked.", null=True),
        ),
        migrations.AlterField(
            model_name="submission",
            name="before",
            field=models.TextField(blank=True, help_text="Canonical JSON of the newest knowledge at the review."),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "differs"], name="organization_differing"),
        ),
    ]
