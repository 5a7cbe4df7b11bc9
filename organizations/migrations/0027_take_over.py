"""Organizations that were registered outside the portal, on their way to become records here."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0026_name_key"),
    ]

    operations = [
        # Not AddField alone: on SQLite it would copy the table.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE organizations_organization ADD COLUMN destination_source varchar(10) DEFAULT '' NOT NULL",
                    "ALTER TABLE organizations_organization DROP COLUMN destination_source",
                ),
            ],
            state_operations=[
                migrations.AddField(
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
                        help_text="Empty if it was entered here as a wish, or accepted by Redox.",
                        max_length=10,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TakeOver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "environment",
                    models.CharField(choices=[("staging", "STAGING"), ("production", "PRODUCTION")], max_length=10),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("oids", "OIDs that somebody entered"),
                            ("messages", "Old messages"),
                            ("scan", "A search through the whole directory"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("asking", "Asking the directory"), ("ready", "Ready"), ("taking", "Adding records")],
                        default="asking",
                        max_length=10,
                    ),
                ),
                ("state_at", models.DateTimeField(help_text="When it entered this state.")),
                ("made_at", models.DateTimeField()),
                (
                    "base_oids",
                    models.JSONField(
                        default=list,
                        help_text="OIDs below which an organization is ours: from the settings, or entered by an approver.",
                    ),
                ),
                (
                    "problems",
                    models.JSONField(
                        blank=True, default=list, help_text="What could not be read: source and sentence."
                    ),
                ),
                (
                    "position",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Of a search through the directory: where the next page begins.",
                    ),
                ),
                (
                    "read_count",
                    models.PositiveIntegerField(
                        default=0, help_text="Of a search through the directory: how many organizations were read."
                    ),
                ),
                (
                    "end_reason",
                    models.TextField(
                        blank=True, help_text="Why it stopped asking, if that was not the end of the list."
                    ),
                ),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                (
                    "token",
                    models.PositiveIntegerField(
                        default=0, help_text="Counts the leases: an earlier one stores nothing."
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("oid", models.CharField(max_length=64)),
                ("oid_key", models.CharField(max_length=160)),
                (
                    "source",
                    models.CharField(blank=True, help_text="For people: the line or the old message.", max_length=300),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("found", "Found"),
                            ("absent", "Not found"),
                            ("unanswered", "Not asked"),
                            ("here", "In the portal"),
                            ("chosen", "Being added"),
                            ("taken", "Taken over"),
                            ("refused", "Not taken over"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "sentence",
                    models.TextField(blank=True, help_text="Why it is in this state, if that needs a reason."),
                ),
                (
                    "name",
                    models.CharField(blank=True, help_text="From the directory or the old message.", max_length=200),
                ),
                ("part_of_oid", models.CharField(blank=True, help_text="From the directory.", max_length=64)),
                ("active", models.BooleanField(blank=True, help_text="From the directory.", null=True)),
                ("destination_id", models.CharField(blank=True, max_length=36)),
                (
                    "destination_source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("message", "An old message"),
                            ("dashboard", "The Redox dashboard"),
                            ("memory", "Somebody's memory"),
                            ("none", "It has none"),
                        ],
                        help_text="Empty while nobody said which destination ID the organization has.",
                        max_length=10,
                    ),
                ),
                ("message", models.TextField(blank=True, help_text="Canonical JSON of the record in the old message.")),
                ("seen", models.TextField(blank=True, help_text="Canonical JSON of the directory's answer.")),
                ("asked_at", models.DateTimeField(blank=True, help_text="When the directory was asked.", null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "take_over",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="candidates",
                        to="organizations.takeover",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="takeover",
            index=models.Index(fields=["environment", "state", "id"], name="take_over_by_state"),
        ),
        migrations.AddConstraint(
            model_name="takeover",
            constraint=models.CheckConstraint(
                condition=models.Q(("environment__in", ["staging", "production"])), name="take_over_environment_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="takeover",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["oids", "messages", "scan"])), name="take_over_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="takeover",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["asking", "ready", "taking"])), name="take_over_state_known"
            ),
        ),
        migrations.AddIndex(
            model_name="candidate",
            index=models.Index(fields=["take_over", "state", "position"], name="candidate_by_state"),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.UniqueConstraint(fields=("take_over", "oid"), name="candidate_oid_once"),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["waiting", "found", "absent", "unanswered", "here", "chosen", "taken", "refused"])
                ),
                name="candidate_state_known",
            ),
        ),
    ]
