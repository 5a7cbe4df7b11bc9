"""Whether the database has the tables that this release works with."""

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def fault() -> str:
    """Why this release must not work on the database, in words; empty when it may. Raises DatabaseError."""
    applied = MigrationRecorder(connection).applied_migrations().keys()
    known = known_migrations()
    missing = known - applied
    if missing:
        return f"{len(missing)} migrations are not applied"
    ours = {app for app, _ in known}
    if {each for each in applied if each[0] in ours} - known:
        return "the database was migrated by another release"
    return ""


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Every migration of this release, read from its files once in a process."""
    return frozenset(MigrationLoader(None).disk_migrations)
