from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0008_structure_locks"),
    ]

    operations = [
        migrations.AddField(
            model_name="environmentgate",
            name="hold_asked_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Redox asked to wait until then: nothing leaves before, no Query and no token request either.",
                null=True,
            ),
        ),
    ]
