"""Whether the database has the tables of this release."""

from collections.abc import Collection
from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

type Migrations = Collection[tuple[str, str]]
"""Migrations by the app and their name."""

NEWER = "the database was made by a newer release"


def mismatch() -> str:
    """Why this release must not use the database; "" if it may. Raises DatabaseError if the database cannot be read."""
    applied = MigrationRecorder(connection).applied_migrations().keys()
    if unknown(applied):
        return NEWER
    if migrations := missing(applied):
        return f"{len(migrations)} migrations are not applied"
    return ""


def missing(applied: Migrations) -> set[tuple[str, str]]:
    """The migrations that the database lacks, because an older release made it."""
    return set(known_migrations()) - set(applied)


def unknown(applied: Migrations) -> set[tuple[str, str]]:
    """The migrations that only the database has, because a newer release made it."""
    ours = {app for app, _ in known_migrations()}
    return {each for each in applied if each[0] in ours} - known_migrations()


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Every migration of this release, read from its files once in a process."""
    return frozenset(MigrationLoader(None).disk_migrations)
