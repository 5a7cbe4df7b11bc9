"""Accounts: who gave each role, sessions that end with the account, passwords to change, and counters of refusals.

The grants of existing roles are read from the history, if it has the entry.
"""

import json
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def find_grants(apps: Any, schema_editor: Any) -> None:
    """Who gave the roles that people have now: the last entry of each person in which the role was new."""
    users = {user.pk: user for user in apps.get_model("organizations", "User").objects.all()}
    groups = {group.name: group for group in apps.get_model("auth", "Group").objects.all()}
    found: dict[int, dict[str, Any]] = {}
    entries = apps.get_model("organizations", "AuditEntry").objects.filter(action="person.changed")
    for at, body in entries.order_by("sequence").values_list("at", "body").iterator():
        pk, roles, actor = _read(bytes(body))
        known = found.get(pk, {})
        found[pk] = {role: known.get(role, (at, actor)) for role in roles}
    grant = apps.get_model("organizations", "RoleGrant")
    grant.objects.bulk_create(
        grant(user=user, group=groups[role], given_by=_name(actor, users), given_by_id=actor.get("id"), given_at=at)
        for pk, user in users.items()
        for role, (at, actor) in found.get(pk, {}).items()
        if role in groups and user.groups.filter(name=role).exists()
    )


def _read(body: bytes) -> tuple[int, list[str], dict[str, Any]]:
    try:
        facts = json.loads(body)
        return int(facts["object"]["id"]), list(facts["details"]["roles"]), dict(facts["actor"])
    except (ValueError, KeyError, TypeError):
        return 0, [], {}


def _name(actor: dict[str, Any], users: dict[int, Any]) -> str:
    person = users.get(actor.get("id"))
    return str(actor["name"]) if person is None else f"{actor['name']} ({person.username})"


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("organizations", "0015_folding"),
    ]

    operations = [
        migrations.CreateModel(
            name="Repetition",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "count",
                    models.PositiveIntegerField(
                        default=0, help_text="Since the last entry, and not yet in the history."
                    ),
                ),
                ("since", models.DateTimeField(help_text="When the first of these was.")),
                ("until", models.DateTimeField(db_index=True, help_text="When they are written to the history.")),
                ("entry", models.TextField(help_text="Who, and what the entry says, as JSON.")),
            ],
        ),
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                (
                    "until",
                    models.DateTimeField(
                        db_index=True, help_text="When the period ends; the next try begins a new one."
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Somebody else set the password and therefore knows it."
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="session_stamp",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Part of each session: raising it ends all sessions of this account."
            ),
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("given_by", models.CharField(help_text="Name and user name at that time.", max_length=310)),
                ("given_by_id", models.BigIntegerField(blank=True, null=True)),
                ("given_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.group"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="role_grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "group"), name="role_given_once")],
            },
        ),
        migrations.RunPython(find_grants, migrations.RunPython.noop, elidable=True),
    ]
