"""An index that finds the records with a ZIP code, for the possible duplicates of a rejected record."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0024_search_history")]

    operations = [
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["zip_code"], name="organization_by_zip"),
        ),
    ]
