"""Rename three fields of a submission."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0036_identifier_value_key"),
    ]

    operations = [
        migrations.RenameField(model_name="submission", old_name="after", new_name="waits_for"),
        migrations.RenameField(model_name="submission", old_name="tries", new_name="counted_attempts"),
        migrations.RenameField(model_name="submission", old_name="only_ask", new_name="is_restored"),
        migrations.AlterField(
            model_name="submission",
            name="counted_attempts",
            field=models.PositiveIntegerField(
                default=0,
                help_text="The attempts that count against the limit. A refused sign-in and a busy Redox do not count.",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="is_restored",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "It may have been sent after the backup that was restored. Only a person can have it sent again."
                ),
            ),
        ),
    ]
