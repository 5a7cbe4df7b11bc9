import json
from itertools import batched

from django.db import migrations, models

OPEN_STATES = ("awaiting", "queued", "sending", "unknown", "needs_person")


def fill(apps, schema_editor):
    """Fill in each record's parent in the directory, as accepted or shown, and the PartOf of open messages."""
    organizations = apps.get_model("organizations", "Organization").objects
    for ids in batched(list(organizations.exclude(confirmed="", seen="").values_list("pk", flat=True)), 500):
        rows = list(organizations.filter(pk__in=ids))
        for row in rows:
            row.confirmed_part_of_oid = json.loads(row.confirmed or row.seen)["part_of_oid"]
        organizations.bulk_update(rows, ["confirmed_part_of_oid"])
    submissions = apps.get_model("organizations", "Submission").objects
    for ids in batched(list(submissions.filter(state__in=OPEN_STATES).values_list("pk", flat=True)), 500):
        rows = list(submissions.filter(pk__in=ids))
        for row in rows:
            message = json.loads(bytes(row.message), parse_int=str)
            row.part_of_oid = message["Organizations"][0]["PartOf"]["Identifier"]["Value"]
        submissions.bulk_update(rows, ["part_of_oid"])


class Migration(migrations.Migration):
    dependencies = [("organizations", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="confirmed_part_of_oid",
            field=models.CharField(
                blank=True, default="", help_text="Where the directory has it, whatever is wanted.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="part_of_oid",
            field=models.CharField(
                blank=True, default="", help_text="The PartOf that the message names.", max_length=64
            ),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "confirmed_part_of_oid"], name="organization_confirmed_below"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("state__in", OPEN_STATES)),
                fields=["environment", "part_of_oid"],
                name="submission_open_below",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
