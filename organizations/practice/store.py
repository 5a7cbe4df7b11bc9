"""Stores the directories of both environments in one SQLite file, so that a second run continues where one ended."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizations.oid import Oid
from organizations.practice.filters import Filters
from organizations.practice.others import Other

FILE_NAME = "directory.sqlite3"

_TABLES = """
CREATE TABLE IF NOT EXISTS organization (
    environment TEXT NOT NULL, oid TEXT NOT NULL, oid_key TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (environment, oid)
);
CREATE TABLE IF NOT EXISTS effect (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT NOT NULL, event TEXT NOT NULL, oid TEXT NOT NULL, body_sha256 TEXT NOT NULL
);
"""
# Files of earlier releases do not have these columns. Their entries count as never changed.
_LATER_COLUMNS = {
    "changed_at": "REAL NOT NULL DEFAULT 0",  # the last write, in seconds since 1970
    "previous": "TEXT",  # the content before the last write; empty if that was a New
}
# One for all pages, and one for the pages of a Query with Active.
_INDEXES = """
CREATE INDEX IF NOT EXISTS organization_pages ON organization (environment, oid_key);
CREATE INDEX IF NOT EXISTS organization_active_pages
    ON organization (environment, json_extract(content, '$.Active'), oid_key);
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """One New or Update that was applied. Two effects with the same hash mean that a message was applied twice."""

    sequence: int
    environment: str
    event: str
    oid: str
    body_sha256: str


class Store:
    """Each organization as its last message wrote it, and the effects in order. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / FILE_NAME, timeout=20, isolation_level="IMMEDIATE", check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)
        self._add_missing_columns()
        self._connection.executescript(_INDEXES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def create(self, environment: str, oid: str, organization: dict[str, Any], body_sha256: str) -> int | None:
        """Add an organization. Returns the sequence of the effect, or None if the OID is taken."""
        with self._writing() as connection:
            added = connection.execute(
                "INSERT INTO organization (environment, oid, oid_key, content, changed_at, previous)"
                " VALUES (?, ?, ?, ?, ?, '') ON CONFLICT DO NOTHING",
                (environment, oid, Oid(oid).key, json.dumps(organization), time.time()),
            )
            return self._note("New", environment, oid, body_sha256) if added.rowcount else None

    def replace(self, environment: str, oid: str, organization: dict[str, Any], body_sha256: str) -> int | None:
        """Replace a whole organization. Returns the sequence of the effect, or None if the OID is not registered."""
        with self._writing() as connection:
            replaced = connection.execute(
                "UPDATE organization SET previous = content, content = ?, changed_at = ?"
                " WHERE environment = ? AND oid = ?",
                (json.dumps(organization), time.time(), environment, oid),
            )
            return self._note("Update", environment, oid, body_sha256) if replaced.rowcount else None

    def put(self, environment: str, oid: str, organization: dict[str, Any], *, changed_at: float | None = None) -> None:
        """Add or replace an organization without a message and without an effect.

        `changed_at` is in seconds since 1970; by default now. The earlier content of an organization that is added this
        way is not known: `hides_after` does not hide it.
        """
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO organization (environment, oid, oid_key, content, changed_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE"
                " SET previous = content, content = excluded.content, changed_at = excluded.changed_at",
                (
                    environment,
                    oid,
                    Oid(oid).key,
                    json.dumps(organization),
                    time.time() if changed_at is None else changed_at,
                ),
            )

    def add_missing(self, environment: str, others: Iterable[Other]) -> None:
        """Add the organizations whose OIDs are not in the directory, without messages and without effects."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT INTO organization (environment, oid, oid_key, content, changed_at)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (environment, other.oid, Oid(other.oid).key, json.dumps(other.content), other.changed_at)
                    for other in others
                ),
            )

    def remove(self, environment: str, oid: str) -> None:
        """Remove an organization without an effect. No message can do this."""
        with self._writing() as connection:
            connection.execute("DELETE FROM organization WHERE environment = ? AND oid = ?", (environment, oid))

    def find(self, environment: str, *, oid: str | None = None) -> list[dict[str, Any]]:
        """All organizations of an environment in the order of their OIDs, or the one with this OID."""
        return self.search(environment, Filters(oid=oid))

    def search(self, environment: str, filters: Filters, *, index: int = 0, limit: int = -1) -> list[dict[str, Any]]:
        """Organizations that match every filter, in the order of their OIDs. A negative limit means all."""
        page = " ORDER BY oid_key LIMIT :limit OFFSET :index"
        rows = self._select(filters.content(), environment, filters, page, limit=limit, index=index)
        return [json.loads(content) for (content,) in rows]

    def count(self, environment: str, filters: Filters) -> int:
        """How many organizations match every filter."""
        ((number,),) = self._select("count(*)", environment, filters)
        return int(number)

    def effects(self) -> list[Effect]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT sequence, environment, event, oid, body_sha256 FROM effect ORDER BY sequence"
            ).fetchall()
        return [Effect(*row) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def _add_missing_columns(self) -> None:
        with self._writing() as connection:
            connection.execute("BEGIN IMMEDIATE")  # another process may open the same file now
            present = {row[1] for row in connection.execute("PRAGMA table_info(organization)")}
            for name, definition in _LATER_COLUMNS.items():
                if name not in present:
                    connection.execute(f"ALTER TABLE organization ADD COLUMN {name} {definition}")

    def _select(
        self, columns: str, environment: str, filters: Filters, page: str = "", **values: int
    ) -> list[tuple[Any, ...]]:
        conditions = " AND ".join(["environment = :environment", *filters.conditions()])
        with self._lock:
            return self._connection.execute(
                f"SELECT {columns} FROM organization WHERE {conditions}{page}",  # noqa: S608
                {"environment": environment, **filters.values(), **values},
            ).fetchall()

    def _note(self, event: str, environment: str, oid: str, body_sha256: str) -> int | None:
        noted = self._connection.execute(
            "INSERT INTO effect (environment, event, oid, body_sha256) VALUES (?, ?, ?, ?)",
            (environment, event, oid, body_sha256),
        )
        return noted.lastrowid
