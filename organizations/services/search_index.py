"""Trigram indexes that find rows by a part of a word: FTS5 tables on SQLite, pg_trgm on PostgreSQL.

One index finds records, one finds entries of the history. An index only finds candidates. Every search also compares
the column, so both databases find the same rows, with or without the index.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from organizations.models import AuditEntry, Environment, Organization
from organizations.models.organization import OrganizationQuerySet
from organizations.oid import Oid
from organizations.services import search_text

MAX_IDS, MAX_CANDIDATES = 5_000, 300_000
"""Up to MAX_IDS candidates are read by id. Beyond MAX_CANDIDATES, reading the list in order soon fills a page."""
MAX_TRIGRAMS = 60
MOST_WITH_SHORT_WORDS = 100_000
"""How many records a page searches for words of one or two letters, which no index finds: the first by their OIDs."""
CREATE_EXTENSION = "CREATE EXTENSION pg_trgm"

log = logging.getLogger("orgportal.search")


@dataclass(frozen=True, slots=True)
class Index:
    """The index of the column `search_text` of a table, whose primary key is `key`."""

    name: str
    table: str
    key: str

    @property
    def candidates(self) -> str:
        """The statement that finds the keys of rows by trigrams."""
        return f"SELECT rowid FROM {self.name} WHERE {self.name} MATCH %s LIMIT %s"  # noqa: S608

    @property
    def triggers(self) -> dict[str, str]:
        """The triggers that keep the index up to date on SQLite, by name."""
        name, key = self.name, self.key
        remove = f"INSERT INTO {name} ({name}, rowid, search_text) VALUES ('delete', old.{key}, old.search_text);"  # noqa: S608
        add = f"INSERT INTO {name} (rowid, search_text) VALUES (new.{key}, new.search_text);"  # noqa: S608
        is_changed = f"old.{key} <> new.{key} OR old.search_text <> new.search_text"
        on_update = f"AFTER UPDATE OF {key}, search_text ON {self.table} WHEN {is_changed}"
        return {
            f"{name}_insert": f"AFTER INSERT ON {self.table} BEGIN {add} END",
            f"{name}_delete": f"AFTER DELETE ON {self.table} BEGIN {remove} END",
            f"{name}_update": f"{on_update} BEGIN {remove} {add} END",
        }


RECORDS = Index("organizations_search", Organization._meta.db_table, "id")
ENTRIES = Index("organizations_audit_search", AuditEntry._meta.db_table, "sequence")
INDEXES = (RECORDS, ENTRIES)


def matching_records(environment: str, typed: str) -> OrganizationQuerySet:
    """The records of an environment that contain every word of the query.

    If `typed` is an OID and records have it or an OID below it, only those records: most records contain a part of it.
    """
    oid = search_text.oid_in(typed)
    if oid and (records := records_at_or_below(environment, oid)).exists():
        return records
    return candidates(environment, search_text.query_words(typed)).filter(search_text.matching_rows(typed))


def searched_part(environment: str, typed: str) -> Q:
    """The condition for the records that a page searches: all, unless the words are too short for an index."""
    end = _first_not_searched(environment) if has_only_short_words(typed) else ""
    return Q(oid_key__lt=end) if end else Q()


def is_partial(environment: str, typed: str) -> bool:
    """Whether a page searches only a part of the records of an environment."""
    return has_only_short_words(typed) and bool(_first_not_searched(environment))


def _first_not_searched(environment: str) -> str:
    """The key of the first OID after the records that are searched for short words, or ""."""
    keys = Organization.objects.in_environment(environment).order_by("oid_key").values_list("oid_key", flat=True)
    return next(iter(keys[MOST_WITH_SHORT_WORDS : MOST_WITH_SHORT_WORDS + 1]), "")


def records_at_or_below(environment: str, oid: str) -> OrganizationQuerySet:
    """The records of an environment whose OIDs begin with all arcs of this one, read in order from an index."""
    key = Oid(oid).key
    # Keys consist of digits, and every collation sorts letters after digits.
    return Organization.objects.in_environment(environment).filter(oid_key__gte=key, oid_key__lt=f"{key}a")


def candidates(environment: str, phrases: Iterable[str]) -> OrganizationQuerySet:
    """The records of an environment that may contain all phrases. On PostgreSQL all, as it uses its index itself."""
    records = Organization.objects.in_environment(environment)
    found = _candidates(RECORDS, phrases)
    if not isinstance(found, list):
        return records if found is None else records.filter(pk__in=found)
    # With `environment = ...` SQLite would read an index of all records of the environment instead of these ids.
    others = [each for each in Environment.values if each != environment]
    return Organization.objects.filter(~Q(environment__in=others), pk__in=found)


def matching(index: Index, typed: str) -> Q | None:
    """The condition for rows of an indexed table that contain every word. None if the index does not narrow them."""
    words, contain_words = search_text.query_words(typed), search_text.matching_rows(typed)
    if connection.vendor == "postgresql":
        return contain_words if _trigrams(words) else None
    found = _candidates(index, words)
    return None if found is None else contain_words & Q(pk__in=found)


def has_only_short_words(typed: str) -> bool:
    """Whether each word has one or two letters. No index finds such words."""
    words = search_text.query_words(typed)
    return bool(words) and not _trigrams(words)


def _candidates(index: Index, phrases: Iterable[str]) -> list[int] | RawSQL | None:
    """The keys of the rows that may contain all phrases. None if there are too many, and on PostgreSQL."""
    query = _trigrams(phrases)
    if connection.vendor != "sqlite" or not query or not _is_complete(index):
        return None
    with connection.cursor() as cursor:
        cursor.execute(index.candidates, [query, MAX_CANDIDATES + 1])
        keys = [key for (key,) in cursor.fetchall()]
    if len(keys) > MAX_CANDIDATES:
        return None
    return RawSQL(index.candidates, [query, MAX_CANDIDATES]) if len(keys) > MAX_IDS else keys  # noqa: S611


def _trigrams(phrases: Iterable[str]) -> str:
    """The FTS5 query: the trigrams of the phrases, each quoted. "" if every phrase is shorter than a trigram."""
    trigrams = dict.fromkeys(trigram for phrase in phrases for trigram in _trigrams_of(phrase))
    return " ".join('"{}"'.format(each.replace('"', '""')) for each in islice(trigrams, MAX_TRIGRAMS))


def _trigrams_of(phrase: str) -> Iterator[str]:
    return (phrase[start : start + 3] for start in range(len(phrase) - 2))


def _is_complete(index: Index) -> bool:
    """Whether the triggers exist. A migration that rebuilds the table drops them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [index.table])
        return {name for (name,) in cursor.fetchall()} >= index.triggers.keys()


