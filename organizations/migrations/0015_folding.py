"""Fold the stored search texts by the current rules, and add a key that finds near-duplicates."""

from django.db import migrations, models

from organizations.folding import fold, near_duplicate_key

CHUNK = 2000
ADDRESS = ("street", "city", "state", "zip_code", "country")


def fold_organizations(apps, schema_editor):
    organizations = apps.get_model("organizations", "Organization").objects
    sql = "UPDATE organizations_organization SET search_text = %s, double_key = %s WHERE id = %s"
    for chunk in _chunks(organizations.values("pk", "search_text", "name", *ADDRESS)):
        _execute(schema_editor, sql, [(fold(row["search_text"]), _double_key(row), row["pk"]) for row in chunk])


def _double_key(row):
    return near_duplicate_key(row["name"], **{name: row[name] for name in ADDRESS})


def fold_history(apps, schema_editor):
    """Change only the search text of an entry, not the entry. The text no longer contains the name of the actor."""
    entries = apps.get_model("organizations", "AuditEntry").objects
    sql = "UPDATE organizations_auditentry SET search_text = %s WHERE sequence = %s"
    for chunk in _chunks(entries.values("pk", "search_text", "actor_name")):
        folded = ((_without_actor(row), row) for row in chunk)
        changed = [(text, row["pk"]) for text, row in folded if text != row["search_text"]]
        _execute(schema_editor, sql, changed)


def _without_actor(row):
    """The search text began with the name of the actor, in lower case."""
    actor = " ".join(row["actor_name"].lower().split())
    return fold(row["search_text"].removeprefix(actor))


def _chunks(rows):
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = chunk[-1]["pk"]
        yield chunk


def _execute(schema_editor, sql, parameters):
    if parameters:
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(sql, parameters)


class Migration(migrations.Migration):
    dependencies = [("organizations", "0014_outcome_of_what_was_settled")]

    operations = [
        migrations.RemoveIndex(model_name="organization", name="organization_by_zip"),
        migrations.AddField(
            model_name="organization",
            name="double_key",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Equal for the same name and address; empty without an address.",
                max_length=32,
            ),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["environment", "double_key"], name="organization_doubles"),
        ),
        migrations.RunPython(fold_organizations, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(fold_history, migrations.RunPython.noop, elidable=True),
    ]
