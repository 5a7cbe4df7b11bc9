"""Remove a constraint, so that a new action of the history does not rebuild the table."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0006_plans"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="auditentry",
            name="audit_action_known",
        ),
    ]