def ensure_indexes() -> None:
    """Create and fill each index unless it is complete. Safe to call again."""
    if connection.vendor == "postgresql":
        _ensure_on_postgresql()
        return
    for index in INDEXES:
        if not _is_complete(index):
            _remove(index)
            _create_on_sqlite(index)


def _create_on_sqlite(index: Index) -> None:
    name = index.name
    with transaction.atomic(), connection.cursor() as cursor:
        # `detail='none'` leaves out positions, which would triple the size, and `columnsize=0` the lengths of texts;
        # `content` avoids a copy of the text.
        content = f"content='{index.table}', content_rowid='{index.key}'"
        options = f"{content}, tokenize='trigram', detail='none', columnsize=0"
        cursor.execute(f"CREATE VIRTUAL TABLE {name} USING fts5(search_text, {options})")
        for trigger, definition in index.triggers.items():
            cursor.execute(f"CREATE TRIGGER {trigger} {definition}")
        # Without `optimize` the first thousands of changes would do the work of merging the parts of the index.
        for command in ("rebuild", "optimize"):
            cursor.execute(f"INSERT INTO {name} ({name}) VALUES ('{command}')")  # noqa: S608


def _ensure_on_postgresql() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for index in INDEXES:
                columns = f"{index.table} USING gin (search_text gin_trgm_ops)"
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {index.name} ON {columns}")
    except DatabaseError as error:
        reason = str(error).partition("\n")[0]
        log.warning(
            "Searches read every record and every entry of the history: %s. Run %s as PostgreSQL's administrator, then "
            "migrate again.",
            reason,
            CREATE_EXTENSION,
        )


def remove_indexes() -> None:
    """Remove the indexes. Searches then read every row."""
    for index in INDEXES:
        _remove(index)


def _remove(index: Index) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {index.name}")
            return
        for name in index.triggers:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"DROP TABLE IF EXISTS {index.name}")
