"""Trigram index that finds records by a part of a word: an FTS5 table on SQLite, pg_trgm on PostgreSQL.

The index only finds candidates. Every search also compares the column, so both databases find the same records, with
or without the index.
"""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from organizations.models import Environment, Organization
from organizations.models.organization import OrganizationQuerySet
from organizations.oid import Oid
from organizations.services import search_text

MAX_IDS, MAX_CANDIDATES = 5_000, 100_000
"""Up to MAX_IDS candidates are read by id. Beyond MAX_CANDIDATES, reading the list in order soon fills a page."""
MAX_TRIGRAMS = 60
CREATE_EXTENSION = "CREATE EXTENSION pg_trgm"

_TABLE, _RECORDS = "organizations_search", "organizations_organization"
_CANDIDATES = f"SELECT rowid FROM {_TABLE} WHERE {_TABLE} MATCH %s LIMIT %s"  # noqa: S608
_REMOVE = f"INSERT INTO {_TABLE} ({_TABLE}, rowid, search_text) VALUES ('delete', old.id, old.search_text);"  # noqa: S608
_ADD = f"INSERT INTO {_TABLE} (rowid, search_text) VALUES (new.id, new.search_text);"  # noqa: S608
_OF_COLUMNS = "OF id, search_text"
_WHEN_CHANGED = "WHEN old.id <> new.id OR old.search_text <> new.search_text"
_TRIGGERS = {
    f"{_TABLE}_insert": f"AFTER INSERT ON {_RECORDS} BEGIN {_ADD} END",
    f"{_TABLE}_delete": f"AFTER DELETE ON {_RECORDS} BEGIN {_REMOVE} END",
    f"{_TABLE}_update": f"AFTER UPDATE {_OF_COLUMNS} ON {_RECORDS} {_WHEN_CHANGED} BEGIN {_REMOVE} {_ADD} END",
}

log = logging.getLogger("orgportal.search")


def matching_records(environment: str, typed: str) -> OrganizationQuerySet:
    """The records of an environment that contain every word of the query.

    If `typed` is an OID and records have it or an OID below it, only those records: most records contain a part of it.
    """
    oid = search_text.oid_in(typed)
    if oid and (records := records_at_or_below(environment, oid)).exists():
        return records
    return candidates(environment, search_text.query_words(typed)).filter(search_text.matching_rows(typed))


def records_at_or_below(environment: str, oid: str) -> OrganizationQuerySet:
    """The records of an environment whose OIDs begin with all arcs of this one, read in order from an index."""
    key = Oid(oid).key
    # Keys consist of digits, and every collation sorts letters after digits.
    return Organization.objects.in_environment(environment).filter(oid_key__gte=key, oid_key__lt=f"{key}a")


def records_starting_with(environment: str, folded: str) -> OrganizationQuerySet:
    """The records of an environment whose search text begins with this folded text."""
    return candidates(environment, (folded,)).filter(search_text__startswith=folded)


def candidates(environment: str, phrases: Iterable[str]) -> OrganizationQuerySet:
    """The records of an environment that may contain all phrases. On PostgreSQL all, as it uses its index itself."""
    records = Organization.objects.in_environment(environment)
    query = _trigrams(phrases)
    if connection.vendor != "sqlite" or not query or not _is_complete():
        return records
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, [query, MAX_CANDIDATES + 1])
        ids = [record_id for (record_id,) in cursor.fetchall()]
    if len(ids) > MAX_CANDIDATES:
        return records
    if len(ids) > MAX_IDS:
        return records.filter(pk__in=RawSQL(_CANDIDATES, [query, MAX_CANDIDATES]))  # noqa: S611
    # With `environment = ...` SQLite would read an index of all records of the environment instead of these ids.
    others = [each for each in Environment.values if each != environment]
    return Organization.objects.filter(~Q(environment__in=others), pk__in=ids)


def _trigrams(phrases: Iterable[str]) -> str:
    """The FTS5 query: the trigrams of the phrases, each quoted. "" if every phrase is shorter than a trigram."""
    trigrams = dict.fromkeys(trigram for phrase in phrases for trigram in _trigrams_of(phrase))
    return " ".join('"{}"'.format(each.replace('"', '""')) for each in islice(trigrams, MAX_TRIGRAMS))


def _trigrams_of(phrase: str) -> Iterator[str]:
    return (phrase[start : start + 3] for start in range(len(phrase) - 2))


def _is_complete() -> bool:
    """Whether the triggers exist. A migration that rebuilds the table of records drops them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [_RECORDS])
        return {name for (name,) in cursor.fetchall()} >= _TRIGGERS.keys()


def ensure_index() -> None:
    """Create and fill the index unless it is complete. Safe to call again."""
    if connection.vendor == "postgresql":
        _ensure_on_postgresql()
    elif not _is_complete():
        remove_index()
        with transaction.atomic(), connection.cursor() as cursor:
            # `detail='none'` leaves out positions, which would triple the size; `content` avoids a copy of the text.
            options = f"content='{_RECORDS}', content_rowid='id', tokenize='trigram', detail='none'"
            cursor.execute(f"CREATE VIRTUAL TABLE {_TABLE} USING fts5(search_text, {options})")
            for name, definition in _TRIGGERS.items():
                cursor.execute(f"CREATE TRIGGER {name} {definition}")
            cursor.execute(f"INSERT INTO {_TABLE} ({_TABLE}) VALUES ('rebuild')")  # noqa: S608


def _ensure_on_postgresql() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {_TABLE} ON {_RECORDS} USING gin (search_text gin_trgm_ops)")
    except DatabaseError as error:
        reason = str(error).partition("\n")[0]
        log.warning(
            "Searches read every record: %s. Run %s as PostgreSQL's administrator, then migrate again.",
            reason,
            CREATE_EXTENSION,
        )


def remove_index() -> None:
    """Remove the index. Searches then read every record."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {_TABLE}")
            return
        for name in _TRIGGERS:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}")
