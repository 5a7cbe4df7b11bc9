"""The lock of an environment's structure. `installation.ensure_rows` creates its rows after the migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0007_actions_without_a_check"),
    ]

    operations = [
        migrations.CreateModel(
            name="StructureLock",
            fields=[
                (
                    "environment",
                    models.CharField(
                        choices=[("staging", "STAGING"), ("production", "PRODUCTION")],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
    ]
