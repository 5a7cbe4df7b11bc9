"""Rows that must exist, and the mark that stops a demonstration from sending to the real directories."""

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from organizations.models import (
    Action,
    AuditEntry,
    AuditHead,
    Environment,
    EnvironmentGate,
    Installation,
    Organization,
    StructureLock,
    User,
)
from organizations.permissions import ACTS, ROLES
from organizations.services.audit import audit
from organizations.services.connection import redox_settings
from orgportal.start_errors import SettingsError

from .actors import Actor


def ensure_rows() -> None:
    """Create the rows that must exist: audit head, gates, locks, installation, permissions, roles. Can be repeated."""
    AuditHead.objects.get_or_create(pk=1, defaults={"hash": audit.FIRST_HASH})
    Installation.objects.get_or_create(pk=1)
    for environment in Environment.values:
        EnvironmentGate.objects.get_or_create(pk=environment)
        StructureLock.objects.get_or_create(pk=environment)
    # After a flush the content types have new ids, and the cached ids have no row.
    ContentType.objects.clear_cache()
    content_type = ContentType.objects.get_for_model(Organization)
    permissions = {
        right: Permission.objects.update_or_create(
            codename=right.value, content_type=content_type, defaults={"name": f"May {act}"}
        )[0]
        for right, act in ACTS.items()
    }
    for name, rights in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([permissions[right] for right in rights])


def check_demonstration_mark() -> None:
    """Check that the settings of the process and the database belong together.

    Raises:
        SettingsError: demonstration settings with a real database, or the reverse.
    """
    marked = is_demonstration()
    if marked and not settings.DEMO:
        raise SettingsError("DATABASE_URL", "names a demonstration database; run ./dev demo, or name another database")
    if settings.DEMO and not marked and not is_empty():
        raise SettingsError("DATABASE_URL", "names a real database; the demonstration has its own")
    for name in Environment.values:
        if marked and not redox_settings.is_loopback(redox_settings.environment(name).base_url):
            variable = f"REDOX_{name.upper()}_BASE_URL"
            raise SettingsError(variable, "leads to another machine, and the database holds demonstration records")
    redox_settings.verify_routing_ids_unused()


def log_settings(actor: Actor) -> None:
    """Log the settings that a process delivers with, if they differ from the last ones. Secrets become a hash."""
    last = AuditEntry.objects.filter(action=Action.SETTINGS_SEEN).order_by("-sequence").first()
    details = {name: _settings_in_force(name) for name in Environment.values}
    if last is not None and last.facts.get("details") == details:
        return
    with audit.atomic(actor) as history:
        history.log(Action.SETTINGS_SEEN, object={"type": "settings", "id": "", "name": "Settings"}, details=details)


def _settings_in_force(name: str) -> dict[str, str]:
    redox = redox_settings.environment(name)
    return {
        "base_url": redox.base_url,
        "routing_id": redox.routing_id,
        "source_id": redox.source_id,
        "gateway_oid": redox.gateway_oid,
        "connected": "yes" if redox.credential else "no",
        "fingerprint": redox_settings.fingerprint(name),
    }


def is_demonstration() -> bool:
    return Installation.objects.filter(demonstration=True).exists()


def is_empty() -> bool:
    return not User.objects.exists() and not Organization.objects.exists()


def mark_as_demonstration() -> None:
    """Mark an empty database as a demonstration for good: it sends to this machine only.

    Raises:
        SettingsError: the database already holds people or records.
    """
    if not is_demonstration():
        if not is_empty():
            raise SettingsError(
                "DATABASE_URL", "names a database that is in use; demonstration records are never added to it"
            )
        Installation.objects.filter(pk=1).update(demonstration=True)


def write_mark_to_file() -> None:
    """Write SQLite's `-wal` file into the database file, so that a copy of that file alone has the mark."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(FULL)")
