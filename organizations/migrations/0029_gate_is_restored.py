"""A plain name for the column that a restore from a backup sets."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0028_remove_confirmed_hash"),
    ]

    operations = [
        migrations.RenameField(model_name="environmentgate", old_name="put_back", new_name="is_restored"),
    ]
