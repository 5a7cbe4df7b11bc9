"""New actions of the history need no rebuilt table."""

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
