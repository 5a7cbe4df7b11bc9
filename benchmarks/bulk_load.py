"""Makes inserting many rows fast: indexes and foreign keys are removed before, and created again afterwards.

An index costs less if it is built once over all rows. The database of a benchmark may be lost, so nothing waits for the
disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

from organizations.services import search_index


@contextmanager
def bulk_load() -> Iterator[None]:
    """Insert many rows in the block. Do not open a transaction around it, and use no second connection meanwhile."""
    search_index.remove_indexes()
    with connection.cursor() as cursor:
        load = _sqlite if connection.vendor == "sqlite" else _postgresql
        with load(cursor):
            yield


@contextmanager
def _sqlite(cursor: CursorWrapper) -> Iterator[None]:
    def set_all(settings: dict[str, str]) -> None:
        for name, value in settings.items():
            cursor.execute(f"PRAGMA {name}={value}")

    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    indexes = dict(cursor.fetchall())
    # In the WAL mode each page would be written twice.
    set_all({"journal_mode": "MEMORY", "synchronous": "OFF", "cache_size": "-2000000", "foreign_keys": "OFF"})
    for name in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for statement in indexes.values():
        cursor.execute(statement)
    search_index.ensure_indexes()
    # No ANALYZE: the portal never runs it on SQLite.
    set_all({"foreign_keys": "ON", "cache_size": "-2000", "synchronous": "FULL", "journal_mode": "WAL"})


@contextmanager
def _postgresql(cursor: CursorWrapper) -> Iterator[None]:
    cursor.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
    )
    foreign_keys = cursor.fetchall()
    cursor.execute(
        "SELECT quote_ident(indexname), indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = quote_ident(indexname)::regclass)"
    )
    indexes = cursor.fetchall()
    for table, name, _ in foreign_keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '1GB'")
    for _, statement in indexes:
        cursor.execute(statement)
    for table, name, definition in foreign_keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    search_index.ensure_indexes()
    cursor.execute("RESET maintenance_work_mem")
    # Otherwise autovacuum runs some minutes later, during the measurement.
    cursor.execute("VACUUM ANALYZE")
