"""The Active and PartOf that a later reading shows, if they differ from the accepted or taken values."""

import json

from django.db import migrations, models
from django.db.models import F, Q

CHUNK = 1000
OID_LENGTH = 64
OPEN_STATES = ("awaiting", "queued", "sending", "unknown", "needs_person")
READ = ("seen", "confirmed_active", "confirmed_part_of_oid")


def fill_taken_over(apps, schema_editor):
    """Fill in Active for records that were taken over and never accepted. Their PartOf is filled in already."""
    organizations = apps.get_model("organizations", "Organization").objects
    rows = organizations.filter(confirmed="", confirmed_active=None).exclude(taken="")
    for chunk in _chunks(rows.only("taken")):
        for row in chunk:
            row.confirmed_active = json.loads(row.taken)["active"]
        organizations.bulk_update(chunk, ["confirmed_active"])


def fill(apps, schema_editor):
    """Read only rows whose reading may differ: it is counted, or nothing was accepted, or a message is open."""
    organizations = apps.get_model("organizations", "Organization").objects
    is_read_later = Q(known_at=None) | Q(seen_at__gte=F("known_at"))
    may_differ = Q(differs__gt=0) | Q(confirmed="") | Q(last_submission__state__in=OPEN_STATES)
    rows = organizations.filter(is_read_later, may_differ, seen_at__isnull=False, not_visible_yet=False)
    for chunk in _chunks(rows.exclude(seen="").only(*READ)):
        for row in chunk:
            _set_shown_place(row)
        changed = [row for row in chunk if row.shown_active is not None or row.shown_part_of_oid]
        organizations.bulk_update(changed, ["shown_active", "shown_part_of_oid"])


def _chunks(rows):
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = chunk[-1].pk
        yield chunk


def _set_shown_place(row):
    seen = json.loads(row.seen)
    row.shown_active = seen["active"] if seen["active"] != row.confirmed_active else None
    shown = seen["part_of_oid"]
    row.shown_part_of_oid = shown if shown != row.confirmed_part_of_oid and len(shown) <= OID_LENGTH else ""


class Migration(migrations.Migration):
    dependencies = [("organizations", "0012_accepted_by_evidence")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="shown_active",
            field=models.BooleanField(
                blank=True,
                help_text="Active by a later reading, where that is not what was accepted or taken.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="shown_part_of_oid",
            field=models.CharField(
                blank=True,
                default="",
                help_text="PartOf by a later reading, where that is not what was accepted or taken.",
                max_length=64,
            ),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "shown_part_of_oid"], name="organization_shown_below"),
        ),
        migrations.RunPython(fill_taken_over, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
