"""A search through the directory adds the OIDs below records in steps. Those of earlier searches were added at once."""

from typing import Any

from django.db import migrations, models

AFTER_ALL_OIDS = "9" * 160


def note_earlier_probes(apps: Any, schema_editor: Any) -> None:
    take_overs = apps.get_model("organizations", "TakeOver").objects.using(schema_editor.connection.alias)
    for take_over in take_overs.filter(kind="scan", position={}):
        number = take_over.candidates.filter(source="probe").count()
        take_overs.filter(pk=take_over.pk).update(probed_until=AFTER_ALL_OIDS, probes_added=number, probes_total=number)


class Migration(migrations.Migration):
    dependencies = [("organizations", "0034_clearer_help_texts")]

    operations = [
        migrations.AddField(
            model_name="takeover",
            name="asks_probes",
            field=models.BooleanField(
                default=True,
                help_text="Of a search through the directory: whether it asks about the next OIDs below records.",
            ),
        ),
        migrations.AddField(
            model_name="takeover",
            name="probed_until",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The key of the last OID below which the search asks about the next OIDs.",
                max_length=160,
            ),
        ),
        migrations.AddField(
            model_name="takeover",
            name="probes_added",
            field=models.PositiveIntegerField(
                default=0, help_text="How many of these OIDs were added since the last page."
            ),
        ),
        migrations.AddField(
            model_name="takeover",
            name="probes_total",
            field=models.PositiveIntegerField(
                default=0, help_text="How many of these OIDs there are, as far as it is known."
            ),
        ),
        migrations.RunPython(note_earlier_probes, migrations.RunPython.noop),
    ]
