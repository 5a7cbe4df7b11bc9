"""An index that finds the records with unsent changes: the list counts them on each page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0018_plain_help_texts")]

    operations = [
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "changes"], name="organization_changed"),
        ),
    ]
