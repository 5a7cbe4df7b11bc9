"""Remove the hash of the accepted record, which nothing reads."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0027_take_over"),
    ]

    operations = [
        migrations.RemoveField(model_name="organization", name="confirmed_hash"),
    ]
