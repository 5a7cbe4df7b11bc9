"""A lease for each OID of a take-over, so that workers can ask about several at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0029_gate_is_restored")]

    operations = [
        migrations.AddField(
            model_name="candidate",
            name="lease_until",
            field=models.DateTimeField(blank=True, help_text="Until then one worker asks about it.", null=True),
        ),
        migrations.AddField(
            model_name="candidate",
            name="token",
            field=models.PositiveIntegerField(default=0, help_text="Counts the leases: an earlier one stores nothing."),
        ),
        migrations.AlterField(
            model_name="takeover",
            name="lease_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Of a search through the directory: until then one worker reads the next page.",
                null=True,
            ),
        ),
    ]
