"""Passwords that somebody else set, as hashes, so that none of them is accepted again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0016_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="disclosed_passwords",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Hashes of earlier passwords that somebody else set and therefore knows. None is accepted again.",
            ),
        ),
    ]
