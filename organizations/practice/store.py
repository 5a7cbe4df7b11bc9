"""The directories of both environments in one SQLite file, so that a second run continues where the first ended."""

import json
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizations.oid import Oid

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


@dataclass(frozen=True, slots=True)
class Effect:
    """One New or Update that was applied. Two effects with the same hash mean that a message was applied twice."""

    sequence: int
    environment: str
    event: str
    oid: str
    body_sha256: str


class Store:
    """Organizations as their last message gave them, and the effects in order. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / FILE_NAME, timeout=20, isolation_level="IMMEDIATE", check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def create(self, environment: str, oid: str, organization: dict[str, Any], body_sha256: str) -> int | None:
        """Add an organization. Returns the sequence of the effect, or None if the OID is taken."""
        with self._lock, self._connection:
            added = self._connection.execute(
                "INSERT INTO organization VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (environment, oid, Oid(oid).key, json.dumps(organization)),
            )
            return self._note("New", environment, oid, body_sha256) if added.rowcount else None

    def replace(self, environment: str, oid: str, organization: dict[str, Any], body_sha256: str) -> int | None:
        """Replace a whole organization. Returns the sequence of the effect, or None if the OID is not registered."""
        with self._lock, self._connection:
            replaced = self._connection.execute(
                "UPDATE organization SET content = ? WHERE environment = ? AND oid = ?",
                (json.dumps(organization), environment, oid),
            )
            return self._note("Update", environment, oid, body_sha256) if replaced.rowcount else None

    def put(self, environment: str, oid: str, organization: dict[str, Any]) -> None:
        """Add or replace an organization without a message and without an effect."""
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO organization VALUES (?, ?, ?, ?)",
                (environment, oid, Oid(oid).key, json.dumps(organization)),
            )

    def remove(self, environment: str, oid: str) -> None:
        """Remove an organization, which no message can do, without an effect."""
        with self._lock, self._connection:
            self._connection.execute("DELETE FROM organization WHERE environment = ? AND oid = ?", (environment, oid))

    def find(
        self,
        environment: str,
        *,
        oid: str | None = None,
        active: bool | None = None,
        state: str | None = None,
        name: str | None = None,
        index: int = 0,
        limit: int = -1,
    ) -> list[dict[str, Any]]:
        """Organizations that match every filter, in the order of their OIDs. `name` is a prefix.

        A negative limit means all.
        """
        # A range of OIDs uses the primary key with or without an OID; every OID sorts below "~".
        with self._lock:
            rows = self._connection.execute(
                "SELECT content FROM organization WHERE environment = :environment"
                " AND oid BETWEEN :first AND :last"
                " AND (:active IS NULL OR json_extract(content, '$.Active') = :active)"
                " AND (:state IS NULL OR json_extract(content, '$.Address.State') = :state)"
                " AND (:name IS NULL OR instr(lower(json_extract(content, '$.Name')), lower(:name)) = 1)"
                " ORDER BY oid_key LIMIT :limit OFFSET :index",
                {
                    "environment": environment,
                    "first": oid or "",
                    "last": oid or "~",
                    "active": active,
                    "state": state,
                    "name": name,
                    "limit": limit,
                    "index": index,
                },
            ).fetchall()
        return [json.loads(content) for (content,) in rows]

    def effects(self) -> list[Effect]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT sequence, environment, event, oid, body_sha256 FROM effect ORDER BY sequence"
            ).fetchall()
        return [Effect(*row) for row in rows]

    def _note(self, event: str, environment: str, oid: str, body_sha256: str) -> int | None:
        noted = self._connection.execute(
            "INSERT INTO effect (environment, event, oid, body_sha256) VALUES (?, ?, ?, ?)",
            (environment, event, oid, body_sha256),
        )
        return noted.lastrowid
